/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_STRACE_SHIM_H
#define IOTRC_STRACE_SHIM_H

/* strace may run `iotrc run --become SOCKET COMMAND CMD...`: then nothing is reported until that
 * process has become CMD. */
#define STRACE_SHIM "--become"

#endif
