// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the sums of the BPF programs (bpf/sums.h), over all CPUs, with their histograms. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/groups.h"
#include "base/array.h"
#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"
#include "rows/encode.h"
#include "rows/operation.h"

#define BATCH 1024 /* entries of a map read at once */

struct sums {
	struct bpf_engine *b;
	int n_cpus;
	int map;                  /* being read */
	struct groups *tallies;   /* of groups by index, if they have buckets */
	struct sum_value *values; /* of a group, by CPU */
	struct sum_times *times;  /* of a place, by CPU */
	engine_sum_fn tell;
	void *arg;
};

/* Makes INDEX one that no group has. Returns 0, or a negative errno. */
static int free_index(struct bpf_engine *b, uint32_t index)
{
	return bpf_map_update_elem(bpf_map__fd(b->skel->maps.sum_free), NULL, &index, BPF_ANY);
}

void sums__choose_maps(struct bpf_engine *b)
{
	uint32_t sums = b->skel->rodata->cfg.sums;
	bool quantiles = sums && !(sums & SUM_NO_QUANTILES), files = sums & SUM_BY_FILE;

	bpf_map__set_autocreate(b->skel->maps.sums, sums);
	bpf_map__set_autocreate(b->skel->maps.sum_groups, sums);
	bpf_map__set_autocreate(b->skel->maps.sum_files, files);
	bpf_map__set_autocreate(b->skel->maps.sum_free, sums);
	bpf_map__set_autocreate(b->skel->maps.sum_times, quantiles);
	bpf_map__set_autocreate(b->skel->maps.sum_buckets, quantiles);
	bpf_map__set_autocreate(b->skel->maps.sum_tasks, sums);
	bpf_map__set_autocreate(b->skel->maps.sum_rooms, sums);
	if (!files)
		bpf_map__set_max_entries(b->skel->maps.sums, STREAM_SLOTS + SUMS_MAX);
}

int sums__prepare(struct bpf_engine *b, char *problem)
{
	int err = 0;

	if (!b->skel->rodata->cfg.sums)
		return 0;
	for (uint32_t i = STREAM_SLOTS; i < bpf_map__max_entries(b->skel->maps.sums) && !err; i++)
		err = free_index(b, i);
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

static struct tally *tally_of(struct sums *s, uint32_t index)
{
	struct group *group = groups__at(s->tallies, (const char *)&index, sizeof(index));

	return group ? group->value : NULL;
}

static int add_bucket(struct sums *s, const void *entry, const void *value)
{
	const struct sum_bucket *key = entry;
	const uint64_t *counts = value;
	struct tally *tally = tally_of(s, key->group);
	uint64_t n = 0;

	if (!tally)
		return -ENOMEM;
	for (int i = 0; i < s->n_cpus; i++)
		n += counts[i];
	return sketch__add_bucket(key->wait ? &tally->wait : &tally->time, key->bucket, n);
}

static bool has_quantiles(const struct sums *s)
{
	return !(s->b->skel->rodata->cfg.sums & SUM_NO_QUANTILES);
}

static int read_buckets(struct sums *s)
{
	const struct map_reader r = { .fd = bpf_map__fd(s->b->skel->maps.sum_buckets),
				      .key_size = sizeof(struct sum_bucket),
				      .value_size = s->n_cpus * sizeof(uint64_t),
				      .entry = add_bucket };

	return has_quantiles(s) ? read_map(s, &r) : 0;
}

/* Adds the times of an array to the tally of its group. */
static int add_times(struct sums *s, const struct sum_times *times)
{
	struct tally *tally = tally_of(s, times->group);
	int err = tally ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < BUCKET_COUNT && !err; i++)
		if (times->n[i])
			err = sketch__add_bucket(&tally->time, i, times->n[i]);
	return err;
}

static int read_times(struct sums *s)
{
	int err = 0;

	for (uint32_t place = 0; place < SUM_PLACES && has_quantiles(s) && !err; place++) {
		err = bpf_map_lookup_elem(bpf_map__fd(s->b->skel->maps.sum_times), &place,
					  s->times);
		for (int cpu = 0; cpu < s->n_cpus && !err; cpu++)
			if (s->times[cpu].group)
				err = add_times(s, &s->times[cpu]);
	}
	return err;
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
	if (!(s->b->skel->rodata->cfg.sums & SUM_BY_OPERATION))
		return NULL;
	return key->stream == STREAM_BLOCK ? s->b->names.ops_lower[key->op] :
					     operation__name(key->stream, key->op);
}

/* Removes the group KEY, which has INDEX. A program may still be about to add to it, so the index
 * is free only from the next reading on. Returns 0, or a negative errno. */
static int remove_group(struct sums *s, const struct sum_key *key, uint32_t index)
{
	struct sums_removed *r = &s->b->sums_removed;
	uint32_t *grown = array__grow(r->indexes, r->n, &r->capacity, sizeof(*grown));
	int err;

	if (!grown)
		return -ENOMEM;
	r->indexes = grown;
	err = bpf_map_delete_elem(s->map, key);
	if (!err)
		grown[r->n++] = index;
	return err;
}

/* Frees the indexes of groups that were removed at the last reading. */
static int free_removed(struct sums *s)
{
	struct sums_removed *r = &s->b->sums_removed;
	int err = 0;

	memset(s->values, 0, s->n_cpus * sizeof(*s->values));
	while (r->n && !err) {
		uint32_t index = r->indexes[r->n - 1];

		err = bpf_map_update_elem(bpf_map__fd(s->b->skel->maps.sums), &index, s->values,
					  BPF_ANY);
		if (!err)
			err = free_index(s->b, index);
		r->n -= !err;
	}
	return err;
}

/* Tells the sum of the group KEY, which has INDEX. Returns what TELL has returned. */
static int tell_group(struct sums *s, const struct sum_key *key, uint32_t index)
{
	struct sum_value all = { 0 };
	struct sum_task who;
	struct tally *tally;
	struct engine_sum sum;
	int err = bpf_map_lookup_elem(bpf_map__fd(s->b->skel->maps.sums), &index, s->values);

	for (int i = 0; i < s->n_cpus && !err; i++)
		add_value(&all, &s->values[i]);
	if (!all.calls)
		return err;
	tally = tally_of(s, index);
	if (!tally)
		return -ENOMEM;
	fill_tally(tally, key, &all);
	find_command(s, key, &who);
	sum = (struct engine_sum){
		.stream = key->stream,
		.others = index<STREAM_SLOTS, .operation = operation_of(s, key), .pid = key->pid,
				.command = who.comm, .cgroup = key->cgroup,
				.uid = (int64_t)key->uid - 1, .file = key->file, .dev = key->dev,
				.written = all.written, .timed = all.time.n, .error = key->error,
				.minute = key->minute, .size = key->size> 1 ?
				  INT64_C(1) << (key->size - 2) :
				  (int64_t)key->size - 1,
		.tally = tally
	};
	if (key->stream == STREAM_BLOCK && key->error)
		sum.error = encode__block_errno((int32_t)key->error);
	return s->tell(s->arg, &sum);
}

static int tell_sum(struct sums *s, const void *entry, const void *value)
{
	const uint32_t *index = value;
	int err = tell_group(s, entry, *index);

	return err == ENGINE_SUM_DROP ? remove_group(s, entry, *index) : err;
}

/* Tells the sums of what found no room. */
static int tell_others(struct sums *s)
{
	int err = 0;

	for (uint32_t stream = 0; stream < STREAM_CAPTURED && !err; stream++) {
		const struct sum_key key = { .stream = stream };

		err = tell_group(s, &key, stream);
	}
	return err == ENGINE_SUM_DROP ? 0 : err;
}

static int tell_sums(struct sums *s)
{
	struct map_reader r = { .fd = bpf_map__fd(s->b->skel->maps.sum_groups),
				.key_size = sizeof(struct sum_key),
				.value_size = sizeof(uint32_t),
				.entry = tell_sum };
	int err = read_map(s, &r);

	r.fd = bpf_map__fd(s->b->skel->maps.sum_files);
	if (!err && r.fd >= 0)
		err = read_map(s, &r);
	return err ?: tell_others(s);
}

static int read_all(struct sums *s)
{
	int err = free_removed(s);

	if (!err)
		err = read_buckets(s);
	if (!err)
		err = read_times(s);
	if (!err)
		err = tell_sums(s);
	if (s->b->sums_removed.n)
		s->b->skel->data->sums_epoch++;
	return err;
}

int sums__tell(struct engine *e, engine_sum_fn tell, void *arg, uint64_t *ret_untimed)
{
	/* Each sum is a group; none is dropped. */
	const struct groups_config config = { .value_size = sizeof(struct tally),
					      .max_groups = SUM_INDEXES,
					      .max_bytes = SIZE_MAX,
					      .drop = clear_tally };
	struct sums s = { .b = (struct bpf_engine *)e,
			  .n_cpus = libbpf_num_possible_cpus(),
			  .tell = tell,
			  .arg = arg };
	int err;

	if (!s.b->skel->rodata->cfg.sums)
		return -EINVAL;
	if (s.n_cpus < 0)
		return s.n_cpus;
	s.values = calloc(s.n_cpus, sizeof(*s.values));
	s.times = calloc(s.n_cpus, sizeof(*s.times));
	err = s.values && s.times ? groups__new(&s.tallies, &config) : -ENOMEM;
	if (!err)
		err = read_all(&s);
	if (!err)
		*ret_untimed = s.b->skel->bss->sum_buckets_full;
	groups__free(s.tallies);
	free(s.times);
	free(s.values);
	return err;
}
