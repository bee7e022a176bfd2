// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/session_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than a recorder writes (rows/process_users.h). */
#define ENTRIES_MAX (1 << 20)
#define NUMBERS 3 /* of an entry */

/* [FIRST PID, LAST PID, UID], or [PID, FROM MONO_NS, UID]. */
struct user_span {
	uint64_t n[NUMBERS];
};

struct user_spans {
	struct user_span *at; /* ascending */
	size_t n;
};

struct session_names {
	json_t *manifest;
	json_t *names, *containers; /* of the manifest; or NULL */
	struct user_spans ranges, changes;
};

static int by_numbers(const void *a, const void *b)
{
	const struct user_span *x = a, *y = b;

	for (int i = 0; i < NUMBERS; i++)
		if (x->n[i] != y->n[i])
			return x->n[i] < y->n[i] ? -1 : 1;
	return 0;
}

static bool read_entry(const json_t *from, struct user_span *ret)
{
	for (size_t i = 0; i < NUMBERS; i++) {
		json_t *number = json_array_get(from, i);

		if (!json_is_integer(number) || json_integer_value(number) < 0)
			return false;
		ret->n[i] = (uint64_t)json_integer_value(number);
	}
	return ret->n[NUMBERS - 1] <= UINT32_MAX;
}

static int read_entries(const json_t *from, struct user_spans *ret)
{
	size_t n = json_array_size(from);

	if (n > ENTRIES_MAX)
		n = ENTRIES_MAX;
	ret->at = calloc(n + 1, sizeof(*ret->at));
	if (!ret->at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ret->n += read_entry(json_array_get(from, i), &ret->at[ret->n]);
	qsort(ret->at, ret->n, sizeof(*ret->at), by_numbers);
	return 0;
}

int session_names__new(struct session_names **ret, json_t *manifest)
{
	json_t *users = json_object_get(manifest, "users");
	struct session_names *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	n->manifest = json_incref(manifest);
	n->names = json_object_get(users, "names");
	n->containers = json_object_get(manifest, "containers");
	err = read_entries(json_object_get(users, "processes"), &n->ranges);
	if (!err)
		err = read_entries(json_object_get(users, "changes"), &n->changes);
	if (err)
		session_names__free(n);
	else
		*ret = n;
	return err;
}

struct session_names *session_names__free(struct session_names *n)
{
	if (!n)
		return NULL;
	json_decref(n->manifest);
	free(n->ranges.at);
	free(n->changes.at);
	free(n);
	return NULL;
}

bool session_names__has_users(const struct session_names *n)
{
	return n->ranges.n;
}

/* Returns the last entry whose first two numbers are not more than these, or NULL. */
static const struct user_span *last_until(const struct user_spans *e, uint64_t first,
					  uint64_t second)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct user_span *m = &e->at[middle];

		if (m->n[0] < first || (m->n[0] == first && m->n[1] <= second))
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &e->at[low - 1] : NULL;
}

bool session_names__uid(const struct session_names *n, uint64_t pid, uint64_t ns, uint32_t *ret)
{
	const struct user_span *change = last_until(&n->changes, pid, ns);
	const struct user_span *range = last_until(&n->ranges, pid, UINT64_MAX);

	if (change && change->n[0] == pid) {
		*ret = (uint32_t)change->n[2];
		return true;
	}
	if (!range || range->n[1] < pid)
		return false;
	*ret = (uint32_t)range->n[2];
	return true;
}

const char *session_names__user(const struct session_names *n, uint32_t uid)
{
	char key[16];

	snprintf(key, sizeof(key), "%" PRIu32, uid);
	return json_string_value(json_object_get(n->names, key));
}

const char *session_names__container(const struct session_names *n, const char *id, size_t len)
{
	char key[24];
	json_t *container;

	if (!n->containers || len >= sizeof(key))
		return NULL;
	memcpy(key, id, len);
	key[len] = '\0';
	container = json_object_get(n->containers, key);
	return json_string_value(json_object_get(container, "name")) ?:
		       json_string_value(json_object_get(container, "id"));
}
