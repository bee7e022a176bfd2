// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/check_lake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "export/parquet_sql.h"
#include "lake/compactions.h"
#include "lake/entries.h"
#include "lake/layout.h"
#include "lake/question.h"
#include "lake/session_row.h"
#include "schema/schema.h"

#define BATCH 256 /* files that one query reads */
#define KEY_MAX (3 * LAKE_PART_MAX)

/* SQL for the text about a stream of a session that is compared: the same from the lake and from a
 * manifest. */
#define STATED \
	"machine_id || ' ' || session || ' ' || stream_name || ' ' || rows || ' ' || complete || " \
	"' seen ' || coalesce(seen::VARCHAR, '?') || ', written ' || coalesce(written::VARCHAR, " \
	"'?') || ', filtered ' || coalesce(filtered::VARCHAR, '?') || ', lost ' || " \
	"coalesce(lost::VARCHAR, '?')"

struct lake_checker {
	struct store *store;
	FILE *out;
	struct check_lake *ret;
	struct entries stated;  /* "machine session stream": rows, and the rest of STATED */
	struct entries found;   /* the same: rows in files */
	struct entries expired; /* the same: rows of days that have expired */
	struct compactions compactions;
	char missing[KEY_MAX]; /* the last session that was not found */
	/* Files of one stream to be read. */
	char stream[LAKE_PART_MAX];
	char *paths[BATCH];
	struct lake_name names[BATCH];
	size_t n;
};

static void fault(struct lake_checker *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void fault(struct lake_checker *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	shown__vline(c->out, format, args);
	va_end(args);
	c->ret->faults++;
}

/* ---- files ---- */

static void put_paths(FILE *sql, const struct lake_checker *c)
{
	for (size_t i = 0; i < c->n; i++) {
		fputs(i ? ", " : "[", sql);
		parquet_sql__text(sql, c->paths[i]);
	}
	fputc(']', sql);
}

/* Lines "index machine session rows first-day last-day" of each file, for files of rows. */
static void ask_rows(FILE *sql, const struct lake_checker *c)
{
	int stream = schema__find(c->stream);
	const char *time = schema_streams[stream].columns[0].name;

	fputs("SELECT (list_position(", sql);
	put_paths(sql, c);
	fprintf(sql,
		", lake_file) - 1) || ' ' || machine_id || ' ' || session || ' ' || count(*) || "
		"' ' || epoch_ns(min(\"%s\")) // 86400000000000 || ' ' || epoch_ns(max(\"%s\")) // "
		"86400000000000 FROM read_parquet(",
		time, time);
	put_paths(sql, c);
	fputs(", filename = 'lake_file', hive_partitioning = false, union_by_name = true) "
	      "GROUP BY lake_file, machine_id, session",
	      sql);
}

static void ask_sessions(FILE *sql, const struct lake_checker *c)
{
	fputs("SELECT " STATED " FROM read_parquet(", sql);
	put_paths(sql, c);
	fputs(", hive_partitioning = false, union_by_name = true)", sql);
}

/* A line of ask_rows(). */
static int take_rows(void *arg, const char *line)
{
	struct lake_checker *c = arg;
	char machine[LAKE_PART_MAX], session[LAKE_PART_MAX], key[KEY_MAX];
	int64_t first, last;
	uint64_t rows;
	size_t i;

	if (sscanf(line, "%zu %127s %127s %" SCNu64 " %" SCNd64 " %" SCNd64, &i, machine, session,
		   &rows, &first, &last) != 6 ||
	    i >= c->n)
		return store__explain(c->ret->why, -EBADMSG, "DuckDB's answer cannot be read");
	if (strcmp(c->names[i].machine, LAKE_ALL) &&
	    (strcmp(machine, c->names[i].machine) || strcmp(session, c->names[i].session)))
		fault(c, "%s: has rows of %s/%s", c->paths[i], machine, session);
	if (first != c->names[i].day || last != c->names[i].day)
		fault(c, "%s: has rows of another day", c->paths[i]);
	c->ret->rows += rows;
	snprintf(key, sizeof(key), "%s %s %s", machine, session, c->stream);
	return entries__add(&c->found, key, "", rows) ?
		       store__explain(c->ret->why, -ENOMEM, "out of memory") :
		       0;
}

/* A line of STATED. */
static bool parse_stated(const char *line, char key[KEY_MAX], uint64_t *ret_rows,
			 const char **ret_text)
{
	const char *at = line;
	char *end;

	for (int i = 0; i < 3 && at; i++)
		at = strchr(at + (i > 0), ' ');
	if (!at || at - line >= KEY_MAX)
		return false;
	memcpy(key, line, at - line);
	key[at - line] = 0;
	*ret_rows = strtoull(at + 1, &end, 10);
	*ret_text = *end == ' ' ? end + 1 : end;
	return end > at + 1;
}

static int take_stated(void *arg, const char *line)
{
	struct lake_checker *c = arg;
	const char *text;
	char key[KEY_MAX];
	uint64_t rows;

	if (!parse_stated(line, key, &rows, &text))
		return store__explain(c->ret->why, -EBADMSG, "DuckDB's answer cannot be read");
	return entries__add(&c->stated, key, text, rows) ?
		       store__explain(c->ret->why, -ENOMEM, "out of memory") :
		       0;
}

/* Asks QUESTION and calls TAKE for each line of the answer. */
static int ask(struct lake_checker *c, const char *question,
	       int (*take)(void *arg, const char *line))
{
	char why[DUCKDB_WHY_MAX] = "";
	int err = question__ask("", question, take, c, why);

	return err && *why ? store__explain(c->ret->why, err, why) : err;
}

/* Reads the files that have been collected. */
static int read_batch(struct lake_checker *c)
{
	bool sessions = !strcmp(c->stream, LAKE_SESSIONS);
	char *question = NULL;
	size_t size;
	FILE *sql = c->n ? open_memstream(&question, &size) : NULL;
	int err = c->n && !sql ? store__explain(c->ret->why, -ENOMEM, "out of memory") : 0;

	if (sql) {
		(sessions ? ask_sessions : ask_rows)(sql, c);
		fclose(sql);
		err = ask(c, question, sessions ? take_stated : take_rows);
	}
	free(question);
	for (size_t i = 0; i < c->n; i++)
		store__release(c->store, c->paths[i]);
	c->n = 0;
	return err;
}

static int check_listed(void *arg, const struct store_file *file)
{
	struct lake_checker *c = arg;
	struct lake_name name;
	int err = 0;

	if (file->temporary) {
		c->ret->leftovers++;
		return 0;
	}
	if (!lake_layout__parse(file->name, &name) ||
	    (strcmp(name.stream, LAKE_SESSIONS) && strcmp(name.stream, LAKE_COMPACTED) &&
	     schema__find(name.stream) < 0)) {
		fault(c, "%s: not a file of a lake", file->name);
		return 0;
	}
	if (!strcmp(name.stream, LAKE_COMPACTED))
		return 0;
	if (!compactions__counts(&c->compactions, file->name)) {
		c->ret->replaced++;
		return 0;
	}
	c->ret->files++;
	if (c->n == BATCH || strcmp(c->stream, name.stream))
		err = read_batch(c);
	if (err)
		return err;
	/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
	strcpy(c->stream, name.stream);
	err = store__fetch(c->store, file->name, &c->paths[c->n]);
	if (err)
		return store__explain(c->ret->why, err, store__why(c->store));
	c->names[c->n++] = name;
	return 0;
}

static int report_link(void *arg, const struct store_file *link)
{
	fault(arg, "%s: " STORE_LINK, link->name);
	return 0;
}

/* ---- sessions ---- */

/* Whether A and B have the same machine and session. */
static bool same_session(const char *a, const char *b)
{
	const char *end = strrchr(a, ' ');

	return !strncmp(a, b, end - a + 1);
}

/* An expired day has only its list. Adds the rows that it had, according to the list. */
static int add_expired(struct lake_checker *c)
{
	char key[KEY_MAX];
	struct lake_name name;
	int err = 0;

	for (size_t i = 0; i < c->compactions.replaced.n && !err; i++) {
		const struct entry *e = &c->compactions.replaced.at[i];

		if (!lake_layout__parse(e->key, &name) || !strcmp(name.stream, LAKE_SESSIONS) ||
		    compactions__has_rows(&c->compactions, name.day))
			continue;
		snprintf(key, sizeof(key), "%s %s %s", name.machine, name.session, name.stream);
		err = entries__add(&c->expired, key, "", e->n);
	}
	entries__unite(&c->expired);
	return err ? store__explain(c->ret->why, err, "out of memory") : 0;
}

static void compare(struct lake_checker *c)
{
	bool incomplete = false;

	entries__unite(&c->stated);
	entries__unite(&c->found);
	for (size_t i = 0; i < c->found.n; i++)
		if (!entries__find(&c->stated, c->found.at[i].key))
			fault(c,
			      "%s: %" PRIu64
			      " rows of a session that the lake does not know: was its "
			      "export interrupted?",
			      c->found.at[i].key, c->found.at[i].n);
	for (size_t i = 0; i < c->stated.n; i++) {
		const struct entry *s = &c->stated.at[i], *f = entries__find(&c->found, s->key),
				   *x = entries__find(&c->expired, s->key);
		uint64_t rows = (f ? f->n : 0) + (x ? x->n : 0);

		if (!i || !same_session(s->key, s[-1].key)) {
			c->ret->sessions++;
			incomplete = false;
		}

		if (s->seen > 1)
			fault(c, "%s: is stated %" PRIu64 " times", s->key, s->seen);
		else if (s->n != rows)
			fault(c, "%s: %" PRIu64 " rows, should be %" PRIu64, s->key, rows, s->n);
		if (!incomplete && !strncmp(s->text, "false", 5)) {
			incomplete = true;
			c->ret->incomplete++;
		}
	}
}

int check_lake__read(struct lake_checker **ret_checker, struct store *s, FILE *out,
		     struct check_lake *ret)
{
	struct lake_checker *c = calloc(1, sizeof(*c));
	int err;

	*ret_checker = c;
	memset(ret, 0, sizeof(*ret));
	if (!c) {
		snprintf(ret->why, sizeof(ret->why), "out of memory");
		return -ENOMEM;
	}
	c->store = s;
	c->out = out;
	c->ret = ret;
	err = compactions__read(s, NULL, &c->compactions, ret->why);
	if (!err)
		err = store__list(s, LAKE_TOP, check_listed, c) ?:
			      store__links(s, LAKE_TOP, report_link, c);
	if (err && !*ret->why)
		store__explain(c->ret->why, err, store__why(s));
	if (!err)
		err = read_batch(c);
	if (!err && !ret->files)
		err = store__explain(c->ret->why, -ENOENT,
				     "no files of a lake (" LAKE_TOP ") are there");
	if (!err)
		err = add_expired(c);
	if (!err)
		compare(c);
	return err;
}

/* A line of STATED, from a manifest. */
static int take_manifest(void *arg, const char *line)
{
	struct lake_checker *c = arg;
	const char *text;
	char key[KEY_MAX];
	struct entry *e;
	uint64_t rows;

	if (!parse_stated(line, key, &rows, &text))
		return store__explain(c->ret->why, -EBADMSG, "DuckDB's answer cannot be read");
	e = entries__find(&c->stated, key);
	if (!e && (!*c->missing || !same_session(key, c->missing))) {
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(c->missing, key);
		*strrchr(key, ' ') = 0;
		fault(c, "%s: not in the lake", key);
	} else if (!e) {
		return 0; /* another stream of that session */
	} else if (e->n != rows || strcmp(e->text, text)) {
		fault(c,
		      "%s: the lake has %" PRIu64 " rows, %s; the manifest says %" PRIu64
		      " rows, %s",
		      key, e->n, e->text, rows, text);
	}
	return 0;
}

int check_lake__session(struct lake_checker *c, const struct session_reader *r,
			struct check_lake *ret)
{
	char *question = NULL;
	size_t size;
	FILE *sql = open_memstream(&question, &size);
	int err;

	c->ret = ret;
	if (!sql)
		return store__explain(c->ret->why, -ENOMEM, "out of memory");
	fputs("SELECT " STATED " FROM (", sql);
	session_row__select(sql, r);
	fputc(')', sql);
	fclose(sql);
	err = ask(c, question, take_manifest);
	free(question);
	return err;
}

struct lake_checker *check_lake__free(struct lake_checker *c)
{
	if (c) {
		for (size_t i = 0; i < c->n; i++)
			store__release(c->store, c->paths[i]);
		entries__clear(&c->stated);
		entries__clear(&c->found);
		entries__clear(&c->expired);
		compactions__clear(&c->compactions);
	}
	free(c);
	return NULL;
}
