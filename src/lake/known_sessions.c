// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/known_sessions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lake/compactions.h"
#include "lake/layout.h"
#include "lake/session_row.h"

static int know(struct entries *known, const char *file)
{
	char key[LAKE_KEY_MAX];
	struct lake_name name;

	if (!lake_layout__parse(file, &name) || strcmp(name.stream, LAKE_SESSIONS))
		return 0;
	lake_layout__key(&name, key);
	return entries__add(known, key, "", 1);
}

static int know_file(void *arg, const struct store_file *file)
{
	return file->temporary ? 0 : know(arg, file->name);
}

/* A session's own file may have been merged with others. */
int known_sessions__read(struct store *s, struct entries *ret, char why[STORE_WHY_MAX])
{
	struct compactions c;
	int err = store__list(s, LAKE_TOP "stream=" LAKE_SESSIONS "/", know_file, ret);

	if (err) {
		snprintf(why, STORE_WHY_MAX, "%s",
			 err == -ENOMEM ? "out of memory" : store__why(s));
		return err;
	}
	err = compactions__read(s, NULL, &c, why);
	for (size_t i = 0; i < c.replaced.n && !err; i++) {
		err = know(ret, c.replaced.at[i].key);
		if (err)
			snprintf(why, STORE_WHY_MAX, "out of memory");
	}
	compactions__clear(&c);
	entries__unite(ret);
	return err;
}

bool known_sessions__has(struct entries *known, const struct session_reader *r)
{
	const char *machine = json_string_value(json_object_get(r->root, "machine_id"));
	char key[LAKE_KEY_MAX];

	snprintf(key, sizeof(key), "%s/%s", machine ?: "", session_row__name(r));
	return entries__find(known, key);
}
