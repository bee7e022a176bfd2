/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_STANDARD_FILES_H
#define IOTRC_STANDARD_FILES_H

/* Occupies the descriptors of stdin, stdout and stderr that are closed, so that no file that is
 * opened later gets their numbers, and messages. They can be used as little as before (EBADF), and
 * are closed for programs that this one executes. Call it first. Returns 0, or a negative errno. */
int standard_files__occupy(void);

#endif
