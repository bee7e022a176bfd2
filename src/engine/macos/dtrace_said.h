/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of dtrace on its standard error. */
#ifndef IOTRC_DTRACE_SAID_H
#define IOTRC_DTRACE_SAID_H

#include <stddef.h>
#include <stdint.h>

enum dtrace_said_kind {
	DTRACE_SAID_OTHER,   /* a message for the user */
	DTRACE_SAID_DROPS,   /* COUNT records are missing, on CPU unless that is -1 */
	DTRACE_SAID_SIP,     /* System Integrity Protection hides probes */
	DTRACE_SAID_RIGHTS,  /* the user may not run it */
	DTRACE_SAID_NOTHING, /* no probe has matched */
};

struct dtrace_said {
	enum dtrace_said_kind kind;
	uint64_t count;
	int cpu;
};

/* Parses the line TEXT, which ends with NUL. */
struct dtrace_said dtrace_said__parse(const char *text);

#endif
