// SPDX-License-Identifier: GPL-2.0-or-later
#include "summary/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "summary/measure.h"

/* ---- columns ---- */

static bool always(enum stream stream)
{
	return true;
}
static bool has_errors(enum stream stream)
{
	return measures__of(stream)->errors;
}
static bool has_time(enum stream stream)
{
	return measures__of(stream)->time;
}
static bool has_wait(enum stream stream)
{
	return measures__of(stream)->wait;
}
static bool has_bytes(enum stream stream)
{
	return measures__of(stream)->amount && !measures__of(stream)->pages;
}
static bool has_flows(enum stream stream)
{
	return measures__of(stream)->flows;
}
static bool has_pages(enum stream stream)
{
	return measures__of(stream)->pages;
}

#define NO_VALUE (-1.0)

static long double share_of(uint64_t part, uint64_t all)
{
	return all ? (long double)part / all : 0;
}

#define VALUE(name, expression) \
	static long double name(const struct tally *t, const struct tally *all) \
	{ \
		return expression; \
	}
VALUE(get_share, all->time_ns ? share_of(t->time_ns, all->time_ns) : share_of(t->calls, all->calls))
VALUE(get_calls, t->calls)
VALUE(get_errors, t->errors)
VALUE(get_total, t->time_ns)
VALUE(get_mean, share_of(t->time_ns, t->time.n))
VALUE(get_p50, sketch__quantile(&t->time, 0.5))
VALUE(get_p95, sketch__quantile(&t->time, 0.95))
VALUE(get_p99, sketch__quantile(&t->time, 0.99))
VALUE(get_max, t->time.max)
VALUE(get_wait_total, t->wait_ns)
VALUE(get_wait_mean, share_of(t->wait_ns, t->wait.n))
VALUE(get_wait_p50, sketch__quantile(&t->wait, 0.5))
VALUE(get_wait_p95, sketch__quantile(&t->wait, 0.95))
VALUE(get_wait_p99, sketch__quantile(&t->wait, 0.99))
VALUE(get_wait_max, t->wait.max)
VALUE(get_amount, t->amount)
VALUE(get_sent, t->amount - t->received)
VALUE(get_received, t->received)
VALUE(get_again, t->again)
VALUE(get_hits, t->hits)
VALUE(get_misses, t->misses)
VALUE(get_hit_ratio, t->hits + t->misses ? share_of(t->hits, t->hits + t->misses) : NO_VALUE)

/* clang-format off */
const struct summary_column summary_columns[] = {
	{ "share", "share", COLUMN_RATIO, get_share, always, true },
	{ "total_ns", "total", COLUMN_TIME, get_total, has_time, true },
	{ "calls", "calls", COLUMN_COUNT, get_calls, always, true },
	{ "errors", "errors", COLUMN_COUNT, get_errors, has_errors, true },
	{ "mean_ns", "mean", COLUMN_TIME, get_mean, has_time, true },
	{ "p50_ns", "p50", COLUMN_TIME, get_p50, has_time, true },
	{ "p95_ns", "p95", COLUMN_TIME, get_p95, has_time, true },
	{ "p99_ns", "p99", COLUMN_TIME, get_p99, has_time, true },
	{ "max_ns", "max", COLUMN_TIME, get_max, has_time, true },
	{ "queue_total_ns", "queue", COLUMN_TIME, get_wait_total, has_wait, false },
	{ "queue_mean_ns", "q.mean", COLUMN_TIME, get_wait_mean, has_wait, false },
	{ "queue_p50_ns", "q.p50", COLUMN_TIME, get_wait_p50, has_wait, true },
	{ "queue_p95_ns", "q.p95", COLUMN_TIME, get_wait_p95, has_wait, false },
	{ "queue_p99_ns", "q.p99", COLUMN_TIME, get_wait_p99, has_wait, true },
	{ "queue_max_ns", "q.max", COLUMN_TIME, get_wait_max, has_wait, false },
	{ "bytes", "bytes", COLUMN_AMOUNT, get_amount, has_bytes, true },
	{ "sent", "sent", COLUMN_AMOUNT, get_sent, has_flows, true },
	{ "received", "received", COLUMN_AMOUNT, get_received, has_flows, true },
	{ "retransmits", "resent", COLUMN_COUNT, get_again, has_flows, true },
	{ "pages", "pages", COLUMN_COUNT, get_amount, has_pages, true },
	{ "hits", "hits", COLUMN_COUNT, get_hits, has_pages, true },
	{ "misses", "misses", COLUMN_COUNT, get_misses, has_pages, true },
	{ "hit_ratio", "hit ratio", COLUMN_RATIO, get_hit_ratio, has_pages, true },
	{ .name = NULL },
};
/* clang-format on */

const struct summary_column *summary_column__find(const char *name, enum stream stream)
{
	size_t len = strlen(name);

	for (const struct summary_column *c = summary_columns; c->name; c++)
		if (!strncmp(c->name, name, len) &&
		    (!c->name[len] || !strcmp(c->name + len, "_ns")) && c->applies(stream))
			return c;
	return NULL;
}

const struct summary_column *summary_column__usual(enum stream stream)
{
	return summary_column__find(has_time(stream) && !has_flows(stream) ? "total" :
				    has_bytes(stream)                      ? "bytes" :
				    has_pages(stream)                      ? "pages" :
									     "calls",
				    stream);
}

/* ---- groups ---- */

static void drop_group(void *arg, struct group *group, bool at_end)
{
	struct summary_value *value = group->value;
	struct summary *s = arg;

	if (!at_end && tally__merge(&s->rest, &value->tally))
		s->err = -ENOMEM;
	tally__clear(&value->tally);
}

int summary__begin(struct summary *s)
{
	const struct groups_config config = { .value_size = sizeof(struct summary_value),
					      .max_groups = SUMMARY_GROUPS_MAX,
					      .max_bytes = SUMMARY_BYTES_MAX,
					      .drop = drop_group,
					      .arg = s };

	s->label_column = s->tid_column = -1;
	for (int i = 0; i < s->n_by && !s->live; i++) {
		s->columns[i] = dimension__column(s->by[i], s->stream);
		if (s->columns[i] < 0)
			return -EINVAL;
		if (!strcmp(s->by[i]->name, "process")) {
			s->label_column = row__column(s->stream, "command");
			s->pid_column = row__column(s->stream, "pid");
			s->tid_column = row__column(s->stream, "tid"); /* 0 where it has none */
		}
	}
	return groups__new(&s->groups, &config);
}

int summary__fields(const struct summary *s)
{
	int n = measure__fields(s->stream);

	for (int i = 0; i < s->n_by; i++) {
		int fields = dimension__fields(s->by[i], s->stream);

		n = fields > n ? fields : n;
	}
	n = s->label_column >= n ? s->label_column + 1 : n;
	return s->tid_column >= n ? s->tid_column + 1 : n;
}

/* The weight of T: the value by which groups are sorted, if it can be added. */
static uint64_t weight(const struct summary *s, const struct tally *t)
{
	if (s->sort->kind == COLUMN_TIME)
		return t->time_ns;
	return s->sort->value == get_errors   ? t->errors :
	       s->sort->kind == COLUMN_AMOUNT ? t->amount :
	       s->sort->value == get_amount   ? t->amount :
						t->calls;
}

static void set_label(struct summary_value *value, const char *s, size_t len)
{
	if (len >= sizeof(value->label))
		len = sizeof(value->label) - 1;
	memcpy(value->label, s, len);
	value->label[len] = '\0';
}

/* A process has the name of its main thread, which has the same id. */
static void label_process(const struct summary *s, struct summary_value *value,
			  const struct export_row *row)
{
	const struct row_field *name = &row->fields[s->label_column];
	const struct row_field *pid = &row->fields[s->pid_column];
	const struct row_field *tid = s->tid_column > 0 ? &row->fields[s->tid_column] : pid;

	if (!*value->label || (tid->len == pid->len && !memcmp(tid->s, pid->s, pid->len)))
		set_label(value, name->s, name->len);
}

/* Updates the weight of GROUP after a change of its tally. */
static void settle(struct summary *s, struct group *group)
{
	struct summary_value *value = group->value;
	size_t bytes = tally__bytes(&value->tally);

	group->weight = weight(s, &value->tally);
	if (bytes != group->bytes)
		groups__charge(s->groups, group, (ptrdiff_t)(bytes - group->bytes));
}

/* Writes the key of ROW to BUF: both parts with a NUL between, unless there is only one. */
static struct row_field key_of(const struct summary *s, const struct export_row *row, char *buf,
			       size_t size)
{
	char texts[SUMMARY_BY_MAX][DIMENSION_TEXT_MAX];
	struct row_field key = { buf, 0 };

	if (s->n_by == 1) {
		key = dimension__key(s->by[0], s->columns[0], row, buf);
		return key;
	}
	for (int i = 0; i < s->n_by; i++) {
		struct row_field f = dimension__key(s->by[i], s->columns[i], row, texts[i]);

		if (i)
			buf[key.len++] = '\0';
		if (f.len > size - key.len - 1)
			f.len = size - key.len - 1;
		memcpy(buf + key.len, f.s, f.len);
		key.len += f.len;
	}
	return key;
}

#define KEY_MAX (64 * 1024) /* of two keys; even two paths are shorter */

int summary__row(struct summary *s, const struct export_row *row, const struct measure *m)
{
	char buf[KEY_MAX];
	struct row_field key = key_of(s, row, buf, sizeof(buf));
	struct group *group = groups__at(s->groups, key.s, key.len);
	struct summary_value *value;

	if (!group || tally__add(&s->all, m))
		return -ENOMEM;
	value = group->value;
	if (tally__add(&value->tally, m))
		return -ENOMEM;
	if (s->label_column >= 0)
		label_process(s, value, row);
	settle(s, group);
	return s->err;
}

int summary__add(struct summary *s, const char *key, size_t len, const char *label,
		 const struct tally *tally)
{
	struct group *group = groups__at(s->groups, key, len);
	struct summary_value *value;

	if (!group || tally__merge(&s->all, tally))
		return -ENOMEM;
	value = group->value;
	if (tally__merge(&value->tally, tally))
		return -ENOMEM;
	if (label)
		set_label(value, label, strlen(label));
	settle(s, group);
	return s->err;
}

int summary__add_rest(struct summary *s, const struct tally *tally)
{
	int err = tally__merge(&s->all, tally);

	return err ? err : tally__merge(&s->rest, tally);
}

struct ranked {
	long double value;
	uint64_t calls;
	struct group *group;
};

static int by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	size_t len = x->group->key_len < y->group->key_len ? x->group->key_len : y->group->key_len;
	int order;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	order = memcmp(x->group->key, y->group->key, len);
	return order ? order :
		       (x->group->key_len > y->group->key_len) -
			       (x->group->key_len < y->group->key_len);
}

struct group **summary__sorted(const struct summary *s)
{
	size_t n = groups__count(s->groups);
	struct ranked *ranked = calloc(n + 1, sizeof(*ranked));
	struct group **sorted = calloc(n + 1, sizeof(*sorted));

	for (size_t i = 0; ranked && sorted && i < n; i++) {
		struct group *group = groups__get(s->groups, i);
		const struct tally *t = &((const struct summary_value *)group->value)->tally;

		ranked[i] = (struct ranked){ s->sort->value(t, &s->all), t->calls, group };
	}
	if (ranked && sorted)
		qsort(ranked, n, sizeof(*ranked), by_value);
	for (size_t i = 0; ranked && sorted && i < n; i++)
		sorted[i] = ranked[i].group;
	if (!ranked) {
		free(sorted);
		sorted = NULL;
	}
	free(ranked);
	return sorted;
}

void summary__end(struct summary *s)
{
	s->groups = groups__free(s->groups);
	tally__clear(&s->all);
	tally__clear(&s->rest);
}
