/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors of this process, and their buffers. */
#ifndef IOTRC_DESCRIPTORS_H
#define IOTRC_DESCRIPTORS_H

/* Closes all descriptors from FIRST on. May be called between fork() and exec() in any program. */
void descriptors__close_from(int first);

/* Makes the pipe FD hold BYTES, where the system allows it; otherwise it stays as it is. */
void descriptors__widen_pipe(int fd, int bytes);

#endif
