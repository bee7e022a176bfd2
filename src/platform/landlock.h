/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restricts where threads can write, by Landlock (Linux 5.13, landlock(7)). First a list of
 * directories is built; then threads restrict themselves, and those that they start, to it
 * permanently. Reading and open files are not restricted. Only landlock__enter() may be called by
 * several threads at once. */
#ifndef IOTRC_LANDLOCK_H
#define IOTRC_LANDLOCK_H

/* Begins the list. Returns the ABI (1 or higher), or 0 if the kernel has no Landlock; the functions
 * below then do nothing. */
int landlock__begin(void);

/* Adds PATH: a file, or a directory with everything below it. Ignores PATH if it does not exist. */
void landlock__allow(const char *path);
/* … the directory that contains PATH. */
void landlock__allow_parent(const char *path);

/* Restricts the calling thread, which must have no_new_privs. Returns 0, or a negative errno. */
int landlock__enter(void);

#endif
