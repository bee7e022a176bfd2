/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shows rows as they are recorded. Nothing is written to a file. */
#ifndef IOTRC_WATCH_LIVE_H
#define IOTRC_WATCH_LIVE_H

#include "commands/watch_output.h"
#include "export/row.h"
#include "options/command.h"
#include "schema/selection.h"

struct watch_live {
	const struct command *command;     /* whose messages these are */
	const struct selection *selection; /* borrowed */
	uint64_t duration_ns;              /* 0: no limit */
	char **argv;                       /* a command to run, or NULL */
	pid_t pid;                         /* to end when this process has ended; 0: none */
	/* Returns whether to show ROW. */
	bool (*wanted)(void *arg, const struct export_row *row);
	void *arg;
	struct watch_output *output;
};

/* Shows rows until the time is up, the command or the process has ended, the output's reader has
 * gone, or a signal arrives. Returns the exit code: the command's, or EXIT_LOST if events were
 * lost. */
int watch_live__run(struct watch_live *l);

#endif
