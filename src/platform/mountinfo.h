/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/self/mountinfo: the mounts that this process can reach (proc(5)). Only Linux has it. */
#ifndef IOTRC_MOUNTINFO_H
#define IOTRC_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A line. The strings lie in TEXT. */
struct mountinfo {
	uint64_t id, parent;
	uint32_t major, minor;       /* of the device */
	char *root;                  /* directory of the filesystem that is mounted */
	char *path, *type, *source;  /* source is empty for some filesystems in memory */
	char *options, *own_options; /* of the mount; of the filesystem. Escaped: see below */
	char *text;
	size_t size; /* bytes allocated for TEXT */
};

/* Opens the file. NULL with errno set if that fails: ENOENT where there is no such file. */
FILE *mountinfo__open(void);

/* Reads the next well-formed line of FILE into M, which is all 0 before the first. False at the
 * end. */
bool mountinfo__next(struct mountinfo *m, FILE *file);

/* Frees what M holds. */
void mountinfo__clear(struct mountinfo *m);

/* Decodes S in place: the kernel writes blanks, tabs, line feeds, backslashes and some other
 * characters as \ooo. The options are left as they are, because \054 is a comma inside one. */
void mountinfo__unescape(char *s);

#endif
