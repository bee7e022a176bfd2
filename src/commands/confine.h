/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that read sessions, which may be anybody's, restrict themselves before: a defect in a
 * parser is then of little use. As a recording does (docs/privileges.md). */
#ifndef IOTRC_CONFINE_H
#define IOTRC_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

struct confinement {
	const char *const *dirs; /* may be written to, with the directories that they lie in */
	int n_dirs;
	const char *target; /* likewise, but not the directory that it lies in; NULL: none */
	int state;          /* likewise, the descriptor of a directory; negative: none */
	bool network;       /* Internet sockets */
	uint64_t keep;      /* capabilities, of which others are given up */
};

/* From now on this process runs no programs, has no more capabilities than C says, writes only
 * where C says and opens no other sockets. What the kernel has not got is left out. Before other
 * threads are started, except those that only write to what is open. */
void confine(const struct confinement *c);

#endif
