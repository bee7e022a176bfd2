/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the system reports about other processes at the moment: open files, working directory,
 * arguments and others. */
#ifndef IOTRC_PROCESS_FILES_H
#define IOTRC_PROCESS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_PATH_SIZE 4096
#define PROCESS_PROGRAM_SIZE 64

/* Calls TELL with each process, by ascending ids on macOS, in /proc's order elsewhere. */
void process_files__processes(void (*tell)(void *arg, pid_t pid), void *arg);

/* Calls TELL with each open file of PID that has an absolute path. CLOSES: it is closed on exec;
 * false if the system does not report that. */
void process_files__list(pid_t pid, void (*tell)(void *arg, int fd, bool closes, const char *path),
			 void *arg);

/* The working directory of PID. 0, or a negative errno. */
int process_files__cwd(pid_t pid, char ret[PROCESS_PATH_SIZE]);

/* Gets the arguments of PID, each with its NUL, as far as they fit into SIZE bytes. Returns the
 * number of bytes, or a negative errno; *RET_CUT: there are more. */
ssize_t process_files__arguments(pid_t pid, char *ret, size_t size, bool *ret_cut);

/* Gets the environment with which PID was started, in the same way; empty if the system does not
 * show it. */
ssize_t process_files__environment(pid_t pid, char *ret, size_t size);

/* Gets the name of PID's program, as far as the system stores it. Returns 0, or a negative
 * errno. */
int process_files__program(pid_t pid, char ret[PROCESS_PROGRAM_SIZE]);

/* Calls TELL with the id of each thread of PID. */
void process_files__threads(pid_t pid, void (*tell)(void *arg, pid_t pid, uint64_t thread),
			    void *arg);

/* The parent of PID; 0: unknown. */
pid_t process_files__parent(pid_t pid);

#endif
