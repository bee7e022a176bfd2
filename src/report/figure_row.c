// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/figure_row.h"

#include <errno.h>
#include <string.h>

#include "dataset/field.h"

/* ---- fields ---- */

bool figures__number(const struct row_field *f, uint64_t *ret)
{
	return field__uint(f->s, f->len, ret);
}

bool figures__millionths(const struct row_field *f, uint64_t *ret)
{
	const char *dot = memchr(f->s, '.', f->len);
	size_t whole = dot ? (size_t)(dot - f->s) : f->len, i = whole + 1;
	uint64_t v;

	if (!field__uint(f->s, whole, &v) || v > UINT64_MAX / 10000000)
		return false;
	for (unsigned int n = 0; n < 6; n++, i++) {
		unsigned char digit = i < f->len ? f->s[i] - '0' : 0;

		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

uint32_t figures__device(const struct row_field *f)
{
	const char *colon = memchr(f->s, ':', f->len);
	uint64_t major, minor;

	if (!colon || !field__uint(f->s, colon - f->s, &major) ||
	    !field__uint(colon + 1, f->s + f->len - colon - 1, &minor))
		return 0;
	return major << 20 | minor;
}

void figures__text(char *to, size_t size, const struct row_field *f)
{
	size_t len = f->len < size ? f->len : size - 1;

	if (len < f->len)
		while (len && (f->s[len] & 0xc0) == 0x80)
			len--;
	memcpy(to, f->s, len);
	to[len] = '\0';
}

/* ---- columns that several streams have ---- */

struct group *figures__group(struct figures *t, enum figures_table table, const char *key,
			     size_t len, uint64_t weight)
{
	struct figures_group_table *g = &t->tables[table];
	struct group *last = g->last;

	/* Consecutive rows often belong to the same file or process. */
	if (!last || last->key_len != len || memcmp(last->key, key, len))
		g->last = last = groups__at(g->groups, key, len);
	if (last)
		last->weight += weight;
	return last;
}

void totals__add(struct totals *t, const struct figure_row *row)
{
	t->rows++;
	t->reads += row->read;
	t->writes += row->write;
	t->failed += row->failed;
	t->bytes_read += row->read ? row->bytes : 0;
	t->bytes_written += row->write ? row->bytes : 0;
	t->ns += row->ns;
	figures__min_time(&t->first_ns, row->mono_ns);
	figures__max_time(&t->last_ns, row->mono_ns);
}

unsigned int figures__when(struct figures *t, const struct figure_row *row, uint64_t n)
{
	unsigned int bin = timeline__bin(&t->time, row->mono_ns);

	t->time.bins[bin][row->channel] += n;
	if (row->has_ns && row->channel < TIMELINE_GRIDS)
		t->time.grids[row->channel][bin / TIMELINE_GRID_BINS][timeline__row(row->ns)]++;
	figures__min_time(&t->first_ns, row->mono_ns);
	figures__max_time(&t->last_ns, row->mono_ns);
	return bin;
}

int figures__sample(struct figures *t, enum figures_sample which, const struct figure_row *row,
		    uint64_t who)
{
	struct sample *s = &t->samples[which];
	struct sampled to;

	t->sampled_of[which]++;
	to.priority = sample__priority(row->mono_ns, who, row->channel);
	if (!sample__wants(s, to.priority))
		return 0;
	to = (struct sampled){
		.priority = to.priority,
		.mono_ns = row->mono_ns,
		.ns = row->ns,
		.bytes = row->bytes,
		.at = row->at,
		.file = row->name ? sample__name(row->name->s, row->name->len) : 0,
		.pid = row->pid,
		.device = row->device,
		.channel = row->channel,
		.failed = row->failed,
		.has_ns = row->has_ns,
		.has_at = row->has_at,
	};
	return sample__add(s, &to);
}

int figures__operation(struct figures *t, enum stream stream, const struct row_field *operation,
		       const struct figure_row *row)
{
	char key[64];
	size_t len = operation->len < sizeof(key) - 2 ? operation->len : sizeof(key) - 2;
	struct operation_group *o;
	struct group *g;

	key[0] = (char)('a' + stream);
	key[1] = '/';
	memcpy(key + 2, operation->s, len);
	g = figures__group(t, TABLE_OPERATIONS, key, len + 2, 1);
	if (!g)
		return -ENOMEM;
	o = g->value;
	o->rows++;
	o->failed += row->failed;
	o->bytes += row->bytes;
	o->ns += row->ns;
	return row->has_ns ? sketch__add(&o->latency, row->ns, 1) : 0;
}

int figures__error(struct figures *t, const struct row_field *operation,
		   const struct row_field *error, const struct row_field *command,
		   const struct figure_row *row)
{
	char key[96];
	size_t a = operation->len < 40 ? operation->len : 40, b = error->len < 40 ? error->len : 40;
	struct error_group *e;
	struct group *g;

	memcpy(key, operation->s, a);
	key[a] = '/';
	memcpy(key + a + 1, error->s, b);
	g = figures__group(t, TABLE_ERRORS, key, a + 1 + b, 1);
	if (!g)
		return -ENOMEM;
	e = g->value;
	if (!e->rows++ || row->mono_ns < e->first_ns) {
		static const struct row_field none = { .s = "" };

		e->first_ns = row->mono_ns;
		figures__text(e->command, sizeof(e->command), command);
		figures__text(e->filename, sizeof(e->filename), row->name ? row->name : &none);
	}
	return 0;
}
