// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine that reads records from a file (kept.h), so that everything from record to row, file
 * and upload runs without root, eBPF or Linux. The file is untrusted: reading ends at the first
 * invalid entry. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/kept.h"
#include "engine/replay/sent.h"

/* Passed at once, so that the queue has space for the resulting rows. */
#define BATCH (64 * 1024)

struct replay {
	struct engine engine;
	uint32_t streams;
	const char *data;
	size_t size;  /* of the file */
	size_t whole; /* the end of its last entry */
	size_t at, marked;
	size_t waited_at; /* the position at the last call of wait */
	int watched;      /* descriptor, or negative */
	struct sent *sent;
	atomic_uint_least64_t seen[STREAM_CAPTURED];
	const struct sink *sink; /* during drain */
	char warning[128];
};

#define STREAM_OF(type, stream, ...) [type] = 1 + (stream),
static const uint8_t streams_of[RECORD_TYPES_MAX] = { EVENT_TYPES(STREAM_OF) };

/* Returns the entry at AT, which was found to be complete. */
static const struct kept_entry *entry_at(const struct replay *r, size_t at)
{
	return (const struct kept_entry *)(r->data + at);
}

static size_t entry_end(const struct replay *r, size_t at)
{
	size_t size = entry_at(r, at)->size;

	return at + sizeof(struct kept_entry) + size + -size % KEPT_ALIGN;
}

/* The minimum that the sink may read before it knows the type of a record. */
static size_t least(uint32_t kind)
{
	switch (kind) {
	case KEPT_DEFINITION:
		return 1;
	case KEPT_EVENT:
		return offsetof(struct rec_fs, ns) + sizeof(u64);
	case KEPT_CLOCK:
		return sizeof(struct kept_clock);
	}
	return SIZE_MAX;
}

static bool whole_at(const struct replay *r, size_t at)
{
	const struct kept_entry *e = entry_at(r, at);

	return r->size - at >= sizeof(*e) && e->size <= KEPT_RECORD_MAX &&
	       e->size >= least(e->kind) &&
	       r->size - at - sizeof(*e) >= e->size + -(size_t)e->size % KEPT_ALIGN;
}

/* They are copied into rows without change. */
static bool names_are_words(const struct reqnames *names)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char(*name)[REQNAMES_BYTES] = (const void *)names;

	for (size_t i = 0; i < sizeof(*names) / sizeof(*name); i++)
		if (!memchr(name[i], 0, sizeof(*name)) || name[i][strspn(name[i], allowed)])
			return false;
	return true;
}

static int check_head(const struct replay *r, const char *file, char *problem)
{
	const struct kept_head *head = (const struct kept_head *)r->data;

	if (r->size < sizeof(*head) || memcmp(head->magic, KEPT_MAGIC, sizeof(head->magic)))
		return engine__problem(problem, -EINVAL, "%.200s: not a file of --keep-records",
				       file);
	if (head->order != KEPT_ORDER || head->version != KEPT_VERSION ||
	    memcmp(head->sizes, kept_sizes, sizeof(head->sizes)))
		return engine__problem(
			problem, -EINVAL,
			"%.200s: kept by another version, or on another kind of machine", file);
	if (!names_are_words(&head->names))
		return engine__problem(problem, -EINVAL, "%.200s: damaged", file);
	return 0;
}

static int map_file(struct replay *r, const char *file, char *problem)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = fd < 0 ? -errno : 0;
	void *p = MAP_FAILED;
	struct stat st;

	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err && (!S_ISREG(st.st_mode) || !st.st_size))
		err = -EINVAL;
	if (!err) {
		p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		err = p == MAP_FAILED ? -errno : 0;
	}
	if (fd >= 0)
		close(fd);
	if (err)
		return engine__problem(problem, err, "cannot read %.200s: %s", file,
				       strerror(-err));
	r->data = p;
	r->size = st.st_size;
	return 0;
}

static void free_replay(struct engine *e)
{
	struct replay *r = (struct replay *)e;

	if (r->data)
		munmap((void *)r->data, r->size);
	sent__free(r->sent);
	free(r);
}

static void find_end(struct replay *r)
{
	r->at = r->marked = r->whole = sizeof(struct kept_head);
	while (r->whole < r->size && whole_at(r, r->whole))
		r->whole = entry_end(r, r->whole);
	if (r->whole < r->size)
		snprintf(r->warning, sizeof(r->warning),
			 "the records are cut short, or damaged: they end at byte %zu of %zu",
			 r->whole, r->size);
}

static int open_replay(struct engine **ret, const struct engine_config *config, char *problem)
{
	struct replay *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return engine__problem(problem, -ENOMEM, "out of memory");
	r->engine.type = &engine_replay;
	r->streams = config->selection->streams;
	r->watched = -1;
	err = map_file(r, config->file, problem);
	if (!err)
		err = check_head(r, config->file, problem);
	if (!err && sent__new(&r->sent))
		err = engine__problem(problem, -ENOMEM, "out of memory");
	if (err) {
		free_replay(&r->engine);
		return err;
	}
	find_end(r);
	*ret = &r->engine;
	return 0;
}

static void mark(struct engine *e)
{
	struct replay *r = (struct replay *)e;

	r->marked = r->whole - r->at > BATCH ? r->at + BATCH : r->whole;
}

/* Implements forget: a definition that was sent before is sent again before an event that uses
 * it. */
static void send_again(void *arg, size_t at)
{
	struct replay *r = arg;

	r->sink->define(r->sink->arg, entry_at(r, at) + 1, entry_at(r, at)->size);
}

static void hand_over(struct replay *r, size_t at)
{
	const struct kept_entry *e = entry_at(r, at);
	const void *record = e + 1;
	const struct kept_clock *clock = record;
	uint8_t stream;

	switch (e->kind) {
	case KEPT_DEFINITION:
		sent__define(r->sent, record, e->size, at);
		r->sink->define(r->sink->arg, record, e->size);
		return;
	case KEPT_CLOCK:
		r->sink->clock(r->sink->arg, clock->mono_ns, clock->offset_ns);
		return;
	}
	stream = streams_of[*(const uint8_t *)record % RECORD_TYPES_MAX];
	if (!stream || !(r->streams >> (stream - 1) & 1))
		return;
	sent__use(r->sent, record, e->size, send_again, r);
	atomic_fetch_add_explicit(&r->seen[stream - 1], 1, memory_order_relaxed);
	r->sink->event(r->sink->arg, record, e->size);
}

static void drain(struct engine *e, const struct sink *sink)
{
	struct replay *r = (struct replay *)e;

	r->sink = sink;
	for (; r->at < r->marked; r->at = entry_end(r, r->at))
		hand_over(r, r->at);
	r->sink = NULL;
}

static void wait_for_more(struct engine *e, int timeout_ms)
{
	struct replay *r = (struct replay *)e;
	struct pollfd p = { .fd = r->watched, .events = POLLIN };

	if (r->at == r->waited_at)
		poll(&p, 1, timeout_ms);
	r->waited_at = r->at;
}

static int watch(struct engine *e, int fd)
{
	((struct replay *)e)->watched = fd;
	return 0;
}

static bool ended(const struct engine *e)
{
	const struct replay *r = (const struct replay *)e;

	return r->at == r->whole;
}

static void counts(struct engine *e, enum stream stream, struct engine_counts *ret)
{
	struct replay *r = (struct replay *)e;

	ret->seen = atomic_load_explicit(&r->seen[stream], memory_order_relaxed);
}

static void forget(struct engine *e)
{
	sent__forget(((struct replay *)e)->sent);
}

static const char *warning(const struct engine *e)
{
	const struct replay *r = (const struct replay *)e;

	return *r->warning ? r->warning : NULL;
}

static const struct reqnames *request_names(const struct engine *e)
{
	return &((const struct kept_head *)((const struct replay *)e)->data)->names;
}

const struct engine_type engine_replay = {
	.name = "replay",
	.patient = true,
	.open = open_replay,
	.mark = mark,
	.drain = drain,
	.wait = wait_for_more,
	.watch = watch,
	.ended = ended,
	.counts = counts,
	.forget = forget,
	.warning = warning,
	.request_names = request_names,
	.free = free_replay,
};
