/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All processes, and what the system reports about each. */
#ifndef IOTRC_SNAP_PROCESS_LIST_H
#define IOTRC_SNAP_PROCESS_LIST_H

#include <stdint.h>
#include <sys/types.h>

struct process_facts {
	uint32_t pid;
	char state; /* as in /proc/PID/stat (proc(5)); 0: unknown */
	const char *name;
	size_t name_len;
	uint64_t start; /* clock ticks since boot; identifies a process together with pid */
	uint64_t ticks; /* CPU time in clock ticks */
	uint64_t virtual_kb, resident_kb;
};

struct process_list {
	int proc;         /* the directory that is read; on macOS there is none */
	uint64_t tick_ns; /* a clock tick */
};

/* PROC: a directory to read instead of /proc, or NULL. 0, or a negative errno. */
int process_list__open(struct process_list *ret, const char *proc);
void process_list__close(struct process_list *l);

/* Calls TELL with each process, until it returns a value other than 0, which is returned. Facts are
 * valid during the call. */
int process_list__each(struct process_list *l,
		       int (*tell)(void *arg, const struct process_facts *facts), void *arg);

/* Fills BUF with the arguments of process PID, each with its NUL, as far as there is room. Returns
 * how many bytes, or a negative errno. */
ssize_t process_list__arguments(const struct process_list *l, uint32_t pid, char *buf, size_t size);

#endif
