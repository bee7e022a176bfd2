// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/summary_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/json_text.h"
#include "base/shown.h"
#include "base/units.h"

#define WIDTH 8 /* of a column of numbers */
#define NUMBER_SIZE 32
#define OTHERS_SIZE 48

static const struct summary_value *value_of(const struct group *group)
{
	return group->value;
}

/* How many groups are shown. */
static size_t shown_groups(const struct summary_print *p, const struct summary *s)
{
	size_t n = groups__count(s->groups);

	return p->top && p->top < n ? p->top : n;
}

/* Returns part I of the key of GROUP, as in rows. */
static struct row_field part_of(const struct summary *s, const struct group *group, int i)
{
	const char *key = group->key, *nul = memchr(key, '\0', group->key_len);
	size_t first = s->n_by > 1 && nul ? (size_t)(nul - key) : group->key_len;

	if (!i)
		return (struct row_field){ (char *)key, first };
	return (struct row_field){ (char *)nul + 1, group->key_len - first - 1 };
}

/* … as it is shown, in BUF of sufficient size. Returns its length. */
static size_t name_part(const struct summary_print *p, const struct summary *s,
			const struct group *group, int i, char buf[SUMMARY_NAME_MAX + 1])
{
	struct row_field f = part_of(s, group, i);
	const char *name = p->name ? p->name(p->arg, s->by[i], f.s, f.len) : NULL;
	size_t len = name ? strlen(name) : f.len;

	if (len > SUMMARY_NAME_MAX)
		len = SUMMARY_NAME_MAX;
	/* NOLINTNEXTLINE(*.NonNullParamChecker): a key, which is never NULL */
	memcpy(buf, name ?: f.s, len);
	buf[len] = '\0';
	return len;
}

/* Returns the sum of the groups that are not shown. */
static void add_others(const struct summary *s, struct group *const *sorted, size_t from,
		       struct tally *ret)
{
	*ret = (struct tally){ 0 };
	tally__merge(ret, &s->rest);
	for (size_t i = from; i < groups__count(s->groups); i++)
		tally__merge(ret, &value_of(sorted[i])->tally);
}

/* Returns the name of N groups that are not shown and of those that were dropped; it may be in
 * BUF. */
static const char *name_other_groups(const struct summary *s, size_t n, char buf[OTHERS_SIZE])
{
	snprintf(buf, OTHERS_SIZE, "(%zu%s others)", n,
		 groups__dropped(s->groups) ? " and more" : "");
	return n ? buf : "(others)";
}

/* ---- for people ---- */

static const char *text_of(const struct summary_column *c, const struct tally *t,
			   const struct tally *all, char buf[NUMBER_SIZE])
{
	long double v = c->value(t, all);

	if (v < 0)
		return "-";
	switch (c->kind) {
	case COLUMN_TIME:
		return units__time(buf, (double)v);
	case COLUMN_AMOUNT:
		return units__bytes(buf, (double)v);
	case COLUMN_RATIO:
		snprintf(buf, NUMBER_SIZE, "%.1Lf%%", 100 * v);
		break;
	case COLUMN_COUNT:
		snprintf(buf, NUMBER_SIZE, "%.0Lf", v);
		break;
	}
	return buf;
}

static void print_numbers(const struct summary_print *p, const struct summary *s,
			  const struct tally *t)
{
	char buf[NUMBER_SIZE];

	for (const struct summary_column *c = summary_columns; c->name; c++)
		if (c->people && c->applies(s->stream))
			fprintf(p->out, "%*s ", WIDTH + (c->kind == COLUMN_COUNT),
				text_of(c, t, &s->all, buf));
}

static void print_heads(const struct summary_print *p, const struct summary *s)
{
	for (const struct summary_column *c = summary_columns; c->name; c++)
		if (c->people && c->applies(s->stream))
			fprintf(p->out, "%*s ", WIDTH + (c->kind == COLUMN_COUNT), c->head);
	fprintf(p->out, " %s", s->by[0]->name);
	if (s->n_by > 1)
		fprintf(p->out, "  %s", s->by[1]->name);
	fputc('\n', p->out);
}

/* Prints a size such as 4096 as 4.0K, and a process with its command. */
static void print_key_part(const struct summary_print *p, const struct summary *s,
			   const struct group *group, int i)
{
	char name[SUMMARY_NAME_MAX + 1], shown[SHOWN_MAX(SUMMARY_NAME_MAX)], buf[UNITS_SIZE];
	size_t len = name_part(p, s, group, i, name);
	bool is_process = !strcmp(s->by[i]->name, "process");

	if (!strcmp(s->by[i]->name, "size") && *name != *DIMENSION_NONE) {
		snprintf(name, sizeof(name), "%s", units__bytes(buf, strtod(name, NULL)));
		len = strlen(name);
	}
	shown__copy(shown, name, len);
	fprintf(p->out, i ? "  %s" : " %s", shown);
	if (is_process && *value_of(group)->label) {
		shown__copy(shown, value_of(group)->label, strlen(value_of(group)->label));
		fprintf(p->out, " %s", shown);
	}
}

int summary_print__table(const struct summary_print *p, const struct summary *s)
{
	size_t n = shown_groups(p, s), all = groups__count(s->groups);
	struct group **sorted = summary__sorted(s);
	struct tally others;
	char name[OTHERS_SIZE];

	if (!sorted)
		return -ENOMEM;
	print_heads(p, s);
	for (size_t i = 0; i < n; i++) {
		print_numbers(p, s, &value_of(sorted[i])->tally);
		for (int k = 0; k < s->n_by; k++)
			print_key_part(p, s, sorted[i], k);
		fputc('\n', p->out);
	}
	add_others(s, sorted, n, &others);
	if (others.calls) {
		print_numbers(p, s, &others);
		fprintf(p->out, " %s\n", name_other_groups(s, all - n, name));
	}
	print_numbers(p, s, &s->all);
	fputs(" total\n", p->out);
	tally__clear(&others);
	free(sorted);
	return 0;
}

/* ---- CSV ---- */

static void print_number(FILE *out, const struct summary_column *c, long double v)
{
	if (v < 0)
		return;
	if (c->kind == COLUMN_RATIO)
		fprintf(out, "%.6Lf", v);
	else
		fprintf(out, "%.0Lf", v);
}

/* What follows the key of a row. */
static void print_csv_numbers(const struct summary_print *p, const struct summary *s,
			      const struct tally *t, uint64_t lacks)
{
	for (const struct summary_column *c = summary_columns; c->name; c++)
		if (c->applies(s->stream)) {
			print_number(p->out, c, c->value(t, &s->all));
			fputc(',', p->out);
		}
	fprintf(p->out, "%" PRIu64 "\n", lacks);
}

static void print_csv_row(const struct summary_print *p, const struct summary *s,
			  const struct group *group)
{
	char field[2 * SUMMARY_NAME_MAX + 4];

	for (int i = 0; i < s->n_by; i++) {
		size_t len = name_part(p, s, group, i, field);
		char *end = csv__quote(field, field + len);

		fprintf(p->out, "%.*s,", (int)(end - field), field);
		if (!strcmp(s->by[i]->name, "process")) {
			len = strlen(value_of(group)->label);
			memcpy(field, value_of(group)->label, len);
			end = csv__quote(field, field + len);
			fprintf(p->out, "%.*s,", (int)(end - field), field);
		}
	}
	print_csv_numbers(p, s, &value_of(group)->tally, group->lacks);
}

/* Prints the row of the groups of SORTED from number N on, and of those that were dropped. */
static void print_csv_others(const struct summary_print *p, const struct summary *s,
			     struct group *const *sorted, size_t n)
{
	struct tally others;
	char name[OTHERS_SIZE];

	add_others(s, sorted, n, &others);
	if (others.calls) {
		fputs(name_other_groups(s, groups__count(s->groups) - n, name), p->out);
		for (int i = 0; i < s->n_by; i++)
			fputs(strcmp(s->by[i]->name, "process") ? "," : ",,", p->out);
		print_csv_numbers(p, s, &others, 0);
	}
	tally__clear(&others);
}

int summary_print__csv(const struct summary_print *p, const struct summary *s)
{
	struct group **sorted = summary__sorted(s);
	size_t n = shown_groups(p, s);

	if (!sorted)
		return -ENOMEM;
	for (int i = 0; i < s->n_by; i++)
		fprintf(p->out, "%s,%s", s->by[i]->name,
			strcmp(s->by[i]->name, "process") ? "" : "process_command,");
	for (const struct summary_column *c = summary_columns; c->name; c++)
		if (c->applies(s->stream))
			fprintf(p->out, "%s,", c->name);
	fputs("lacks\n", p->out);
	for (size_t i = 0; i < n; i++)
		print_csv_row(p, s, sorted[i]);
	print_csv_others(p, s, sorted, n);
	free(sorted);
	return 0;
}

/* ---- JSON ---- */

static json_t *json_numbers(const struct summary *s, const struct tally *t)
{
	json_t *o = json_object();

	for (const struct summary_column *c = summary_columns; c->name; c++)
		if (c->applies(s->stream)) {
			long double v = c->value(t, &s->all);

			json_object_set_new(o, c->name,
					    v < 0 ? json_null() :
					    c->kind == COLUMN_RATIO ?
						    json_real((double)v) :
						    json_integer((json_int_t)(v + 0.5)));
		}
	return o;
}

static json_t *json_group(const struct summary_print *p, const struct summary *s,
			  const struct group *group)
{
	json_t *o = json_numbers(s, &value_of(group)->tally);
	char name[SUMMARY_NAME_MAX + 1];

	for (int i = 0; i < s->n_by; i++) {
		name_part(p, s, group, i, name);
		json_object_set_new(o, s->by[i]->name, json_text(name));
		if (!strcmp(s->by[i]->name, "process"))
			json_object_set_new(o, "process_command",
					    json_text(value_of(group)->label));
	}
	if (group->lacks)
		json_object_set_new(o, "lacks", json_integer((json_int_t)group->lacks));
	return o;
}

json_t *summary_print__json(const struct summary_print *p, const struct summary *s)
{
	struct group **sorted = summary__sorted(s);
	size_t n = shown_groups(p, s);
	json_t *o = json_object(), *by = json_array(), *list = json_array();
	struct tally others;

	if (!sorted)
		return NULL;
	for (int i = 0; i < s->n_by; i++)
		json_array_append_new(by, json_string(s->by[i]->name));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_group(p, s, sorted[i]));
	add_others(s, sorted, n, &others);
	json_object_set_new(o, "stream", json_string(schema_streams[s->stream].key));
	json_object_set_new(o, "by", by);
	json_object_set_new(o, "sort", json_string(s->sort->name));
	json_object_set_new(o, "quantile_error", json_real(SKETCH_ERROR));
	json_object_set_new(o, "groups", list);
	json_object_set_new(o, "others", json_numbers(s, &others));
	json_object_set_new(o, "total", json_numbers(s, &s->all));
	tally__clear(&others);
	free(sorted);
	return o;
}
