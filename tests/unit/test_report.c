// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"
#include "report/figures_rows.h"
#include "report/names.h"
#include "report/page.h"
#include "schema/schema.h"

TestSuite(report, .timeout = 60);

/* ---- samples ---- */

static void add_number(struct sample *s, uint64_t i)
{
	struct sampled row = { .mono_ns = i * 1000, .priority = sample__priority(i * 1000, 7, 0) };

	if (sample__wants(s, row.priority))
		cr_assert_eq(sample__add(s, &row), 0);
}

Test(report, sample_is_same_in_any_order_and_any_number_of_parts)
{
	enum { ROWS = 50000, MAX = 1000, PARTS = 3 };
	struct sample all, parts[PARTS];

	sample__begin(&all, MAX);
	for (int i = 0; i < PARTS; i++)
		sample__begin(&parts[i], MAX);
	for (uint64_t i = 0; i < ROWS; i++) {
		add_number(&all, i);
		add_number(&parts[i % 7 % PARTS], ROWS - 1 - i);
	}
	for (int i = 1; i < PARTS; i++)
		cr_assert_eq(sample__merge(&parts[0], &parts[i]), 0);
	sample__finish(&all, MAX);
	sample__finish(&parts[0], MAX);
	cr_assert_eq(all.n, (size_t)MAX);
	cr_assert_eq(parts[0].n, (size_t)MAX);
	for (size_t i = 0; i < MAX; i++)
		cr_assert_eq(all.rows[i].mono_ns, parts[0].rows[i].mono_ns);
	sample__clear(&all);
	for (int i = 0; i < PARTS; i++)
		sample__clear(&parts[i]);
}

Test(report, sample_is_uniform)
{
	enum { ROWS = 100000, MAX = 10000, TENTHS = 10 };
	unsigned int in[TENTHS] = { 0 };
	struct sample s;

	sample__begin(&s, MAX);
	for (uint64_t i = 0; i < ROWS; i++)
		add_number(&s, i);
	sample__finish(&s, MAX);
	for (size_t i = 0; i < s.n; i++)
		in[s.rows[i].mono_ns / 1000 * TENTHS / ROWS]++;
	/* 1,000 each, of a standard deviation of 30. */
	for (int i = 0; i < TENTHS; i++)
		cr_assert(in[i] > 850 && in[i] < 1150, "%u in tenth %d", in[i], i);
	sample__clear(&s);
}

/* ---- time ---- */

Test(report, timeline_has_nice_widths_and_keeps_counts_when_it_widens)
{
	struct timeline *t = calloc(1, sizeof(*t)), *u = calloc(1, sizeof(*u));
	uint64_t sum = 0;

	timeline__begin(t, 5000000000, 5000000000 + UINT64_C(61) * 1000000000);
	timeline__begin(u, 5000000000, 5000000000 + UINT64_C(61) * 1000000000);
	cr_assert_eq(t->width_ns, UINT64_C(200000000)); /* 61 s / 600 = 0.102 s */
	cr_assert_eq(timeline__bin(t, 0), 0u);
	cr_assert_eq(timeline__bin(t, 5199999999), 0u);
	cr_assert_eq(timeline__bin(t, 5200000000), 1u);
	for (unsigned int i = 0; i < TIMELINE_BINS; i++)
		t->bins[i][CHANNEL_FS_READ] = i;
	t->grids[CHANNEL_FS_READ][255][3] = 4;
	u->bins[9][CHANNEL_FS_READ] = 5;
	/* 1,024 bins of 0.2 s end after 204.8 s. */
	cr_assert_eq(timeline__bin(t, 5000000000 + UINT64_C(204800000000)), 512u);
	cr_assert_eq(t->width_ns, UINT64_C(400000000));
	cr_assert_eq(t->bins[100][CHANNEL_FS_READ], 401u); /* 200 and 201 */
	cr_assert_eq(t->grids[CHANNEL_FS_READ][127][3], 4u);
	timeline__merge(t, u);
	cr_assert_eq(t->bins[4][CHANNEL_FS_READ], 17u + 5u); /* 8 and 9, and 5 */
	for (unsigned int i = 0; i < TIMELINE_BINS; i++)
		sum += t->bins[i][CHANNEL_FS_READ];
	cr_assert_eq(sum, TIMELINE_BINS * (TIMELINE_BINS - 1) / 2 + 5u);
	free(t);
	free(u);
}

Test(report, grid_rows_are_half_powers_of_two)
{
	cr_assert_eq(timeline__row(0), 0u);
	cr_assert_eq(timeline__row(191), 0u);
	cr_assert_eq(timeline__row(192), 1u); /* 1.5 * 128 */
	cr_assert_eq(timeline__row(256), 2u);
	cr_assert_eq(timeline__row(1 << 20), 26u);
	cr_assert_eq(timeline__row(UINT64_MAX), TIMELINE_ROWS - 1u);
}

/* ---- rows ---- */

/* Adds a row of STREAM, given as "column=value column=value". */
static void take(struct figures *f, enum stream stream, const char *text)
{
	const struct stream_schema *schema = &schema_streams[stream];
	struct row_field fields[ROW_FIELDS_MAX];
	char copy[512], *word, *rest;

	for (size_t i = 0; i < schema->n_columns; i++)
		fields[i] = (struct row_field){ .s = "" };
	snprintf(copy, sizeof(copy), "%s", text);
	for (word = strtok_r(copy, ";", &rest); word; word = strtok_r(NULL, ";", &rest)) {
		char *value = strchr(word, '=');
		size_t i = 0;

		*value++ = '\0';
		while (strcmp(schema->columns[i].name, word)) {
			i++;
			cr_assert_lt(i, schema->n_columns, "no column %s", word);
		}
		fields[i] = (struct row_field){ value, strlen(value) };
	}
	cr_assert_eq(figures__row(f, stream, fields), 0);
}

static const struct group *find(const struct figures *f, enum figures_table table, const char *key,
				size_t len)
{
	const struct groups *g = f->tables[table].groups;

	for (size_t i = 0; i < groups__count(g); i++)
		if (groups__get(g, i)->key_len == len && !memcmp(groups__get(g, i)->key, key, len))
			return groups__get(g, i);
	return NULL;
}

#define FIND(f, table, key) find(f, table, key, strlen(key))

static struct figures *some_rows(void)
{
	struct figures *f;

	cr_assert_eq(figures__new(&f, 1000, 2000), 0);
	take(f, STREAM_FS,
	     "operation=process_fork;pid=5;tid=5;command=sh;return_value=6;mono_ns=1100");
	take(f, STREAM_FS,
	     "operation=read;pid=6;tid=6;ppid=5;command=cat;filename=/d/f;offset=0;bytes_completed=8192;"
	     "duration_ns=700;device=8:1;fs_type=ext4;container_id=3;mono_ns=1200");
	take(f, STREAM_FS,
	     "operation=rename;pid=6;tid=7;command=io;filename=/d/f -> /e/g;errno=EXDEV;duration_ns=9;"
	     "mono_ns=1300");
	take(f, STREAM_BLOCK,
	     "operation=write;pid=1;sector=8;size=4096;latency_ms=0.250001;device=8:0;"
	     "flags=sync|error=EIO;request_id=1;mono_ns=1400");
	take(f, STREAM_CACHE, "event_type=MISS;pid=6;count=4;device_id=8388609;mono_ns=1500");
	take(f, STREAM_NW_CONN,
	     "event_type=CONNECT;pid=6;tid=6;command=cat;remote_addr=::1;dport=80;return_value=-111;"
	     "latency_ns=5;mono_ns=1600");
	take(f, STREAM_EXTENT,
	     "operation=write;kind=data;size=8192;filename=/l/f;overlay_filename=/d/f;command=cat;"
	     "cause=fsync;age_ms=0.002000;mono_ns=1650");
	take(f, STREAM_EXTENT,
	     "operation=write;kind=data;size=4096;filename=/d/f;command=dd;cause=fsync;age_ms=0.001000;"
	     "mono_ns=1640");
	take(f, STREAM_EXTENT,
	     "operation=read;kind=readahead;size=4096;filename=/d/f;mono_ns=1660");
	take(f, STREAM_EXTENT,
	     "operation=write;kind=journal;size=512;command=jbd2/8:1;mono_ns=1660");
	take(f, STREAM_LOST, "stream=fs;cause=ring;count=12;mono_ns=1700");
	take(f, STREAM_LOST, "stream=fs;cause=compression;count=9;mono_ns=1700");
	return f;
}

/* A file of an overlay has the name that rows of fs have. */
static void check_disks(const struct figures *f, uint64_t times)
{
	const struct disk_file_group *file = FIND(f, TABLE_DISK_FILES, "/d/f")->value;
	const struct disk_owner_group *own = FIND(f, TABLE_DISK_OWNERS, "data/fsync/cat")->value;
	const struct disk_owner_group *log = FIND(f, TABLE_DISK_OWNERS, "journal//jbd2/8:1")->value;

	cr_assert_eq(groups__count(f->tables[TABLE_DISK_FILES].groups), 1u);
	cr_assert_eq(file->totals.written, 12288 * times);
	cr_assert_eq(file->totals.read, 4096 * times);
	cr_assert_eq(file->ahead, 4096 * times);
	cr_assert_eq(file->oldest_ns, 2000u);
	cr_assert_str_eq(file->command.text, "dd"); /* the first in time */
	cr_assert(file->command.others);
	cr_assert_str_eq(file->cause.text, "fsync");
	cr_assert(!file->cause.others); /* reads do not count */
	cr_assert_eq(own->totals.written, 8192 * times);
	cr_assert_eq(own->totals.parts, times);
	cr_assert_eq(log->totals.written, 512 * times);
	cr_assert_eq(f->time.bins[0][CHANNEL_EXTENT_DATA], 12288 * times);
	cr_assert_eq(f->time.bins[0][CHANNEL_EXTENT_JOURNAL], 512 * times);
}

static void check_rows(const struct figures *f, uint64_t times)
{
	uint64_t six = 6;
	const struct process_group *p = find(f, TABLE_PROCESSES, (char *)&six, sizeof(six))->value;
	const struct file_group *file = FIND(f, TABLE_FILES, "/d/f")->value;
	const struct plain_group *directory = FIND(f, TABLE_DIRECTORIES, "/d")->value;
	const struct device_group *disk = FIND(f, TABLE_DISKS, "8:0")->value;
	const struct error_group *error = FIND(f, TABLE_ERRORS, "rename/EXDEV")->value;
	const struct peer_group *peer = FIND(f, TABLE_PEERS, "CONNECT/::1/80")->value;
	const uint64_t *bins = f->time.bins[0];

	check_disks(f, times);
	cr_assert_eq(p->totals.rows, 2 * times);
	cr_assert_eq(p->totals.bytes_read, 8192 * times);
	cr_assert_eq(p->forked_ns, 1100u);
	cr_assert_eq(p->totals.last_ns, 1300u);
	cr_assert_str_eq(p->command, "cat"); /* a thread's other name is not the process's */
	cr_assert_eq(file->totals.reads, times);
	cr_assert_eq(file->device, 8u << 20 | 1);
	cr_assert_eq(directory->totals.rows, 2 * times); /* the first of two paths counts */
	cr_assert_eq(disk->totals.ns, 250001 * times);
	cr_assert_eq(disk->totals.failed, times);
	cr_assert_str_eq(error->filename, "/d/f -> /e/g");
	cr_assert_eq(peer->failed, times);
	cr_assert(FIND(f, TABLE_ERRORS, "write/EIO"));
	cr_assert_eq(bins[CHANNEL_CACHE_MISS], 4 * times);
	cr_assert_eq(bins[CHANNEL_LOST], 12 * times);
	cr_assert_eq(bins[CHANNEL_FS_META], times);
	cr_assert_eq(f->sizes[SIZE_READ][14], times);              /* 2^13 and more */
	cr_assert_eq(f->time.grids[CHANNEL_FS_READ][0][4], times); /* 512 to 767 ns */
}

Test(report, rows_are_counted)
{
	struct figures *f = some_rows();

	check_rows(f, 1);
	figures__free(f);
}

Test(report, figures_of_two_threads_add_up)
{
	struct figures *f = some_rows(), *g = some_rows();

	cr_assert_eq(figures__merge(f, g), 0);
	check_rows(f, 2);
	figures__free(f);
	figures__free(g);
}

Test(report, odd_fields_do_no_harm)
{
	static const char *const values[] = {
		"", "-1", "99999999999999999999999", "x", ":", "1:", "/", " -> ", ".", "error=", "|"
	};
	struct figures *f;

	cr_assert_eq(figures__new(&f, 0, 0), 0);
	for (int stream = 0; stream < STREAM_COUNT; stream++)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			struct row_field fields[ROW_FIELDS_MAX];

			for (size_t i = 0; i < schema_streams[stream].n_columns; i++)
				fields[i] =
					(struct row_field){ (char *)values[v], strlen(values[v]) };
			cr_assert_eq(figures__row(f, stream, fields), 0);
		}
	figures__free(f);
}

/* ---- names ---- */

static void check_name(json_t *(*as)(struct report_names *, const char *, size_t), const char *s,
		       bool anonymous, const char *want)
{
	struct report_names *n;
	json_t *json;

	cr_assert_eq(report_names__new(&n, anonymous), 0);
	json = as(n, s, strlen(s));
	if (want)
		cr_assert_str_eq(json_string_value(json), want);
	else
		cr_assert(!strstr(json_string_value(json), "secret"), "%s",
			  json_string_value(json));
	json_decref(json);
	report_names__free(n);
}

Test(report, names_stay_or_become_tokens)
{
	check_name(report_names__path, "/secret/a\\x0ab", false, "/secret/a\\x0ab");
	check_name(report_names__path, "/secret/a -> /b/secret", false, "/secret/a -> /b/secret");
	check_name(report_names__path, "/secret/a -> /b/secret", true, NULL);
	check_name(report_names__path, "memfd:secret", true, NULL);
	check_name(report_names__path, "/\\x73ecret", true, NULL);
	check_name(report_names__name, "secret", true, NULL);
	check_name(report_names__arguments, "cat /secret --secret=secret", true, NULL);
	check_name(report_names__address, "127.0.0.1", true, "127.0.0.1");
	check_name(report_names__address, "/run/secret.sock", true, NULL);
}

Test(report, long_names_lack_their_middle)
{
	static char name[4096];
	struct report_names *n;
	const char *s;
	json_t *json;

	memset(name, 'x', sizeof(name) - 1);
	memcpy(name + 189, "\xc3\xbc", 2);
	memcpy(name + sizeof(name) - 1 - 191, "\xc3\xbc", 2);
	cr_assert_eq(report_names__new(&n, false), 0);
	json = report_names__path(n, name, sizeof(name) - 1);
	s = json_string_value(json);
	cr_assert_not_null(s);
	/* 189 and 189 bytes: no character is cut in two. */
	cr_assert_eq(strspn(s, "x"), 189u);
	cr_assert_eq(strncmp(s + 189, "\xe2\x80\xa6", 3), 0);
	cr_assert_eq(strlen(s), 189u + 3 + 189u);
	json_decref(json);
	report_names__free(n);
}

/* ---- the page ---- */

Test(report, no_name_ends_the_data)
{
	static const char hostile[] = "</script><script>alert(1)</script><!-- & \" ' \xe2\x80\xa8";
	json_t *data = json_pack("{s:s}", "name", hostile), *again;
	size_t len;
	char *text = page__json(data, &len), *page;

	cr_assert_eq(strlen(text), len);
	cr_assert_eq(strcspn(text, "<>&"), len);
	again = json_loads(text, 0, NULL);
	cr_assert_str_eq(json_string_value(json_object_get(again, "name")), hostile);
	page = page__make(data, &len);
	cr_assert_eq(strlen(page), len);
	cr_assert(!strstr(page, "alert(1)</"));
	json_decref(data);
	json_decref(again);
	free(text);
	free(page);
}
