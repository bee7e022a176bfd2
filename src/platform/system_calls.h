/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A seccomp filter for all threads of a recording. */
#ifndef IOTRC_SYSTEM_CALLS_H
#define IOTRC_SYSTEM_CALLS_H

#include <stdbool.h>

/* From now on, all current and future threads can use only the system calls for reading rings,
 * writing files, examining the system and uploading. NETWORK: also Internet sockets. Other calls
 * fail with EPERM, and the kernel's log names them (type=1326); executing a program, accessing
 * another process and loading modules end this process with SIGSYS. Returns 0, or a negative errno:
 * -ENOSYS, -EINVAL or similar if the kernel does not support filters. */
int system_calls__restrict(bool network);

#endif
