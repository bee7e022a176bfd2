// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the sums of the BPF programs (bpf/sums.h), over all CPUs, with their histograms. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/groups.h"
#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"
#include "rows/encode.h"
#include "rows/operation.h"

#define BATCH 1024 /* entries of a map read at once */

struct sums {
	struct bpf_engine *b;
	int n_cpus;
	int map;                /* being read */
	struct groups *tallies; /* by sum_value.id */
	engine_sum_fn tell;
	void *arg;
};

void sums__choose_maps(struct bpf_engine *b)
{
	uint32_t sums = b->skel->rodata->cfg.sums;

	bpf_map__set_autocreate(b->skel->maps.sums, sums);
	bpf_map__set_autocreate(b->skel->maps.sum_files, sums & SUM_BY_FILE);
	bpf_map__set_autocreate(b->skel->maps.sum_buckets, sums && !(sums & SUM_NO_QUANTILES));
	bpf_map__set_autocreate(b->skel->maps.sum_ops, SUMS_OPS(sums));
	bpf_map__set_autocreate(b->skel->maps.sum_tasks, sums);
	bpf_map__set_autocreate(b->skel->maps.sum_rooms, sums);
}

int sums__prepare(struct bpf_engine *b, char *problem)
{
	int n = libbpf_num_possible_cpus(), err = n < 0 ? n : 0;
	struct sum_value *zero;

	if (!b->skel->rodata->cfg.sums || err)
		return err;
	zero = calloc(n, sizeof(*zero));
	for (int s = 0; s < STREAM_CAPTURED && zero && !err; s++) {
		struct sum_key key = { .stream = s, .others = 1 };

		err = bpf_map_update_elem(bpf_map__fd(b->skel->maps.sums), &key, zero, BPF_ANY);
	}
	free(zero);
	if (!zero)
		err = -ENOMEM;
	return err ? engine__problem(problem, err, "cannot prepare sums: %s", strerror(-err)) : 0;
}

/* ---- maps ---- */

struct map_reader {
	int fd;
	size_t key_size, value_size; /* for all CPUs together */
	int (*entry)(struct sums *s, const void *key, const void *value);
};

/* Passes COUNT entries of a map to R->entry. */
static int take_batch(struct sums *s, const struct map_reader *r, const char *keys,
		      const char *values, uint32_t count)
{
	int err = 0;

	s->map = r->fd;
	for (uint32_t i = 0; i < count && !err; i++)
		err = r->entry(s, keys + i * r->key_size, values + i * r->value_size);
	return err;
}

/* Reads a hash in batches: reading key by key would take two calls for each, and would start again
 * if a key were removed meanwhile. */
static int read_map(struct sums *s, const struct map_reader *r)
{
	char *keys = malloc(BATCH * r->key_size), *values = malloc(BATCH * r->value_size);
	uint32_t at = 0, count;
	int err = keys && values ? 0 : -ENOMEM, end = 0;
	bool begun = false;

	while (!err && !end) {
		count = BATCH;
		end = bpf_map_lookup_batch(r->fd, begun ? &at : NULL, &at, keys, values, &count,
					   NULL);
		if (end && end != -ENOENT)
			err = end;
		else
			err = take_batch(s, r, keys, values, count);
		begun = true;
	}
	free(keys);
	free(values);
	return err;
}

/* ---- buckets ---- */

static void clear_tally(void *arg, struct group *group, bool at_end)
{
	tally__clear(group->value);
}

static struct tally *tally_of(struct sums *s, uint64_t id)
{
	struct group *group = groups__at(s->tallies, (const char *)&id, sizeof(id));

	return group ? group->value : NULL;
}

static int add_bucket(struct sums *s, const void *entry, const void *value)
{
	const struct sum_bucket *key = entry;
	const uint64_t *counts = value;
	struct tally *tally = tally_of(s, key->id);
	uint64_t n = 0;

	if (!tally)
		return -ENOMEM;
	for (int i = 0; i < s->n_cpus; i++)
		n += counts[i];
	return sketch__add_bucket(key->wait ? &tally->wait : &tally->time, key->bucket, n);
}

static int read_buckets(struct sums *s)
{
	const struct map_reader r = { .fd = bpf_map__fd(s->b->skel->maps.sum_buckets),
				      .key_size = sizeof(struct sum_bucket),
				      .value_size = s->n_cpus * sizeof(uint64_t),
				      .entry = add_bucket };

	return s->b->skel->rodata->cfg.sums & SUM_NO_QUANTILES ? 0 : read_map(s, &r);
}

/* ---- sums ---- */

static void add_time(struct sum_time *to, const struct sum_time *from)
{
	if (!from->n)
		return;
	if (!to->n || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->n += from->n;
	to->ns += from->ns;
}

static void add_value(struct sum_value *to, const struct sum_value *from)
{
	to->id = from->id ?: to->id;
	to->calls += from->calls;
	to->errors += from->errors;
	to->amount += from->amount;
	to->written += from->written;
	to->again += from->again;
	add_time(&to->time, &from->time);
	add_time(&to->wait, &from->wait);
}

static void fill_tally(struct tally *t, const struct sum_key *key, const struct sum_value *v)
{
	t->calls = v->calls;
	t->errors = v->errors;
	t->amount = v->amount;
	t->time_ns = v->time.ns;
	t->wait_ns = v->wait.ns;
	t->time.min = v->time.min;
	t->time.max = v->time.max;
	t->wait.min = v->wait.min;
	t->wait.max = v->wait.max;
	if (key->stream == STREAM_CACHE && key->op == CACHE_HIT)
		t->hits = v->amount;
	if (key->stream == STREAM_CACHE && key->op == CACHE_MISS)
		t->misses = v->amount;
	if (key->stream == STREAM_NW_FLOW) {
		t->received = v->amount - v->written;
		t->again = v->again;
	}
}

/* The command of a process is that of its main thread. */
static void find_command(const struct sums *s, const struct sum_key *key, struct sum_task *ret)
{
	uint64_t id = (uint64_t)key->pid << 32 | key->pid;

	memset(ret, 0, sizeof(*ret));
	if (*key->comm)
		memcpy(ret->comm, key->comm, sizeof(ret->comm));
	else if (key->pid)
		bpf_map_lookup_elem(bpf_map__fd(s->b->skel->maps.sum_tasks), &id, ret);
}

static const char *operation_of(const struct sums *s, const struct sum_key *key)
{
	if (!(s->b->skel->rodata->cfg.sums & SUM_BY_OPERATION) || key->others)
		return NULL;
	return key->stream == STREAM_BLOCK ? s->b->names.ops_lower[key->op] :
					     operation__name(key->stream, key->op);
}

static int tell_sum(struct sums *s, const void *entry, const void *value)
{
	const struct sum_key *key = entry;
	const struct sum_value *values = value;
	struct sum_value all = { 0 };
	struct sum_task who;
	struct tally *tally;
	struct engine_sum sum;
	int err;

	for (int i = 0; i < s->n_cpus; i++)
		add_value(&all, &values[i]);
	if (!all.calls)
		return 0;
	tally = tally_of(s, all.id);
	if (!tally)
		return -ENOMEM;
	fill_tally(tally, key, &all);
	find_command(s, key, &who);
	sum = (struct engine_sum){ .stream = key->stream,
				   .others = key->others,
				   .operation = operation_of(s, key),
				   .pid = key->pid,
				   .command = who.comm,
				   .cgroup = key->cgroup,
				   .uid = (int64_t)key->uid - 1,
				   .file = key->file,
				   .dev = key->dev,
				   .written = all.written,
				   .timed = all.time.n,
				   .error = key->error,
				   .size = key->size > 1 ? INT64_C(1) << (key->size - 2) :
							   (int64_t)key->size - 1,
				   .tally = tally };
	if (key->stream == STREAM_BLOCK && key->error)
		sum.error = encode__block_errno((int32_t)key->error);
	err = s->tell(s->arg, &sum);
	if (err == ENGINE_SUM_DROP && !key->others)
		bpf_map_delete_elem(s->map, key);
	return err == ENGINE_SUM_DROP ? 0 : err;
}

static int tell_sums(struct sums *s)
{
	struct map_reader r = { .fd = bpf_map__fd(s->b->skel->maps.sums),
				.key_size = sizeof(struct sum_key),
				.value_size = s->n_cpus * sizeof(struct sum_value),
				.entry = tell_sum };
	int err = read_map(s, &r);

	r.fd = bpf_map__fd(s->b->skel->maps.sum_files);
	return err || r.fd < 0 ? err : read_map(s, &r);
}

/* Adds the times of an operation, OPS[] by CPU, to TALLY. */
static int add_times(const struct sums *s, const struct sum_op *ops, struct tally *tally)
{
	int err = tally ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < BUCKET_COUNT && !err; i++) {
		uint64_t n = 0;

		for (int cpu = 0; cpu < s->n_cpus; cpu++)
			n += ops[cpu].times[i];
		if (n)
			err = sketch__add_bucket(&tally->time, i, n);
	}
	return err;
}

/* Tells the sum of operation OP of fs. OPS and VALUES have room for all CPUs. */
static int tell_op(struct sums *s, uint32_t op, struct sum_op *ops, struct sum_value *values)
{
	const struct sum_key key = { .stream = STREAM_FS, .op = op };
	uint64_t id = op + 1; /* those of other sums are hashes */
	int err = bpf_map_lookup_elem(bpf_map__fd(s->b->skel->maps.sum_ops), &op, ops);

	for (int i = 0; i < s->n_cpus && !err; i++) {
		values[i] = ops[i].sum;
		values[i].id = id;
	}
	if (!err)
		err = add_times(s, ops, tally_of(s, id));
	return err ?: tell_sum(s, &key, values);
}

static int tell_ops(struct sums *s)
{
	struct sum_op *ops = calloc(s->n_cpus, sizeof(*ops));
	struct sum_value *values = calloc(s->n_cpus, sizeof(*values));
	int err = ops && values ? 0 : -ENOMEM;

	for (uint32_t op = 0; op < SUM_OPS && !err; op++)
		err = tell_op(s, op, ops, values);
	free(ops);
	free(values);
	return err;
}

int sums__tell(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed)
{
	/* Each sum is a group; none is dropped. */
	const struct groups_config config = { .value_size = sizeof(struct tally),
					      .max_groups = 2 * (SUMS_MAX + SUM_FILES_MAX),
					      .max_bytes = SIZE_MAX,
					      .drop = clear_tally };
	struct sums s = { .b = (struct bpf_engine *)e,
			  .n_cpus = libbpf_num_possible_cpus(),
			  .tell = tell,
			  .arg = arg };
	int err;

	if (!s.b->skel->rodata->cfg.sums)
		return -EINVAL;
	err = s.n_cpus < 0 ? s.n_cpus : groups__new(&s.tallies, &config);
	if (err)
		return err;
	err = read_buckets(&s);
	if (!err)
		err = tell_sums(&s);
	if (!err && SUMS_OPS(s.b->skel->rodata->cfg.sums))
		err = tell_ops(&s);
	if (!err)
		*ret_untimed = s.b->skel->bss->sum_buckets_full;
	groups__free(s.tallies);
	return err;
}
