// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/filter_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "platform/macros.h"
#include "rows/normalize_path.h"

#define DASHES 2 /* before a name */

/* How a filter applies to sessions. */
enum of_rows { LIST, PATHS, OPS, SLOW, ERRORS, LIVE_ONLY };

#define LIST_OF(member) offsetof(struct filter, member)

static const struct {
	const char *name;
	enum of_rows how;
	size_t list; /* of struct filter */
} filters[] = {
	{ "--pid", LIST, LIST_OF(pids) },
	{ "--command", LIST, LIST_OF(commands) },
	{ "--exclude-command", LIST, LIST_OF(excluded_commands) },
	{ "--path", PATHS, LIST_OF(paths) },
	{ "--exclude-path", PATHS, LIST_OF(excluded_paths) },
	{ "--ops", OPS, LIST_OF(ops) },
	{ "--uid", LIST, LIST_OF(users) },
	{ "--container", LIST, LIST_OF(containers) },
	{ "--slow", SLOW, 0 },
	{ "--errors", ERRORS, 0 },
	{ "--follow", LIVE_ONLY, 0 },
	{ "--cgroup", LIVE_ONLY, 0 },
	{ "--scope", LIVE_ONLY, 0 },
};

static size_t find_filter(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(filters) && strcmp(filters[i].name + DASHES, name))
		i++;
	return i;
}

bool filter_options__take(struct filter_options *f, const struct command_option *option,
			  const char *value)
{
	size_t i = find_filter(option->name);

	if (i == ARRAY_SIZE(filters))
		return false;
	f->too_many |= f->n == FILTER_OPTIONS_MAX;
	if (!f->too_many) {
		f->given[f->n].name = filters[i].name;
		f->given[f->n++].value = value;
	}
	return true;
}

bool filter_options__has(const struct filter_options *f, const char *name)
{
	for (int i = 0; i < f->n; i++)
		if (!strcmp(f->given[i].name + DASHES, name))
			return true;
	return false;
}

/* Rows have absolute paths. */
static bool add_path(struct filter_options *f, struct filter_list *to, const char *path)
{
	char *absolute = *path && f->n_paths < (int)ARRAY_SIZE(f->paths) ?
				 normalize_path__absolute(path) :
				 NULL;

	if (!absolute)
		return false;
	f->paths[f->n_paths++] = absolute;
	return filter_list__add(to, absolute, true);
}

static int add_given(struct filter_options *f, const struct command *c, struct filter *ret,
		     int given)
{
	const char *name = f->given[given].name, *value = f->given[given].value;
	size_t i = find_filter(name + DASHES);
	struct filter_list *list = (struct filter_list *)((char *)ret + filters[i].list);
	bool ok = true;

	switch (filters[i].how) {
	case OPS:
		ret->ops_inverted = *value == '!';
		ok = filter_list__add(list, value + ret->ops_inverted, false);
		break;
	case LIST:
		ok = filter_list__add(list, value, false);
		break;
	case PATHS:
		ok = add_path(f, list, value);
		break;
	case SLOW:
		if (units__parse_time(value, &ret->slow_ns))
			return command__usage(c, "--slow: '%s' is not a time (10ms, 1s)", value);
		break;
	case ERRORS:
		ret->errors = true;
		break;
	case LIVE_ONLY:
		return command__usage(
			c, "%s works only without a SESSION: rows do not contain this", name);
	}
	return ok ? 0 : command__usage(c, "%s: too many values, or an empty one", name);
}

/* A misspelt value would select nothing, silently. */
static int check_values(const struct filter *f, const struct command *c, uint32_t streams)
{
	struct row_field op;

	for (int i = 0; i < f->pids.n; i++)
		if (f->pids.lens[i] != strspn(f->pids.texts[i], "0123456789"))
			return command__usage(c, "--pid: '%.*s' is not a process id",
					      (int)f->pids.lens[i], f->pids.texts[i]);
	if (filter__no_op(f, streams, &op))
		return command__usage(c, "--ops: no stream shown has '%.*s'", (int)op.len, op.s);
	return 0;
}

/* Of several streams, those that lack what F needs have no rows. One at least has to have it. */
static int check_streams(const struct filter *f, const struct command *c, uint32_t streams)
{
	const char *lacks = NULL, *key = NULL;

	for (int s = 0; s < STREAM_COUNT; s++) {
		if (!(streams >> s & 1))
			continue;
		lacks = filter__lacks(f, s);
		if (!lacks)
			return 0;
		key = schema_streams[s].key;
	}
	return lacks ? command__usage(c, "rows of %s have no %s to filter by", key, lacks) : 0;
}

int filter_options__session(struct filter_options *f, const struct command *c, uint32_t streams,
			    struct filter *ret)
{
	int code = 0;

	if (f->too_many)
		return command__usage(c, "more than %d filters", FILTER_OPTIONS_MAX);
	for (int i = 0; i < f->n && !code; i++)
		code = add_given(f, c, ret, i);
	if (!code)
		code = check_values(ret, c, streams);
	if (!code)
		code = check_streams(ret, c, streams);
	if (!code && filter__begin(ret))
		code = command__cannot(c, "out of memory");
	return code;
}

int filter_options__live(const struct filter_options *f, const struct command *c,
			 struct options *ret)
{
	static char message[OPTIONS_MESSAGE_MAX];
	char *argv[2 * FILTER_OPTIONS_MAX + 2] = { "iotrc" };
	int argc = 1;

	if (f->too_many)
		return command__usage(c, "more than %d filters", FILTER_OPTIONS_MAX);
	for (int i = 0; i < f->n; i++) {
		argv[argc++] = (char *)f->given[i].name;
		if (f->given[i].value)
			argv[argc++] = (char *)f->given[i].value;
	}
	if (options__parse(ret, argc, argv, message))
		return command__usage(c, "%s", message);
	return 0;
}

void filter_options__done(struct filter_options *f)
{
	while (f->n_paths)
		free(f->paths[--f->n_paths]);
}
