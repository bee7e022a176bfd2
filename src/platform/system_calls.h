/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program that records may still ask the kernel for: a seccomp filter over all of its
 * threads. */
#ifndef IOTRC_SYSTEM_CALLS_H
#define IOTRC_SYSTEM_CALLS_H

#include <stdbool.h>

/* From now on, in all threads, those that run and those to come, only the system calls that
 * reading rings, writing files, looking at the system and uploading take. NETWORK: Internet
 * sockets, too. Others fail with EPERM, and the kernel's log names them (type=1326); running a
 * program, looking into another process and loading modules end this one by SIGSYS. 0, or a
 * negative errno: -ENOSYS, -EINVAL or the like where the kernel has no such filters. */
int system_calls__restrict(bool network);

#endif
