/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which user each process belongs to, by the ids of processes. Rows have no column for it: the
 * manifest has a table (member `users`), from which a reader finds the user of a row's `pid`.
 *
 * Two threads may use it at once: one that notes, and one that asks for the table. */
#ifndef IOTRC_PROCESS_USERS_H
#define IOTRC_PROCESS_USERS_H

#include <jansson.h>
#include <stdint.h>

#define PROCESS_USERS_PIDS (4 << 20)   /* PID_MAX_LIMIT (include/linux/threads.h) */
#define PROCESS_USERS_MAX 254          /* different users */
#define PROCESS_USERS_RANGES_MAX 65536 /* in the table */
#define PROCESS_USERS_CHANGES_MAX 8192 /* that processes, or their ids, have changed users */

struct process_users;

/* 0, or -ENOMEM. */
int process_users__new(struct process_users **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct process_users *process_users__free(struct process_users *u);

/* A definition says that process PID belongs to UID. Returns 0, or, if PID has belonged to others,
 * a number of UID: process_users__row() has to be told of each row with this definition. */
uint8_t process_users__note(struct process_users *u, uint32_t pid, uint32_t uid);

/* A row of PID at NS (CLOCK_MONOTONIC) belongs to USER, a number of process_users__note(). */
void process_users__row(struct process_users *u, uint32_t pid, uint8_t user, uint64_t ns);

/* { "names": { "UID": NAME, ... }, "processes": [[FIRST PID, LAST PID, UID], ...],
 *   "changes": [[PID, FROM MONO_NS, UID], ...], "left_out": N }; for the caller to release. The
 * processes ascend; the changes are in the order in which their rows were read. Names are those of
 * /etc/passwd. Between FIRST and LAST there are none but UID's. NULL: none was noted, or out of
 * memory. */
json_t *process_users__json(struct process_users *u);

#endif
