/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where threads may write: Landlock (Linux 5.13, landlock(7)). A list of directories is made
 * first; threads then restrict themselves to it, for good, and those that they start. Reading is
 * not restricted. Files that are open stay so. Not for several threads at once but for
 * landlock__enter(). */
#ifndef IOTRC_LANDLOCK_H
#define IOTRC_LANDLOCK_H

/* Begins the list. The ABI (1 and up), or 0 where the kernel has no Landlock: then all below
 * does nothing. */
int landlock__begin(void);

/* Adds PATH: a file, or a directory with all below it. What isn't there is left out. */
void landlock__allow(const char *path);
/* … the directory that PATH lies in. */
void landlock__allow_parent(const char *path);

/* Restricts the calling thread, which must have no_new_privs. 0, or a negative errno. */
int landlock__enter(void);

#endif
