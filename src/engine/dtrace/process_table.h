/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of processes and their descriptors, from the calls that change them. Bounded: of
 * what has no room nothing is known. */
#ifndef IOTRC_DTRACE_PROCESS_TABLE_H
#define IOTRC_DTRACE_PROCESS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/records.h"

#define PROCESSES_MAX (1 << 16)
#define DESCRIPTORS_MAX (1 << 20) /* of all processes together */
#define DESCRIPTOR_MAX (1 << 20)  /* numbers below */

/* An open file, or a socket: several descriptors may stand for one. */
struct opened {
	uint32_t refs;
	bool is_socket;
	struct opened *next, *before; /* all files */
	/* of a file */
	uint64_t id; /* of its definition; 0: none yet */
	uint32_t epoch;
	uint32_t flags; /* O_*, of Linux */
	bool deleted;
	size_t len;
	char *path;
	/* of a socket */
	struct conn_ends ends;
};

struct descriptor {
	int number;
	bool closes; /* when the process executes a program */
	struct opened *opened;
};

struct process {
	struct process *next;
	uint32_t pid, ppid;
	uint32_t version; /* grows when what follows changes */
	bool named, wanted,
		unasked; /* unasked: the system has not been asked for its descriptors */
	char comm[COMM_BYTES];
	char cmdline[CMDLINE_BYTES];
	uint16_t cmdline_len;
	bool cmdline_cut;
	char *cwd;                      /* or NULL: not known */
	struct descriptor *descriptors; /* by number */
	size_t n_descriptors, room;
};

struct process_table;

/* 0, or -ENOMEM. */
int process_table__new(struct process_table **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct process_table *process_table__free(struct process_table *p);

/* Process PID, or NULL. */
struct process *process_table__find(struct process_table *p, uint32_t pid);
/* … which is made, with nothing known of it, where there is none. NULL: no room. */
struct process *process_table__get(struct process_table *p, uint32_t pid);
/* PID is a new child of PARENT, and has what that has. NULL: no room. */
struct process *process_table__fork(struct process_table *p, struct process *parent, uint32_t pid);
void process_table__remove(struct process_table *p, uint32_t pid);
/* Of no process descriptors are known any more: the system is to be asked again. */
void process_table__forget_descriptors(struct process_table *p);

/* What descriptor NUMBER stands for, or NULL: not known. */
struct opened *process__opened(struct process *p, int number);
/* It stands for a file of that absolute path, or for a new socket. NULL: no room. */
struct opened *process__open(struct process_table *all, struct process *p, int number, bool closes,
			     const char *path, size_t len);
struct opened *process__open_socket(struct process_table *all, struct process *p, int number,
				    bool closes);
/* NUMBER stands for what OLD stands for. */
void process__dup(struct process_table *all, struct process *p, int old, int number, bool closes);
void process__close(struct process_table *all, struct process *p, int number);
void process__set_closes(struct process *p, int number, bool closes);
/* A program is executed. */
void process__exec(struct process_table *all, struct process *p);
/* The working directory; LEN 0: not known. */
void process__set_cwd(struct process *p, const char *path, size_t len);

/* Files at OLD and below are now at NEW. */
void process_table__rename(struct process_table *p, const char *old, size_t old_len,
			   const char *new, size_t new_len);
/* No file has that name any more. */
void process_table__unlink(struct process_table *p, const char *path, size_t len);

#endif
