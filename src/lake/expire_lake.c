// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/expire_lake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lake/entries.h"
#include "lake/layout.h"

#define DAY_S 86400
#define SECOND_NS UINT64_C(1000000000)

struct expiry {
	struct store *store;
	struct expire_lake *ret;
	int64_t day, now_s;
	struct entries recent; /* MACHINE/SESSION with a day that is not old */
	bool sessions;         /* remove what is known of sessions, or else their rows */
};

static int fail(struct expiry *e, int err, const char *what)
{
	snprintf(e->ret->why, sizeof(e->ret->why), "%s", what);
	return err;
}

static bool key_of(const struct store_file *file, struct lake_name *name,
		   char key[2 * LAKE_PART_MAX])
{
	if (file->temporary || !lake_layout__parse(file->name, name))
		return false;
	snprintf(key, 2 * LAKE_PART_MAX, "%s/%s", name->machine, name->session);
	return true;
}

static int note(void *arg, const struct store_file *file)
{
	char key[2 * LAKE_PART_MAX];
	struct expiry *e = arg;
	struct lake_name name;

	if (!key_of(file, &name, key) || name.day < e->day)
		return 0;
	return entries__add(&e->recent, key, "", 1) ? fail(e, -ENOMEM, "out of memory") : 0;
}

static int remove_old(void *arg, const struct store_file *file)
{
	char key[2 * LAKE_PART_MAX];
	struct expiry *e = arg;
	struct lake_name name;
	int err;

	if (file->temporary) {
		if (e->sessions || file->modified > e->now_s - DAY_S)
			return 0;
		e->ret->leftovers++;
	} else if (!key_of(file, &name, key) || entries__find(&e->recent, key) ||
		   e->sessions != !strcmp(name.stream, LAKE_SESSIONS)) {
		return 0;
	}
	err = store__remove(e->store, file->name);
	if (err)
		return fail(e, err, store__why(e->store));
	e->ret->sessions += e->sessions;
	e->ret->files++;
	e->ret->bytes += file->size;
	return 0;
}

int expire_lake(struct store *s, int64_t day, struct expire_lake *ret)
{
	struct expiry e = { .store = s,
			    .ret = ret,
			    .day = day,
			    .now_s = clock__real_ns() / SECOND_NS,
			    .sessions = true };
	int err;

	memset(ret, 0, sizeof(*ret));
	err = store__list(s, LAKE_TOP, note, &e);
	entries__unite(&e.recent);
	if (!err)
		err = store__list(s, LAKE_TOP, remove_old, &e);
	e.sessions = false;
	if (!err)
		err = store__list(s, LAKE_TOP, remove_old, &e);
	if (err && !*ret->why)
		fail(&e, err, store__why(s));
	entries__clear(&e.recent);
	return err;
}
