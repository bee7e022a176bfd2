// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/process_users.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWD "/etc/passwd"
#define PASSWD_LINE 1024
#define OTHERS 255 /* more than PROCESS_USERS_MAX */

struct change {
	uint32_t pid, uid;
	uint64_t ns;
};

struct process_users {
	/* Of each process id, 1 + the index of a user, or OTHERS: of its first row, and (0: the
	 * same) of the last one. Only pages of ids that occur take memory. */
	_Atomic uint8_t *first;
	uint8_t *now;         /* of the thread that notes */
	pthread_mutex_t lock; /* of what follows */
	uint32_t uids[PROCESS_USERS_MAX];
	size_t n_uids;
	struct change changes[PROCESS_USERS_CHANGES_MAX];
	size_t n_changes;
	uint64_t left_out;
	uint32_t most; /* the greatest id that was noted */
};

int process_users__new(struct process_users **ret)
{
	struct process_users *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	pthread_mutex_init(&u->lock, NULL);
	u->first = calloc(PROCESS_USERS_PIDS, sizeof(*u->first));
	u->now = calloc(PROCESS_USERS_PIDS, sizeof(*u->now));
	if (!u->first || !u->now) {
		process_users__free(u);
		return -ENOMEM;
	}
	*ret = u;
	return 0;
}

struct process_users *process_users__free(struct process_users *u)
{
	if (!u)
		return NULL;
	pthread_mutex_destroy(&u->lock);
	free(u->first);
	free(u->now);
	free(u);
	return NULL;
}

/* Returns 1 + the index of UID, or OTHERS. The lock is held. */
static uint8_t user_of(struct process_users *u, uint32_t uid)
{
	size_t i = 0;

	while (i < u->n_uids && u->uids[i] != uid)
		i++;
	if (i == PROCESS_USERS_MAX)
		return OTHERS;
	if (i == u->n_uids)
		u->uids[u->n_uids++] = uid;
	return (uint8_t)(i + 1);
}

/* Of a process that has had one user so far, and now perhaps another. Returns what is to be asked
 * for each row. The lock is held. */
static uint8_t note(struct process_users *u, uint32_t pid, uint8_t user)
{
	if (!u->first[pid]) {
		u->first[pid] = user;
		u->left_out += user == OTHERS;
		u->most = pid > u->most ? pid : u->most;
	}
	/* Definitions come before the rows of those before them, so that from now on all count. */
	if (!u->now[pid] && u->first[pid] != user)
		u->now[pid] = u->first[pid];
	return u->now[pid] ? user : 0;
}

uint8_t process_users__note(struct process_users *u, uint32_t pid, uint32_t uid)
{
	uint8_t user = 0;

	pthread_mutex_lock(&u->lock);
	if (pid < PROCESS_USERS_PIDS)
		user = note(u, pid, user_of(u, uid));
	else
		u->left_out++;
	pthread_mutex_unlock(&u->lock);
	return user;
}

void process_users__row(struct process_users *u, uint32_t pid, uint8_t user, uint64_t ns)
{
	if (u->now[pid] == user)
		return;
	u->now[pid] = user;
	pthread_mutex_lock(&u->lock);
	if (user == OTHERS || u->n_changes == PROCESS_USERS_CHANGES_MAX)
		u->left_out++;
	else
		u->changes[u->n_changes++] = (struct change){ pid, u->uids[user - 1], ns };
	pthread_mutex_unlock(&u->lock);
}

/* ---- the table ---- */

/* How much there was of everything. */
struct snapshot {
	size_t n_uids, n_changes;
	uint32_t most;
	uint64_t left_out;
};

/* Adds the names that PASSWD has for the users, to NAMES. No other source of names is asked: it
 * might not answer. */
static void add_names(const struct process_users *u, size_t n_uids, json_t *names)
{
	FILE *file = fopen(PASSWD, "re");
	char line[PASSWD_LINE], name[256], key[16];
	uint32_t uid;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%255[^:]:%*[^:]:%" SCNu32 ":", name, &uid) != 2)
			continue;
		for (size_t i = 0; i < n_uids; i++) {
			if (u->uids[i] != uid)
				continue;
			snprintf(key, sizeof(key), "%" PRIu32, uid);
			if (!json_object_get(names, key))
				json_object_set_new(names, key, json_string(name));
		}
	}
	if (file)
		fclose(file);
}

static void add_range(const struct process_users *u, json_t *ranges, uint32_t begun, uint32_t last,
		      uint8_t user, uint64_t *left_out)
{
	if (!user || user > PROCESS_USERS_MAX)
		return;
	if (json_array_size(ranges) == PROCESS_USERS_RANGES_MAX) {
		(*left_out)++;
		return;
	}
	json_array_append_new(ranges, json_pack("[I, I, I]", (json_int_t)begun, (json_int_t)last,
						(json_int_t)u->uids[user - 1]));
}

static void add_ranges(const struct process_users *u, struct snapshot *s, json_t *ranges)
{
	uint32_t begun = 0, last = 0;
	uint8_t user = 0;

	for (uint32_t pid = 0; pid <= s->most; pid++) {
		uint8_t next = atomic_load_explicit(&u->first[pid], memory_order_relaxed);

		/* One who came after the snapshot is in the next table. */
		if (!next || (next > s->n_uids && next != OTHERS))
			continue;
		if (next != user) {
			add_range(u, ranges, begun, last, user, &s->left_out);
			begun = pid;
			user = next;
		}
		last = pid;
	}
	add_range(u, ranges, begun, last, user, &s->left_out);
}

json_t *process_users__json(struct process_users *u)
{
	json_t *names = json_object(), *ranges = json_array(), *changes = json_array();
	struct snapshot s;

	/* What is there then stays as it is. */
	pthread_mutex_lock(&u->lock);
	s = (struct snapshot){ u->n_uids, u->n_changes, u->most, u->left_out };
	pthread_mutex_unlock(&u->lock);
	add_names(u, s.n_uids, names);
	add_ranges(u, &s, ranges);
	for (size_t i = 0; i < s.n_changes; i++)
		json_array_append_new(changes, json_pack("[I, I, I]", (json_int_t)u->changes[i].pid,
							 (json_int_t)u->changes[i].ns,
							 (json_int_t)u->changes[i].uid));
	if (!json_array_size(ranges)) {
		json_decref(names);
		json_decref(ranges);
		json_decref(changes);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o, s:I}", "names", names, "processes", ranges, "changes",
			 changes, "left_out", (json_int_t)s.left_out);
}
