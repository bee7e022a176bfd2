// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/expire_lake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lake/compact_lake.h"
#include "lake/compactions.h"
#include "platform/macros.h"

#define DAY_S 86400

struct expiry {
	struct store *store;
	struct expire_lake *ret;
	int64_t day, now_s;
	struct entries recent; /* MACHINE/SESSION with a day that is not old */
	struct compactions compactions;
	struct entries stated; /* MACHINE/SESSION in files of `sessions` that stay */
	bool sessions;         /* remove rows of `sessions`; otherwise those of streams */
};

static bool parse_name(const char *file, struct lake_name *name, char key[LAKE_KEY_MAX])
{
	if (!lake_layout__parse(file, name))
		return false;
	lake_layout__key(name, key);
	return true;
}

static int note_recent(struct expiry *e, const char *file)
{
	char key[LAKE_KEY_MAX];
	struct lake_name name;

	if (!parse_name(file, &name, key) || !strcmp(name.machine, LAKE_ALL) || name.day < e->day)
		return 0;
	return entries__add(&e->recent, key, "", 1) ?
		       store__explain(e->ret->why, -ENOMEM, "out of memory") :
		       0;
}

static int note_listed(void *arg, const struct store_file *file)
{
	return file->temporary ? 0 : note_recent(arg, file->name);
}

static int drop(struct expiry *e, const struct store_file *file)
{
	int err = store__remove(e->store, file->name);

	if (err)
		return store__explain(e->ret->why, err, store__why(e->store));
	e->ret->files++;
	e->ret->bytes += file->size;
	return 0;
}

/* ---- compacted days, which are removed as a whole ---- */

static bool is_of(const char *file, int64_t day, bool sessions)
{
	struct lake_name name;

	return lake_layout__parse(file, &name) && name.day == day &&
	       (!sessions || !strcmp(name.stream, LAKE_SESSIONS));
}

/* Whether a file that was replaced on DAY is of a session in WHICH. SESSIONS: among files of
 * `sessions`. */
static bool any(struct expiry *e, int64_t day, bool sessions, struct entries *which)
{
	char key[LAKE_KEY_MAX];
	struct lake_name name;

	for (size_t i = 0; i < e->compactions.replaced.n; i++) {
		const char *file = e->compactions.replaced.at[i].key;

		if (is_of(file, day, sessions) && parse_name(file, &name, key) &&
		    entries__find(which, key))
			return true;
	}
	return false;
}

/* An old day's rows of `sessions` stay while one of these sessions is recent. */
static int find_stated(struct expiry *e)
{
	char key[LAKE_KEY_MAX];
	struct lake_name name, list;
	int err = 0;

	for (size_t i = 0; i < e->compactions.lists.n && !err; i++) {
		if (!lake_layout__parse(e->compactions.lists.at[i].key, &list) ||
		    !any(e, list.day, true, &e->recent))
			continue;
		for (size_t k = 0; k < e->compactions.replaced.n && !err; k++) {
			const char *file = e->compactions.replaced.at[k].key;

			if (is_of(file, list.day, true) && parse_name(file, &name, key))
				err = entries__add(&e->stated, key, "", 1);
		}
	}
	entries__unite(&e->stated);
	return err ? store__explain(e->ret->why, err, "out of memory") : 0;
}

/* Removes files of DAY that do not count, before the list that says so is removed. */
static int drop_replaced(void *arg, const struct store_file *file)
{
	struct expiry *e = arg;
	struct lake_name name;

	if (file->temporary || !lake_layout__parse(file->name, &name) || name.day >= e->day ||
	    !entries__find(&e->compactions.replaced, file->name))
		return 0;
	return drop(e, file);
}

/* Writes the list of DAY without the removed files, or removes it. */
static int cut_list(struct expiry *e, int64_t day, const char *list)
{
	struct compactions left = { .replaced = e->compactions.replaced };
	bool stays = any(e, day, true, &e->recent);
	int err = 0;

	if (!stays && !any(e, day, false, &e->recent) && !any(e, day, false, &e->stated)) {
		err = store__remove(e->store, list);
		return err ? store__explain(e->ret->why, err, store__why(e->store)) : 0;
	}
	if (!compactions__has_rows(&e->compactions, day))
		return 0;
	for (size_t i = 0; i < e->compactions.added.n && stays && !err; i++)
		if (is_of(e->compactions.added.at[i].key, day, true))
			err = entries__add(&left.added, e->compactions.added.at[i].key, "",
					   e->compactions.added.at[i].n);
	err = err ? store__explain(e->ret->why, err, "out of memory") :
		    compactions__write(e->store, day, &left, e->ret->why);
	entries__clear(&left.added);
	return err;
}

static int cut_lists(struct expiry *e)
{
	struct lake_name list;
	int err = 0;

	for (size_t i = 0; i < e->compactions.lists.n && !err; i++)
		if (lake_layout__parse(e->compactions.lists.at[i].key, &list) && list.day < e->day)
			err = cut_list(e, list.day, e->compactions.lists.at[i].key);
	compactions__clear(&e->compactions);
	return err ?: compactions__read(e->store, NULL, &e->compactions, e->ret->why);
}

/* ---- files ---- */

static int remove_temporary(struct expiry *e, const struct store_file *file)
{
	if (e->sessions || file->modified > e->now_s - DAY_S)
		return 0;
	e->ret->leftovers++;
	return drop(e, file);
}

/* Removes a file that does not count. */
static int remove_uncounted(struct expiry *e, const struct store_file *file,
			    const struct lake_name *name)
{
	bool gone;
	int err;

	if (e->sessions)
		return 0;
	if (name->day < e->day)
		return drop(e, file);
	err = compact_lake__clear(e->store, &e->compactions, file, name->day, COMPACT_GRACE_S,
				  &gone);
	if (err)
		return store__explain(e->ret->why, err, store__why(e->store));
	e->ret->files += gone;
	e->ret->bytes += gone ? file->size : 0;
	return 0;
}

static int remove_old(void *arg, const struct store_file *file)
{
	char key[LAKE_KEY_MAX];
	struct expiry *e = arg;
	struct lake_name name;

	if (file->temporary)
		return remove_temporary(e, file);
	if (!parse_name(file->name, &name, key) || !strcmp(name.stream, LAKE_COMPACTED))
		return 0;
	if (!compactions__counts(&e->compactions, file->name))
		return remove_uncounted(e, file, &name);
	if (!strcmp(name.machine, LAKE_ALL) || entries__find(&e->recent, key) ||
	    entries__find(&e->stated, key) || e->sessions != !strcmp(name.stream, LAKE_SESSIONS))
		return 0;
	e->ret->sessions += e->sessions;
	return drop(e, file);
}

/* ---- all ---- */

static int find_recent(struct expiry *e)
{
	int err = compactions__read(e->store, NULL, &e->compactions, e->ret->why);

	if (!err)
		err = store__list(e->store, LAKE_TOP, note_listed, e);
	for (size_t i = 0; i < e->compactions.replaced.n && !err; i++)
		err = note_recent(e, e->compactions.replaced.at[i].key);
	entries__unite(&e->recent);
	return err ?: find_stated(e);
}

/* Counts the sessions that only lists to be removed mention. */
static void count_sessions(struct expiry *e)
{
	char key[LAKE_KEY_MAX];
	struct lake_name name;

	for (size_t i = 0; i < e->compactions.replaced.n; i++) {
		const char *file = e->compactions.replaced.at[i].key;

		if (parse_name(file, &name, key) && !strcmp(name.stream, LAKE_SESSIONS) &&
		    name.day < e->day && !entries__find(&e->stated, key))
			e->ret->sessions++;
	}
}

int expire_lake(struct store *s, int64_t day, struct expire_lake *ret)
{
	struct expiry e = { .store = s,
			    .ret = ret,
			    .day = day,
			    .now_s = (int64_t)(clock__real_ns() / NSEC_PER_SEC),
			    .sessions = true };
	int err;

	memset(ret, 0, sizeof(*ret));
	err = find_recent(&e);
	if (!err) {
		count_sessions(&e);
		err = store__list(s, LAKE_TOP, drop_replaced, &e);
	}
	if (!err)
		err = cut_lists(&e);
	if (!err)
		err = store__list(s, LAKE_TOP, remove_old, &e);
	e.sessions = false;
	if (!err)
		err = store__list(s, LAKE_TOP, remove_old, &e);
	if (err && !*ret->why)
		store__explain(e.ret->why, err, store__why(s));
	entries__clear(&e.recent);
	entries__clear(&e.stated);
	compactions__clear(&e.compactions);
	return err;
}
