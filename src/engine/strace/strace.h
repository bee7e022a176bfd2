/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine that reads the output of strace: for one command and everything it starts, without
 * privileges and without eBPF.
 *
 * The caller starts strace, with the command line that strace__command() makes. Its output goes
 * through a FIFO, which the engine opens (engine_config.file) before strace does. Nothing is lost:
 * while the engine does not read, strace waits, and so does the command. */
#ifndef IOTRC_STRACE_H
#define IOTRC_STRACE_H

/* Returns the command line that runs ARGV (ending with NULL) under strace, with its output in FILE.
 * The caller frees it with one free(); what it points to is borrowed or static. NULL: out of
 * memory. */
char **strace__command(char **argv, const char *file);

#endif
