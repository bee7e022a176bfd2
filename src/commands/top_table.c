// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/top_table.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/groups.h"
#include "base/clock.h"
#include "base/containers.h"
#include "base/csv.h"
#include "base/hash.h"
#include "commands/container_follower.h"
#include "commands/live_names.h"
#include "commands/top_flows.h"
#include "platform/macros.h"
#include "platform/sort.h"
#include "schema/records.h"
#include "schema/sums.h"

const char *const top_view_names[] = { "process", "file",    "device",    "container",
				       "user",    "command", "connection" };
const char *const top_view_heads[] = { "PROCESS", "FILE",    "DEVICE",    "CONTAINER",
				       "USER",    "COMMAND", "CONNECTION" };
const char *const top_heads[2][TOP_HEADS] = {
	{ "CALLS/s", "ERRORS/s", "READ/s", "WRITE/s", "LATENCY" },
	{ "SEGM/s", "AGAIN/s", "RECV/s", "SENT/s", "RTT" },
};
const char *const top_sort_names[] = { "bytes",   "calls",   "errors", "read",
				       "written", "latency", "time" };
_Static_assert(ARRAY_SIZE(top_view_names) == TOP_VIEWS, "a name for each view");
_Static_assert(ARRAY_SIZE(top_sort_names) == TOP_SORTS, "a name for each order");

#define SUMS_BY \
	(SUM_ON | SUM_BY_PROCESS | SUM_BY_CONTAINER | SUM_BY_USER | SUM_BY_DEVICE | SUM_BY_FILE | \
	 SUM_NO_QUANTILES)
/* Sums kept here: as many as fit in the kernel, and those that were removed there. */
#define PAIRS_MAX 65536
/* Groups that were not used for this many refreshes are removed from the kernel. */
#define IDLE_LOOKS 10

/* The key of a sum. */
struct pair_key {
	uint64_t file, cgroup;
	int64_t uid;
	uint32_t pid, dev, stream, others;
};

/* A sum at the last refresh, and what was added since the one before. */
struct interval_sum {
	struct top_counts last, added;
	unsigned int idle;
	char command[COMM_BYTES + 1];
};

struct top_table {
	struct engine *engine;
	struct live_names *names;
	struct top_flows *flows;
	struct containers *containers; /* NULL: show ids of cgroups */
	struct container_follower *follower;
	struct groups *pairs;
	struct groups *rows; /* of the last top_table__rows(), by name; values are struct top_row */
	struct top_row *sorted;
	uint64_t looked_ns, span_ns, without_file;
	int err;
};

/* ---- the engine ---- */

int top_table__new(struct top_table **ret, const struct selection *selection,
		   const struct memory_plan *plan, char *problem)
{
	const struct groups_config pairs = { .value_size = sizeof(struct interval_sum),
					     .max_groups = PAIRS_MAX,
					     .max_bytes = SIZE_MAX };
	const struct engine_config config = { .selection = selection,
					      .memory = plan,
					      .sums = SUMS_BY };
	struct top_table *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return engine__problem(problem, -ENOMEM, "out of memory");
	err = engine__open(&t->engine, engines[0], &config, problem);
	if (!err) {
		err = live_names__new(&t->names, t->engine, selection, plan);
		if (!err)
			err = groups__new(&t->pairs, &pairs);
		if (!err)
			err = container_follower__new(&t->follower, t->engine, selection, true);
		if (!err)
			err = top_flows__new(&t->flows);
		/* What connections have moved so far does not count. */
		if (!err)
			err = top_flows__look(t->flows, t->engine, 0);
		if (err)
			engine__problem(problem, err, "out of memory");
	}
	if (err) {
		top_table__free(t);
		return err;
	}
	if (!containers__new(&t->containers))
		containers__watch(t->containers);
	t->looked_ns = clock__mono_ns();
	*ret = t;
	return 0;
}

struct top_table *top_table__free(struct top_table *t)
{
	if (!t)
		return NULL;
	container_follower__free(t->follower);
	live_names__free(t->names);
	engine__free(t->engine);
	top_flows__free(t->flows);
	containers__free(t->containers);
	groups__free(t->pairs);
	groups__free(t->rows);
	free(t->sorted);
	free(t);
	return NULL;
}

bool top_table__drain(struct top_table *t)
{
	return live_names__drain(t->names);
}

/* Finds the command of a process whose main thread has made no call since the start. */
static void find_command(uint32_t pid, char command[COMM_BYTES + 1])
{
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(command, COMM_BYTES + 1, file))
		command[strcspn(command, "\n")] = '\0';
	if (file)
		fclose(file);
}

static int count_sum(void *arg, const struct engine_sum *sum)
{
	struct pair_key key = { sum->file, sum->cgroup, sum->uid,   sum->pid,
				sum->dev,  sum->stream, sum->others };
	const struct tally *n = sum->tally;
	struct top_counts now = {
		n->calls,     n->errors,  n->amount > sum->written ? n->amount - sum->written : 0,
		sum->written, n->time_ns, sum->timed
	};
	struct top_table *t = arg;
	struct group *group = groups__at(t->pairs, (const char *)&key, sizeof(key));
	struct interval_sum *p;

	if (!group)
		return -ENOMEM;
	p = group->value;
	p->added = now;
	top_counts__subtract(&p->added, &p->last);
	p->last = now;
	group->weight = clock__mono_ns();
	if (*sum->command)
		snprintf(p->command, sizeof(p->command), "%s", sum->command);
	if (p->added.calls) {
		p->idle = 0;
		if (!*p->command && sum->pid)
			find_command(sum->pid, p->command);
		t->without_file += sum->stream == STREAM_FS && !sum->file ? p->added.calls : 0;
		return 0;
	}
	if (!sum->file || ++p->idle < IDLE_LOOKS)
		return 0;
	p->last = (struct top_counts){ 0 };
	return ENGINE_SUM_DROP;
}

/* Looks for new containers if there are, or may be, new cgroups. */
static void look_for_containers(struct top_table *t)
{
	struct pollfd p = { .fd = t->containers ? containers__watch(t->containers) : -1,
			    .events = POLLIN };
	bool all_named;

	if (!t->containers || (p.fd >= 0 && poll(&p, 1, 0) <= 0))
		return;
	containers__watched(t->containers);
	containers__refresh(t->containers, &all_named);
}

int top_table__look(struct top_table *t)
{
	uint64_t now = clock__mono_ns(), untimed;
	int err;

	t->span_ns = now - t->looked_ns;
	t->looked_ns = now;
	t->without_file = 0;
	look_for_containers(t);
	for (size_t i = 0; i < groups__count(t->pairs); i++)
		((struct interval_sum *)groups__get(t->pairs, i)->value)->added =
			(struct top_counts){ 0 };
	err = top_flows__look(t->flows, t->engine, t->span_ns);
	if (!err)
		err = engine__sums(t->engine, count_sum, t, &untimed);
	/* Names are sent before calls are summed up: now those of all these files are here. */
	top_table__drain(t);
	return err;
}

uint64_t top_table__span_ns(const struct top_table *t)
{
	return t->span_ns;
}

uint64_t top_table__without_file(const struct top_table *t)
{
	return t->without_file;
}

uint64_t top_table__missing(const struct top_table *t)
{
	uint64_t missed[STREAM_CAPTURED] = { 0 }, sum = 0;
	struct engine_counts counts;

	engine__missed(t->engine, missed);
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		engine__counts(t->engine, s, &counts);
		sum += counts.lost + missed[s];
	}
	return sum;
}

/* ---- names ---- */

static char *name_process(const struct pair_key *key, const struct interval_sum *p, char *to)
{
	to = csv__u64(to, key->pid);
	*to++ = ' ';
	return csv__escape(to, p->command, strlen(p->command));
}

static char *put_file_name(struct live_names *names, const struct pair_key *key, char *to)
{
	const struct engine_sum sum = { .file = key->file, .dev = key->dev };
	size_t len = 0;
	const char *name = key->file ? live_names__find(names, &sum, &len) : NULL;

	if (name)
		return csv__mem(to, name, len < TOP_NAME_MAX ? len : TOP_NAME_MAX);
	if (!key->file || !key->dev)
		return csv__mem(to, "-", 1);
	to = csv__device(to, key->dev >> 20, key->dev & 0xfffff);
	*to++ = '/';
	return csv__u64(to, key->file);
}

static char *name_container(const struct top_table *t, const struct pair_key *key, char *to)
{
	const char *name = t->containers ? containers__name(t->containers, key->cgroup) : NULL;

	if (name)
		return csv__escape(to, name, strlen(name));
	return key->cgroup ? csv__u64(to, key->cgroup) : csv__mem(to, "-", 1);
}

static char *name_user(const struct pair_key *key, char *to)
{
	struct passwd *entry = key->uid < 0 ? NULL : getpwuid((uid_t)key->uid);

	if (entry && strlen(entry->pw_name) < 64)
		return csv__escape(to, entry->pw_name, strlen(entry->pw_name));
	return key->uid < 0 ? csv__mem(to, "-", 1) : csv__u64(to, key->uid);
}

/* Writes the name of the pair in VIEW to TO, which has TOP_NAME_MAX and 64 bytes; returns its
 * end. */
static char *name_pair(struct top_table *t, enum top_view view, const struct pair_key *key,
		       const struct interval_sum *p, char *to)
{
	switch (view) {
	case TOP_PROCESSES:
		return key->pid ? name_process(key, p, to) : csv__mem(to, "-", 1);
	case TOP_FILES:
		return put_file_name(t->names, key, to);
	case TOP_DEVICES:
		return csv__device(to, key->dev >> 20, key->dev & 0xfffff);
	case TOP_CONTAINERS:
		return name_container(t, key, to);
	case TOP_USERS:
		return name_user(key, to);
	case TOP_COMMANDS:
		return *p->command ? csv__escape(to, p->command, strlen(p->command)) :
				     csv__mem(to, "-", 1);
	case TOP_CONNECTIONS: /* not made of pairs */
		break;
	}
	return to;
}

/* ---- rows ---- */

/* The key that distinguishes the rows of VIEW. */
static void identify(enum top_view view, const struct pair_key *key, const char *name, size_t len,
		     uint64_t *ret_id, uint64_t *ret_id2)
{
	*ret_id2 = 0;
	switch (view) {
	case TOP_PROCESSES:
		*ret_id = key->pid;
		break;
	case TOP_DEVICES:
		*ret_id = key->dev;
		break;
	case TOP_USERS:
		*ret_id = (uint64_t)key->uid;
		break;
	case TOP_FILES: /* a file may have several pairs, by the id of its path and by its inode */
	case TOP_CONTAINERS: /* and a container several cgroups */
	case TOP_COMMANDS:
	case TOP_CONNECTIONS:
		*ret_id = hash__fnv1a(name, len);
		*ret_id2 = len;
		break;
	}
}

/* Block requests belong to devices, everything else to calls. */
static bool is_shown(const struct top_level *level, const struct pair_key *key)
{
	bool devices = level->view == TOP_DEVICES || (level->narrowed && level->of == TOP_DEVICES);

	return !key->others && key->stream == (devices ? STREAM_BLOCK : STREAM_FS);
}

static bool belongs(struct top_table *t, const struct top_level *level, const struct pair_key *key,
		    const struct interval_sum *p)
{
	char name[TOP_NAME_MAX + 64];
	uint64_t id, id2;
	char *end = name;

	if (!level->narrowed)
		return true;
	if (level->of == TOP_FILES || level->of == TOP_COMMANDS || level->of == TOP_CONTAINERS)
		end = name_pair(t, level->of, key, p, name);
	identify(level->of, key, name, end - name, &id, &id2);
	return id == level->id && id2 == level->id2;
}

static int add_pair(struct top_table *t, const struct top_level *level, const char *filter,
		    const struct group *group, struct top_counts *all)
{
	char name[TOP_NAME_MAX + 64];
	const struct interval_sum *p = group->value;
	struct pair_key key;
	struct group *row;
	struct top_row *r;
	char *end;

	memcpy(&key, group->key, sizeof(key));
	if (!p->added.calls || !is_shown(level, &key) || !belongs(t, level, &key, p))
		return 0;
	top_counts__add(all, &p->added);
	end = name_pair(t, level->view, &key, p, name);
	*end++ = '\0'; /* part of the key, which has to end there */
	if (!strstr(name, filter))
		return 0;
	row = groups__at(t->rows, name, end - name);
	if (!row)
		return -ENOMEM;
	r = row->value;
	r->name = row->key;
	top_counts__add(&r->counts, &p->added);
	row->weight = r->counts.calls;
	identify(level->view, &key, name, end - 1 - name, &r->id, &r->id2);
	return 0;
}

struct flow_rows {
	struct top_table *t;
	const char *filter;
	struct top_counts *all;
};

static int add_flow(void *arg, const char *name, const struct top_counts *added)
{
	struct flow_rows *rows = arg;
	struct group *row;
	struct top_row *r;

	top_counts__add(rows->all, added);
	if (!strstr(name, rows->filter))
		return 0;
	row = groups__at(rows->t->rows, name, strlen(name) + 1);
	if (!row)
		return -ENOMEM;
	r = row->value;
	r->name = row->key;
	top_counts__add(&r->counts, added);
	row->weight = r->counts.calls;
	return 0;
}

/* Fills t->rows. */
static void collect(struct top_table *t, const struct top_level *level, const char *filter,
		    struct top_counts *all)
{
	struct flow_rows rows = { t, filter, all };

	if (level->view == TOP_CONNECTIONS) {
		top_flows__each(t->flows, add_flow, &rows);
		return;
	}
	for (size_t i = 0; i < groups__count(t->pairs); i++)
		if (add_pair(t, level, filter, groups__get(t->pairs, i), all))
			break;
}

static double weight_of(const struct top_counts *c, enum top_sort sort)
{
	switch (sort) {
	case TOP_BYTES:
		return (double)c->read + (double)c->written;
	case TOP_CALLS:
		return (double)c->calls;
	case TOP_ERRORS:
		return (double)c->errors;
	case TOP_READ:
		return (double)c->read;
	case TOP_WRITTEN:
		return (double)c->written;
	case TOP_LATENCY:
		return c->timed ? (double)c->time_ns / (double)c->timed : 0;
	case TOP_TIME:
		return (double)c->time_ns;
	}
	return 0;
}

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct top_row *x = a, *y = b;
	double more = weight_of(&y->counts, *(enum top_sort *)arg) -
		      weight_of(&x->counts, *(enum top_sort *)arg);

	if (more != 0)
		return more < 0 ? -1 : 1;
	if (x->counts.calls != y->counts.calls)
		return x->counts.calls < y->counts.calls ? 1 : -1;
	return strcmp(x->name, y->name);
}

size_t top_table__rows(struct top_table *t, const struct top_level *level, enum top_sort sort,
		       const char *filter, const struct top_row **ret, struct top_counts *ret_all)
{
	const struct groups_config config = { .value_size = sizeof(struct top_row),
					      .max_groups = PAIRS_MAX,
					      .max_bytes = SIZE_MAX };
	size_t n;

	t->rows = groups__free(t->rows);
	free(t->sorted);
	t->sorted = NULL;
	*ret_all = (struct top_counts){ 0 };
	if (groups__new(&t->rows, &config))
		return 0;
	collect(t, level, filter, ret_all);
	n = groups__count(t->rows);
	t->sorted = malloc((n + 1) * sizeof(*t->sorted));
	if (!t->sorted)
		return 0;
	for (size_t i = 0; i < n; i++)
		t->sorted[i] = *(const struct top_row *)groups__get(t->rows, i)->value;
	sort__by(t->sorted, n, sizeof(*t->sorted), by_weight, &sort);
	*ret = t->sorted;
	return n;
}

bool top_level__open(const struct top_level *from, const struct top_row *row, struct top_level *ret)
{
	size_t len = strlen(row->name), most = sizeof(ret->name) - 1;

	if (from->view == TOP_CONNECTIONS)
		return false;
	if (from->narrowed && from->of != TOP_CONTAINERS && from->of != TOP_USERS &&
	    from->of != TOP_COMMANDS)
		return false;
	*ret = (struct top_level){ .view = from->view == TOP_PROCESSES ? TOP_FILES : TOP_PROCESSES,
				   .narrowed = true,
				   .of = from->view,
				   .id = row->id,
				   .id2 = row->id2 };
	memcpy(ret->name, row->name + (len > most ? len - most : 0), len > most ? most : len);
	return true;
}

const char *top_table__share(char to[TOP_SHARE_MAX], enum top_view view, const struct top_counts *c,
			     uint64_t span_ns)
{
	double percent = 100 * (double)c->time_ns / (double)(span_ns ?: 1);

	if (view == TOP_CONNECTIONS)
		return "-";
	snprintf(to, TOP_SHARE_MAX, "%.1f%%", percent < 9999 ? percent : 9999);
	return to;
}
