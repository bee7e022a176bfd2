/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes and their descriptors, as far as they are known from recorded calls. Bounded: what does
 * not fit is unknown. */
#ifndef IOTRC_MACOS_PROCESS_TABLE_H
#define IOTRC_MACOS_PROCESS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/records.h"

#define PROCESSES_MAX (1 << 16)
#define DESCRIPTORS_MAX (1 << 20) /* of all processes together */
#define DESCRIPTOR_MAX (1 << 20)  /* numbers below */
#define THREAD_DIRS_MAX (1 << 14) /* of all processes together */

/* An open file or a socket; several descriptors may refer to it. */
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
	bool closes; /* on exec */
	struct opened *opened;
};

/* A thread that has a working directory of its own (macOS' __pthread_chdir()). */
struct thread_dir {
	uint32_t tid;
	char *path; /* or NULL: not known */
};

struct process {
	struct process *next;
	uint32_t pid, ppid;
	uint32_t version;                /* incremented when a member below changes */
	bool named, wanted, not_queried; /* the system has not been asked for its descriptors */
	char comm[COMM_BYTES];
	char cmdline[CMDLINE_BYTES];
	uint16_t cmdline_len;
	bool cmdline_cut;
	bool spawns;             /* calls posix_spawn() */
	char *cwd;               /* or NULL: not known */
	struct thread_dir *dirs; /* of the threads that have their own */
	size_t n_dirs, dirs_capacity;
	bool dirs_full; /* a thread did not fit: it may be any that is not in the list */
	struct descriptor *descriptors; /* by number */
	size_t n_descriptors, capacity;
};

struct process_table;

/* 0, or -ENOMEM. */
int process_table__new(struct process_table **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct process_table *process_table__free(struct process_table *p);

/* Process PID, or NULL. */
struct process *process_table__find(struct process_table *p, uint32_t pid);
/* … which is created, with nothing known about it, if it is missing. NULL: there is no space. */
struct process *process_table__get(struct process_table *p, uint32_t pid);
/* Adds PID, a new child of PARENT, which inherits everything, and works in CWD (NULL: unknown).
 * NULL: there is no space. */
struct process *process_table__fork(struct process_table *p, struct process *parent, uint32_t pid,
				    const char *cwd);
void process_table__remove(struct process_table *p, uint32_t pid);
/* Returns how many descriptors did not fit. */
uint64_t process_table__left_out(const struct process_table *p);
/* Forgets the descriptors of all processes: they have to be queried again. */
void process_table__forget_descriptors(struct process_table *p);

/* Returns what descriptor NUMBER refers to, or NULL if unknown. */
struct opened *process__opened(struct process *p, int number);
/* Sets it to a file with this absolute path, or to a new socket. NULL: there is no space. */
struct opened *process__open(struct process_table *all, struct process *p, int number, bool closes,
			     const char *path, size_t len);
struct opened *process__open_socket(struct process_table *all, struct process *p, int number,
				    bool closes);
/* Makes NUMBER refer to the same file as OLD. */
void process__dup(struct process_table *all, struct process *p, int old, int number, bool closes);
void process__close(struct process_table *all, struct process *p, int number);
void process__set_closes(struct process *p, int number, bool closes);
/* Notes that thread TID executes a program: descriptors with close-on-exec and all other threads
 * are gone. */
void process__exec(struct process_table *all, struct process *p, uint32_t tid);
/* Forgets the descriptors and the working directory: they have to be queried again. */
void process__forget_files(struct process_table *all, struct process *p);

/* Returns where thread TID works: its own directory or that of the process. NULL: unknown. */
const char *process__cwd(const struct process *p, uint32_t tid);
/* Sets the working directory of the process; LEN 0: unknown. */
void process__set_cwd(struct process *p, const char *path, size_t len);
/* Gives the thread its own. */
void process__set_thread_dir(struct process_table *all, struct process *p, uint32_t tid,
			     const char *path, size_t len);
/* Takes it away: the thread works in the directory of the process. */
void process__drop_thread_dir(struct process_table *all, struct process *p, uint32_t tid);

/* Moves files at OLD and below to NEW. */
void process_table__rename(struct process_table *p, const char *old, size_t old_len,
			   const char *new, size_t new_len);
/* Notes that the name was removed: no file has it any more. */
void process_table__unlink(struct process_table *p, const char *path, size_t len);

#endif
