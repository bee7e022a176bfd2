/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that read sessions, which may be untrusted, first restrict themselves like a recording
 * (docs/privileges.md), so that a bug in a parser can do little harm. */
#ifndef IOTRC_CONFINE_H
#define IOTRC_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

struct confinement {
	const char *const *dirs; /* writable, and their parent directories as well */
	int n_dirs;
	const char *target; /* writable, without its parent directory; NULL: none */
	int state;          /* writable, the descriptor of a directory; negative: none */
	bool network;       /* Internet sockets */
	uint64_t keep;      /* capabilities to keep */
};

/* From now on this process executes no programs, keeps only the capabilities in C, writes only
 * where C allows it and opens no other sockets. Features that the kernel lacks are skipped. To be
 * called before other threads are started, except threads that only write to open files. */
void confine(const struct confinement *c);

#endif
