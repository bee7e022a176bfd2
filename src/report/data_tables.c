// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/data_tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "report/figure_row.h"
#include "schema/schema.h"

/* Maximum rows of a table: by weight, and in addition by time. */
#define BY_WEIGHT 320
#define BY_TIME 80
#define DISKS_MAX 254
#define PLACES 4096 /* a power of two, more than twice as many */

struct data_places {
	struct table_place {
		uint64_t key;
		uint16_t row;
	} files[PLACES], processes[PLACES];
	uint32_t disks[DISKS_MAX];
};

static void put_place(struct table_place *places, uint64_t key, uint16_t row)
{
	size_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 52 & (PLACES - 1);

	while (places[at].row)
		at = (at + 1) & (PLACES - 1);
	places[at] = (struct table_place){ key, row };
}

static uint16_t place_of(const struct table_place *places, uint64_t key)
{
	size_t at = key * UINT64_C(0x9e3779b97f4a7c15) >> 52 & (PLACES - 1);

	while (places[at].row && places[at].key != key)
		at = (at + 1) & (PLACES - 1);
	return places[at].row;
}

uint16_t data_places__file(const struct data_places *p, uint64_t name)
{
	return name ? place_of(p->files, name) : 0;
}

uint16_t data_places__process(const struct data_places *p, uint64_t pid)
{
	return place_of(p->processes, pid);
}

uint8_t data_places__disk(const struct data_places *p, uint32_t device)
{
	for (unsigned int i = 0; device && i < DISKS_MAX; i++)
		if (p->disks[i] == device)
			return i + 1;
	return 0;
}

struct data_places *data_places__free(struct data_places *p)
{
	free(p);
	return NULL;
}

/* ---- which rows ---- */

static int by_key(const struct group *a, const struct group *b)
{
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->key, b->key, len);

	return order ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

/* What is sorted; the entries of the table stay in place. */
struct chosen {
	struct group *group;
};

static int by_weight(const void *a, const void *b)
{
	const struct group *x = ((const struct chosen *)a)->group;
	const struct group *y = ((const struct chosen *)b)->group;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	return by_key(x, y);
}

/* For values that begin with totals. */
static int by_total_time(const void *a, const void *b)
{
	const struct group *x = ((const struct chosen *)a)->group;
	const struct group *y = ((const struct chosen *)b)->group;
	const struct totals *s = x->value, *t = y->value;

	if (s->ns != t->ns)
		return s->ns < t->ns ? 1 : -1;
	return by_key(x, y);
}

/* Returns the *RET_N groups to show: by weight, then others by time. */
static struct chosen *choose(const struct groups *g, bool totals, size_t *ret_n)
{
	size_t n = groups__count(g), kept;
	struct chosen *all = malloc((n + 1) * sizeof(*all));

	if (!all)
		return NULL;
	for (size_t i = 0; i < n; i++)
		all[i].group = groups__get(g, i);
	qsort(all, n, sizeof(*all), by_weight);
	kept = n < BY_WEIGHT ? n : BY_WEIGHT;
	if (totals && n > kept)
		qsort(all + kept, n - kept, sizeof(*all), by_total_time);
	if (totals)
		kept = n < kept + BY_TIME ? n : kept + BY_TIME;
	*ret_n = kept;
	return all;
}

/* ---- values ---- */

static json_t *totals_json(const struct totals *t)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rows",
			 (json_int_t)t->rows, "reads", (json_int_t)t->reads, "writes",
			 (json_int_t)t->writes, "failed", (json_int_t)t->failed, "bytes_read",
			 (json_int_t)t->bytes_read, "bytes_written", (json_int_t)t->bytes_written,
			 "ns", (json_int_t)t->ns, "first_ns", (json_int_t)t->first_ns, "last_ns",
			 (json_int_t)t->last_ns);
}

static void set_latency(json_t *row, const struct sketch *s)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };

	if (!s->n)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++)
		json_object_set_new(row, quantiles[i].name,
				    json_integer(sketch__quantile(s, quantiles[i].q)));
	json_object_set_new(row, "max", json_integer(s->max));
}

static json_t *device_name(uint32_t device)
{
	return device ? json_sprintf("%" PRIu32 ":%" PRIu32, device >> 20, device & 0xfffff) :
			json_string("");
}

/* Shared by the rows of all tables. */
struct making {
	const struct session_reader *session;
	const struct figures *figures;
	struct report_names *names;
	struct data_places *places;
	size_t row;
};

static json_t *directory_row(struct making *m, const struct group *g)
{
	json_t *row = totals_json(g->value);

	json_object_set_new(row, "name", report_names__path(m->names, g->key, g->key_len));
	return row;
}

static json_t *program_row(struct making *m, const struct group *g)
{
	json_t *row = totals_json(g->value);

	json_object_set_new(row, "name", report_names__name(m->names, g->key, g->key_len));
	return row;
}

static json_t *container_row(struct making *m, const struct group *g)
{
	json_t *row = totals_json(g->value), *known;
	char id[32];

	snprintf(id, sizeof(id), "%.*s", (int)g->key_len, g->key);
	known = json_object_get(json_object_get(m->session->root, "containers"), id);
	json_object_set_new(row, "id", json_string(id));
	for (const char *const *key = (const char *const[]){ "name", "image", "runtime", NULL };
	     *key; key++) {
		const char *s = json_string_value(json_object_get(known, *key));

		if (s)
			json_object_set_new(row, *key, report_names__name(m->names, s, strlen(s)));
	}
	return row;
}

static json_t *file_row(struct making *m, const struct group *g)
{
	const struct file_group *file = g->value;
	json_t *row = totals_json(&file->totals);

	json_object_set_new(row, "name", report_names__path(m->names, g->key, g->key_len));
	json_object_set_new(row, "device", device_name(file->device));
	put_place(m->places->files, sample__name(g->key, g->key_len), m->row + 1);
	return row;
}

static json_t *device_row(struct making *m, const struct group *g)
{
	const struct device_group *device = g->value;
	json_t *row = totals_json(&device->totals);

	json_object_set_new(row, "name", json_stringn(g->key, g->key_len));
	json_object_set_new(row, "fs_type", json_text(device->fs_type));
	set_latency(row, &device->latency);
	return row;
}

static json_t *disk_row(struct making *m, const struct group *g)
{
	const struct row_field name = { (char *)g->key, g->key_len };

	if (m->row < DISKS_MAX)
		m->places->disks[m->row] = figures__device(&name);
	return device_row(m, g);
}

static json_t *process_row(struct making *m, const struct group *g)
{
	const struct process_group *p = g->value;
	json_t *row = totals_json(&p->totals);
	uint64_t pid;

	memcpy(&pid, g->key, sizeof(pid));
	json_object_set_new(row, "pid", json_integer(pid));
	json_object_set_new(row, "ppid", json_integer(p->ppid));
	json_object_set_new(row, "name",
			    report_names__name(m->names, p->command, strlen(p->command)));
	json_object_set_new(row, "cmdline",
			    report_names__arguments(m->names, p->cmdline, strlen(p->cmdline)));
	json_object_set_new(row, "container", json_sprintf("%" PRIu64, p->container));
	json_object_set_new(row, "forked_ns", json_integer(p->forked_ns));
	json_object_set_new(row, "exited_ns", json_integer(p->exited_ns));
	json_object_set_new(row, "execs", json_integer(p->execs));
	put_place(m->places->processes, pid, m->row + 1);
	return row;
}

static json_t *operation_row(struct making *m, const struct group *g)
{
	const struct operation_group *o = g->value;
	json_t *row = json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}", "stream",
				schema_streams[g->key[0] - 'a'].key, "name",
				json_stringn(g->key + 2, g->key_len - 2), "rows",
				(json_int_t)o->rows, "failed", (json_int_t)o->failed, "bytes",
				(json_int_t)o->bytes, "ns", (json_int_t)o->ns);

	set_latency(row, &o->latency);
	return row;
}

static json_t *error_row(struct making *m, const struct group *g)
{
	const struct error_group *e = g->value;
	const char *slash = memchr(g->key, '/', g->key_len);

	return json_pack("{s:o, s:o, s:I, s:o, s:o, s:I}", "operation",
			 json_stringn(g->key, slash - g->key), "name",
			 json_stringn(slash + 1, g->key + g->key_len - slash - 1), "rows",
			 (json_int_t)e->rows, "command",
			 report_names__name(m->names, e->command, strlen(e->command)), "filename",
			 report_names__path(m->names, e->filename, strlen(e->filename)), "first_ns",
			 (json_int_t)e->first_ns);
}

/* TYPE/ADDRESS/PORT; an address may be a path. */
static json_t *peer_row(struct making *m, const struct group *g)
{
	const struct peer_group *p = g->value;
	const char *from = (const char *)memchr(g->key, '/', g->key_len) + 1;
	const char *to = memrchr(g->key, '/', g->key_len);

	return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "type",
			 json_stringn(g->key, from - 1 - g->key), "name",
			 report_names__address(m->names, from, to - from), "port",
			 json_stringn(to + 1, g->key + g->key_len - to - 1), "rows",
			 (json_int_t)p->rows, "failed", (json_int_t)p->failed, "ns",
			 (json_int_t)p->ns, "max_ns", (json_int_t)p->max_ns, "command",
			 report_names__name(m->names, p->command, strlen(p->command)));
}

static json_t *disk_totals_json(const struct disk_totals *t)
{
	return json_pack("{s:I, s:I, s:I}", "parts", (json_int_t)t->parts, "read",
			 (json_int_t)t->read, "written", (json_int_t)t->written);
}

/* With the bytes that programs wrote to it, if it is in the table of files. */
static json_t *disk_file_row(struct making *m, const struct group *g)
{
	const struct disk_file_group *d = g->value;
	const struct group *f =
		groups__find(m->figures->tables[TABLE_FILES].groups, g->key, g->key_len);
	const struct file_group *file = f ? f->value : NULL;
	json_t *row = disk_totals_json(&d->totals);

	json_object_set_new(row, "name", report_names__path(m->names, g->key, g->key_len));
	json_object_set_new(row, "ahead", json_integer(d->ahead));
	json_object_set_new(row, "oldest_ns", json_integer(d->oldest_ns));
	json_object_set_new(row, "command",
			    report_names__name(m->names, d->command.text, strlen(d->command.text)));
	json_object_set_new(row, "other_commands", json_boolean(d->command.others));
	json_object_set_new(row, "cause", json_text(d->cause.text));
	json_object_set_new(row, "other_causes", json_boolean(d->cause.others));
	if (file && file->totals.bytes_written)
		json_object_set_new(row, "requested", json_integer(file->totals.bytes_written));
	return row;
}

static json_t *disk_owner_row(struct making *m, const struct group *g)
{
	const struct disk_owner_group *o = g->value;
	const char *cause = (const char *)memchr(g->key, '/', g->key_len) + 1;
	const char *command = (const char *)memchr(cause, '/', g->key + g->key_len - cause) + 1;
	json_t *row = disk_totals_json(&o->totals);

	json_object_set_new(row, "kind", json_stringn(g->key, cause - 1 - g->key));
	json_object_set_new(row, "cause", json_stringn(cause, command - 1 - cause));
	json_object_set_new(row, "command",
			    report_names__name(m->names, command, g->key + g->key_len - command));
	return row;
}

/* clang-format off */
static const struct {
	const char *name;
	json_t *(*row)(struct making *m, const struct group *g);
	bool totals; /* values begin with them */
} shown[TABLE_COUNT] = {
	[TABLE_FILES]       = { "files", file_row, true },
	[TABLE_DIRECTORIES] = { "directories", directory_row, true },
	[TABLE_PROCESSES]   = { "processes", process_row, true },
	[TABLE_PROGRAMS]    = { "programs", program_row, true },
	[TABLE_CONTAINERS]  = { "containers", container_row, true },
	[TABLE_DEVICES]     = { "devices", device_row, true },
	[TABLE_DISKS]       = { "disks", disk_row, true },
	[TABLE_OPERATIONS]  = { "operations", operation_row, false },
	[TABLE_ERRORS]      = { "errors", error_row, false },
	[TABLE_PEERS]       = { "peers", peer_row, false },
	[TABLE_DISK_FILES]  = { "disk_files", disk_file_row, false },
	[TABLE_DISK_OWNERS] = { "disk_owners", disk_owner_row, false },
};
/* clang-format on */

/* All tables, with the numbers of groups and what a row may lack. */
static json_t *table(struct making *m, const struct figures *t, enum figures_table which)
{
	const struct groups *g = t->tables[which].groups;
	json_t *rows = json_array();
	size_t n = 0;
	struct chosen *groups = choose(g, shown[which].totals, &n);

	for (m->row = 0; groups && m->row < n; m->row++) {
		json_t *row = shown[which].row(m, groups[m->row].group);

		if (row && groups[m->row].group->lacks)
			json_object_set_new(row, "lacks",
					    json_integer(groups[m->row].group->lacks));
		json_array_append_new(rows, row);
	}
	free(groups);
	return json_pack("{s:o, s:I, s:I, s:I}", "rows", rows, "groups",
			 (json_int_t)groups__count(g), "dropped", (json_int_t)groups__dropped(g),
			 "floor", (json_int_t)groups__floor(g));
}

json_t *data_tables__make(const struct session_reader *session, const struct figures *figures,
			  struct report_names *names, struct data_places **ret_places)
{
	struct making m = { .session = session,
			    .figures = figures,
			    .names = names,
			    .places = calloc(1, sizeof(*m.places)) };
	json_t *all = m.places ? json_object() : NULL;

	for (int i = 0; all && i < TABLE_COUNT; i++)
		if (json_object_set_new(all, shown[i].name, table(&m, figures, i)))
			all = (json_decref(all), NULL);
	*ret_places = all ? m.places : data_places__free(m.places);
	return all;
}
