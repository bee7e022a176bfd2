/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A seccomp filter for all threads of a recording. */
#ifndef IOTRC_SYSTEM_CALLS_H
#define IOTRC_SYSTEM_CALLS_H

#include <stdbool.h>

/* The sanitizers' own threads and tracers need more calls than we do: with them there is no filter.
 * gcc defines the macros, clang has the features. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* From now on, all current and future threads can use only the system calls for reading rings,
 * writing files, examining the system and uploading. NETWORK: also Internet sockets. Other calls
 * fail with EPERM, and the kernel's log names them (type=1326); executing a program, accessing
 * another process and loading modules end this process with SIGSYS. Returns 0, or a negative errno:
 * -ENOSYS, -EINVAL or similar if the kernel does not support filters, -EOPNOTSUPP if this is built
 * with sanitizers. */
int system_calls__restrict(bool network);

#endif
