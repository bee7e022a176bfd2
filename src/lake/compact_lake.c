// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/compact_lake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "dataset/session.h"
#include "export/parquet_sql.h"
#include "lake/compactions.h"
#include "lake/question.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define TARGET_BYTES (UINT64_C(256) << 20)
#define INPUTS_MAX 1024 /* files merged into one */
#define STATES_MAX 256  /* files of `sessions` that one query reads */
#define SETTLE_S 10
#define DAY_S 86400

struct input {
	char *name;
	char *path; /* a local copy, while it is merged */
	uint64_t size, rows;
};

struct compaction {
	struct store *store;
	struct compact_lake *ret;
	int64_t day;
	char id[LAKE_PART_MAX]; /* part of the new files' names */
	unsigned int n_files;   /* of the stream, so far */
	struct compactions before, after;
	struct entries known; /* MACHINE/SESSION in `sessions`; text: its file, or "" if it ended */
	struct entries running; /* MACHINE/SESSION */
	const char *stream;
	struct input *inputs; /* of a stream */
	size_t n, capacity;
	bool same; /* a new file has the rows of its inputs */
};

static int no_memory(struct compaction *c)
{
	return store__explain(c->ret->why, -ENOMEM, "out of memory");
}

static int64_t now_s(void)
{
	return (int64_t)(clock__real_ns() / NSEC_PER_SEC);
}

static int list_files(struct compaction *c, const char *prefix,
		      int (*on_file)(void *arg, const struct store_file *file))
{
	int err = store__list(c->store, prefix, on_file, c);

	return err && !*c->ret->why ? store__explain(c->ret->why, err, store__why(c->store)) : err;
}

/* Lists the files of STREAM on the day. */
static int list_day(struct compaction *c, const char *stream,
		    int (*on_file)(void *arg, const struct store_file *file))
{
	char prefix[STORE_NAME_MAX], date[LAKE_DATE_SIZE];

	lake_layout__date(date, c->day);
	snprintf(prefix, sizeof(prefix), LAKE_TOP "stream=%s/date=%s/", stream, date);
	c->stream = stream;
	return list_files(c, prefix, on_file);
}

/* ---- which sessions have ended ---- */

static int note_session(struct compaction *c, const char *name, bool ended)
{
	char key[LAKE_KEY_MAX];
	struct lake_name parsed;

	if (!lake_layout__parse(name, &parsed) || strcmp(parsed.stream, LAKE_SESSIONS) ||
	    !strcmp(parsed.machine, LAKE_ALL))
		return 0;
	lake_layout__key(&parsed, key);
	return entries__add(&c->known, key, ended ? "" : name, 1) ? no_memory(c) : 0;
}

static int note_listed_session(void *arg, const struct store_file *file)
{
	struct compaction *c = arg;

	return file->temporary || !compactions__counts(&c->before, file->name) ?
		       0 :
		       note_session(c, file->name, false);
}

/* Finds all sessions of the lake. A session whose row has been compacted has ended. To be called
 * before files of rows are listed: then all files of a known session are listed. */
static int find_known(struct compaction *c)
{
	int err = 0;

	for (size_t i = 0; i < c->before.replaced.n && !err; i++)
		err = note_session(c, c->before.replaced.at[i].key, true);
	if (!err)
		err = list_files(c, LAKE_TOP "stream=" LAKE_SESSIONS "/", note_listed_session);
	entries__unite(&c->known);
	return err;
}

static int on_running(void *arg, const char *line)
{
	struct compaction *c = arg;

	return entries__add(&c->running, line, "", 1);
}

/* Finds out which of N files of `sessions` are of sessions that were being recorded. */
static int ask_states(struct compaction *c, char **paths, size_t n)
{
	char *question = NULL, why[DUCKDB_WHY_MAX] = "";
	size_t size;
	FILE *sql = open_memstream(&question, &size);
	int err;

	if (!sql)
		return no_memory(c);
	fputs("SELECT DISTINCT machine_id || '/' || session FROM read_parquet([", sql);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", sql);
		parquet_sql__text(sql, paths[i]);
	}
	fputs("], hive_partitioning = false, union_by_name = true) WHERE state = 'running'", sql);
	fclose(sql);
	err = question__ask("", question, on_running, c, why);
	free(question);
	return err ? store__explain(c->ret->why, err, *why ? why : strerror(-err)) : 0;
}

/* Reads the state of the sessions that have files on this day. */
static int find_running(struct compaction *c)
{
	char *paths[STATES_MAX];
	size_t n = 0, at = 0;
	int err = 0;

	for (; at <= c->known.n && !err; at++) {
		const struct entry *e = &c->known.at[at];

		if (n == STATES_MAX || (at == c->known.n && n)) {
			err = ask_states(c, paths, n);
			while (n)
				store__release(c->store, paths[--n]);
		}
		if (err || at == c->known.n || e->seen < 2 || !*e->text)
			continue;
		err = store__fetch(c->store, e->text, &paths[n]);
		if (err)
			store__explain(c->ret->why, err, store__why(c->store));
		else
			n++;
	}
	while (n)
		store__release(c->store, paths[--n]);
	entries__unite(&c->running);
	return err;
}

static int on_of_day(void *arg, const struct store_file *file)
{
	char key[LAKE_KEY_MAX];
	struct compaction *c = arg;
	struct lake_name name;
	struct entry *e;

	if (!file->temporary && lake_layout__parse(file->name, &name)) {
		lake_layout__key(&name, key);
		e = entries__find(&c->known, key);
		if (e)
			e->seen = 2;
	}
	return 0;
}

/* ---- files to merge ---- */

static int on_input(void *arg, const struct store_file *file)
{
	char key[LAKE_KEY_MAX];
	struct compaction *c = arg;
	struct lake_name name;
	struct input *more;

	if (file->temporary || !lake_layout__parse(file->name, &name) ||
	    !compactions__counts(&c->before, file->name))
		return 0;
	lake_layout__key(&name, key);
	if (strcmp(name.machine, LAKE_ALL) ?
		    !entries__find(&c->known, key) || entries__find(&c->running, key) :
		    file->size > TARGET_BYTES / 2)
		return 0;
	more = array__grow(c->inputs, c->n, &c->capacity, sizeof(*more));
	if (!more)
		return no_memory(c);
	c->inputs = more;
	c->inputs[c->n] = (struct input){ .name = strdup(file->name), .size = file->size };
	return c->inputs[c->n].name ? (c->n++, 0) : no_memory(c);
}

/* ---- merge ---- */

static void put_inputs(FILE *sql, const struct input *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "[", sql);
		parquet_sql__text(sql, in[i].path);
	}
	fputc(']', sql);
}

static void put_sum(FILE *sql, const struct input *in, size_t n, const char *path)
{
	fputs("(SELECT count(*) || ' ' || sum(hash(t)::HUGEINT) FROM read_parquet(", sql);
	if (path)
		parquet_sql__text(sql, path);
	else
		put_inputs(sql, in, n);
	fputs(", hive_partitioning = false, union_by_name = true) AS t)", sql);
}

/* Rows keep their order: by machine, session and time, like the names of their files. */
static void put_merge(FILE *sql, const struct input *in, size_t n, const char *path)
{
	fputs("COPY (SELECT * FROM read_parquet(", sql);
	put_inputs(sql, in, n);
	fputs(", hive_partitioning = false, union_by_name = true)) TO ", sql);
	parquet_sql__text(sql, path);
	fprintf(sql,
		" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE false);\n",
		PARQUET_ROW_GROUP);
}

/* Lines "index rows" of each input, and "same" if the new file has their rows. */
static void put_check(FILE *sql, const struct input *in, size_t n, const char *path)
{
	fputs("SELECT (list_position(", sql);
	put_inputs(sql, in, n);
	fputs(", file_name) - 1) || ' ' || num_rows FROM parquet_file_metadata(", sql);
	put_inputs(sql, in, n);
	fputs(") UNION ALL SELECT 'same' WHERE ", sql);
	put_sum(sql, in, n, NULL);
	fputs(" = ", sql);
	put_sum(sql, in, n, path);
}

static int on_checked(void *arg, const char *line)
{
	struct compaction *c = arg;
	uint64_t rows;
	size_t i;

	if (!strcmp(line, "same"))
		c->same = true;
	else if (sscanf(line, "%zu %" SCNu64, &i, &rows) == 2 && i < c->n)
		c->inputs[i].rows = rows;
	else
		return -EBADMSG;
	return 0;
}

/* Writes the rows of N inputs to PATH, and gets how many rows each has. */
static int write_merged(struct compaction *c, struct input *in, size_t n, const char *path)
{
	char *sql = NULL, *question = NULL, why[DUCKDB_WHY_MAX] = "";
	struct compaction part = { .inputs = in, .n = n };
	size_t size;
	FILE *copy = open_memstream(&sql, &size), *check = open_memstream(&question, &size);
	int err = copy && check ? 0 : no_memory(c);

	if (copy) {
		put_merge(copy, in, n, path);
		fclose(copy);
	}
	if (check) {
		put_check(check, in, n, path);
		fclose(check);
	}
	if (!err) {
		err = question__ask(sql, question, on_checked, &part, why);
		if (err)
			store__explain(c->ret->why, err, *why ? why : strerror(-err));
		else if (!part.same)
			err = store__explain(c->ret->why, -EBADMSG,
					     "the merged file has not the rows of its inputs");
	}
	free(sql);
	free(question);
	return err;
}

/* Adds the merge of N inputs into NAME to the day's new list. */
static int note_merged(struct compaction *c, const struct input *in, size_t n, const char *name)
{
	uint64_t rows = 0;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		rows += in[i].rows;
		c->ret->merged_bytes += in[i].size;
		/* A file in machine=all counts only if a list has it. */
		if (!strstr(in[i].name, "/machine=" LAKE_ALL "/"))
			err = entries__add(&c->after.replaced, in[i].name, "", in[i].rows);
	}
	if (!err)
		err = entries__add(&c->after.added, name, "", rows);
	c->ret->merged += n;
	c->ret->files++;
	c->ret->rows += rows;
	return err ? no_memory(c) : 0;
}

static int merge(struct compaction *c, struct input *in, size_t n)
{
	char name[STORE_NAME_MAX], *path = NULL;
	struct stat st;
	int err = 0;

	lake_layout__name(name, c->stream, c->day, LAKE_ALL, c->id,
			  strcmp(c->stream, LAKE_SESSIONS) ? ++c->n_files : 0);
	for (size_t i = 0; i < n && !err; i++)
		err = store__fetch(c->store, in[i].name, &in[i].path);
	if (!err)
		err = store__stage(c->store, name, &path);
	if (err)
		store__explain(c->ret->why, err, store__why(c->store));
	else
		err = write_merged(c, in, n, path);
	for (size_t i = 0; i < n; i++) {
		store__release(c->store, in[i].path);
		in[i].path = NULL;
	}
	if (!err) {
		c->ret->bytes += stat(path, &st) ? 0 : (uint64_t)st.st_size;
		err = store__publish(c->store, name, path);
		path = NULL;
		if (err)
			store__explain(c->ret->why, err, store__why(c->store));
	}
	store__drop(c->store, path);
	return err ?: note_merged(c, in, n, name);
}

/* Copies entries to the new list: files that have been replaced, and added files that are not
 * merged again. */
static int keep(struct compaction *c)
{
	int err = 0;

	for (size_t i = 0; i < c->before.replaced.n && !err; i++)
		err = entries__add(&c->after.replaced, c->before.replaced.at[i].key, "",
				   c->before.replaced.at[i].n);
	for (size_t i = 0; i < c->before.added.n && !err; i++)
		if (c->before.added.at[i].seen)
			err = entries__add(&c->after.added, c->before.added.at[i].key, "",
					   c->before.added.at[i].n);
	return err ? no_memory(c) : 0;
}

/* Whether input I brings a merge of N inputs, BYTES in all, nearer to the size of a file. */
static bool fits(const struct compaction *c, size_t i, size_t n, uint64_t bytes)
{
	return n < INPUTS_MAX && bytes + c->inputs[i].size / 2 < TARGET_BYTES;
}

/* Merges the inputs of one stream. If none of them is new, merging would gain nothing. */
static int merge_stream(struct compaction *c)
{
	bool once = !strcmp(c->stream, LAKE_SESSIONS), fresh = false;
	int err = 0;

	for (size_t i = 0; i < c->n; i++)
		fresh |= !strstr(c->inputs[i].name, "/machine=" LAKE_ALL "/");
	if (c->n < 2 || !fresh)
		return 0;
	for (size_t i = 0, n; i < c->n && !err; i += n) {
		uint64_t bytes = c->inputs[i].size;

		for (n = 1; i + n < c->n && (once || fits(c, i + n, n, bytes)); n++)
			bytes += c->inputs[i + n].size;
		err = merge(c, c->inputs + i, n);
		for (size_t k = i; k < i + n; k++) {
			struct entry *e = entries__find(&c->before.added, c->inputs[k].name);

			if (e)
				e->seen = 0;
		}
	}
	return err;
}

static int compact_stream(struct compaction *c, const char *stream)
{
	int err = list_day(c, stream, on_input);

	c->n_files = 0;
	if (!err)
		err = merge_stream(c);
	while (c->n)
		free(c->inputs[--c->n].name);
	return err;
}

/* ---- publishing the list ---- */

/* Checks that the list of the day is still the one that was read. */
static int check_unchanged(struct compaction *c)
{
	struct compactions now;
	int err = compactions__read(c->store, &c->day, &now, c->ret->why);
	bool same = !err;

	for (size_t i = 0; i < now.added.n && same; i++)
		same = entries__find(&c->before.added, now.added.at[i].key) != NULL;
	same = same &&
	       compactions__written(&now, c->day) == compactions__written(&c->before, c->day);
	compactions__clear(&now);
	return err          ?:
		       same ? 0 :
			      store__explain(c->ret->why, -EAGAIN,
					     "another process has compacted this day meanwhile");
}

static int commit(struct compaction *c, uint64_t grace_s)
{
	int err = keep(c);

	/* A reader that listed the files before may be reading the day's list now. */
	clock__sleep((grace_s < SETTLE_S ? grace_s : SETTLE_S) * NSEC_PER_SEC);
	if (!err)
		err = check_unchanged(c);
	return err ?: compactions__write(c->store, c->day, &c->after, c->ret->why);
}

/* ---- removing replaced files ---- */

int compact_lake__clear(struct store *s, struct compactions *c, const struct store_file *file,
			int64_t day, uint64_t grace_s, bool *ret)
{
	int64_t written = compactions__written(c, day), before = now_s() - (int64_t)grace_s;

	/* A file that no list has may belong to a compaction in progress. */
	*ret = written <= before &&
	       (entries__find(&c->replaced, file->name) || file->modified < before - DAY_S);
	return *ret ? store__remove(s, file->name) : 0;
}

struct clearing {
	struct compaction *c;
	struct compactions now;
	uint64_t grace_s;
};

static int on_replaced(void *arg, const struct store_file *file)
{
	struct clearing *k = arg;
	struct compaction *c = k->c;
	bool gone;
	int err;

	if (file->temporary || compactions__counts(&k->now, file->name))
		return 0;
	if (!k->grace_s && entries__find(&c->before.added, file->name)) {
		gone = true; /* it has just been merged again */
		err = store__remove(c->store, file->name);
	} else {
		err = compact_lake__clear(c->store, &k->now, file, c->day, k->grace_s, &gone);
	}
	if (err)
		return store__explain(c->ret->why, err, store__why(c->store));
	c->ret->removed += gone;
	c->ret->waiting += !gone;
	return 0;
}

static int clear(struct compaction *c, const char *stream, struct clearing *k)
{
	char prefix[STORE_NAME_MAX], date[LAKE_DATE_SIZE];
	int err;

	lake_layout__date(date, c->day);
	snprintf(prefix, sizeof(prefix), LAKE_TOP "stream=%s/date=%s/", stream, date);
	err = store__list(c->store, prefix, on_replaced, k);
	return err && !*c->ret->why ? store__explain(c->ret->why, err, store__why(c->store)) : err;
}

static int for_all(struct compaction *c, int (*each)(struct compaction *c, const char *stream))
{
	int err = each(c, LAKE_SESSIONS);

	for (int i = 0; i < STREAM_COUNT && !err; i++)
		err = each(c, schema_streams[i].key);
	return err;
}

static int remove_replaced(struct compaction *c, uint64_t grace_s)
{
	struct clearing k = { .c = c, .grace_s = grace_s };
	int err = compactions__read(c->store, &c->day, &k.now, c->ret->why);

	if (!err)
		err = clear(c, LAKE_SESSIONS, &k);
	for (int i = 0; i < STREAM_COUNT && !err; i++)
		err = clear(c, schema_streams[i].key, &k);
	compactions__clear(&k.now);
	return err;
}

/* ---- all ---- */

static int note_day(struct compaction *c, const char *stream)
{
	return list_day(c, stream, on_of_day);
}

static void name_it(struct compaction *c)
{
	uint64_t now = clock__real_ns();
	struct timespec t = { .tv_sec = (time_t)(now / NSEC_PER_SEC),
			      .tv_nsec = (long)(now % NSEC_PER_SEC) };
	char stamp[STAMP_SIZE];

	session__stamp(stamp, &t);
	snprintf(c->id, sizeof(c->id), "%s_%" PRIx32, stamp,
		 (uint32_t)(now ^ (uint64_t)getpid() << 16));
}

int compact_lake(struct store *s, int64_t day, uint64_t grace_s, struct compact_lake *ret)
{
	struct compaction c = { .store = s, .ret = ret, .day = day };
	int err;

	memset(ret, 0, sizeof(*ret));
	name_it(&c);
	err = compactions__begin(s, ret->why);
	if (!err)
		err = compactions__read(s, NULL, &c.before, ret->why);
	if (!err)
		err = find_known(&c);
	if (!err)
		err = for_all(&c, note_day);
	if (!err)
		err = find_running(&c);
	if (!err)
		err = for_all(&c, compact_stream);
	if (!err && ret->files)
		err = commit(&c, grace_s);
	if (!err)
		err = remove_replaced(&c, grace_s);
	compactions__clear(&c.before);
	compactions__clear(&c.after);
	entries__clear(&c.known);
	entries__clear(&c.running);
	free(c.inputs);
	return err;
}
