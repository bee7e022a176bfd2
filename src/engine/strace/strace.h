/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine that reads what strace writes: for one command and all that it starts, without
 * privileges and without eBPF.
 *
 * strace is started by whoever starts the command: strace__command() makes its command line. Its
 * output goes through a FIFO, which the engine opens (engine_config.file) before strace does.
 * Nothing is lost: while the engine doesn't read, strace waits, and the command with it. */
#ifndef IOTRC_STRACE_H
#define IOTRC_STRACE_H

/* The command line that runs ARGV (ending with NULL) under strace, whose output goes to FILE. For
 * the caller to free() as a whole; what it points to is borrowed or static. NULL: no memory. */
char **strace__command(char **argv, const char *file);

/* `iotrc run --become SOCKET COMMAND CMD...`, where that is what ARGV is: nothing is told of it
 * until it has become CMD. */
#define STRACE_SHIM "--become"

#endif
