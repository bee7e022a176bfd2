// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/kept.h"

#define BUFFER (1 << 20)

struct keep {
	FILE *file;
	int error; /* the first error, a negative errno */
	size_t n_offsets;
	const struct sink *to;
	struct sink sink;
};

#define SIZE_OF_DEFINITION(type, record, ...) [type] = sizeof(record),
#define SIZE_OF_EVENT(type, stream, record, ...) [type] = sizeof(record),
const u32 kept_sizes[RECORD_TYPES_MAX] = { DEFINITION_TYPES(SIZE_OF_DEFINITION)
						   EVENT_TYPES(SIZE_OF_EVENT) };

static void put(struct keep *k, const void *data, size_t size)
{
	if (!k->error && fwrite(data, 1, size, k->file) != size)
		k->error = -errno;
}

static void put_entry(struct keep *k, enum kept_kind kind, const void *record, size_t size)
{
	static const char zeros[KEPT_ALIGN];
	struct kept_entry entry = { .size = size, .kind = kind };

	put(k, &entry, sizeof(entry));
	put(k, record, size);
	put(k, zeros, -size % KEPT_ALIGN);
}

/* The bytes of RECORD in use: the kernel's buffer may contain more bytes behind the text of a
 * definition. */
static size_t used(const void *record, size_t size)
{
	const struct rec_path *path = record;
	const struct rec_task *task = record;
	size_t n = size;

	if (path->type == REC_PATH)
		n = sizeof(*path) + path->len;
	else if (task->type == REC_TASK)
		n = sizeof(*task) + task->len;
	return n < size ? n : size;
}

static void keep_definition(void *arg, const void *record, size_t size)
{
	struct keep *k = arg;

	put_entry(k, KEPT_DEFINITION, record, used(record, size));
	k->to->define(k->to->arg, record, size);
}

static void keep_event(void *arg, const void *record, size_t size)
{
	struct keep *k = arg;

	put_entry(k, KEPT_EVENT, record, size);
	k->to->event(k->to->arg, record, size);
}

static void pass_expected(void *arg, const void *place)
{
	struct keep *k = arg;

	if (k->to->expect)
		k->to->expect(k->to->arg, place);
}

static void pass_clock(void *arg, uint64_t mono_ns, int64_t offset_ns)
{
	struct keep *k = arg;

	k->to->clock(k->to->arg, mono_ns, offset_ns);
}

static FILE *make(const char *name, uid_t uid, gid_t gid)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), err;
	FILE *file = fd < 0 || fchown(fd, uid, gid) ? NULL : fdopen(fd, "w");

	if (file || fd < 0)
		return file;
	err = errno;
	close(fd);
	errno = err;
	return NULL;
}

int keep__new(struct keep **ret, const char *file, uid_t uid, gid_t gid,
	      const struct reqnames *names)
{
	struct kept_head head = { .magic = KEPT_MAGIC,
				  .version = KEPT_VERSION,
				  .order = KEPT_ORDER };
	struct keep *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->file = make(file, uid, gid);
	if (!k->file) {
		err = -errno;
		free(k);
		return err;
	}
	setvbuf(k->file, NULL, _IOFBF, BUFFER);
	memcpy(head.sizes, kept_sizes, sizeof(head.sizes));
	if (names)
		head.names = *names;
	put(k, &head, sizeof(head));
	*ret = k;
	return 0;
}

const struct sink *keep__sink(struct keep *k, const struct sink *sink)
{
	k->to = sink;
	k->sink = (struct sink){
		.define = keep_definition,
		.event = keep_event,
		.expect = pass_expected,
		.clock = pass_clock,
		.arg = k,
	};
	return &k->sink;
}

void keep__clock(struct keep *k, struct clock *clock)
{
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];
	size_t n = clock__offsets(clock, offsets);

	for (; k->n_offsets < n; k->n_offsets++) {
		const struct clock_offset *o = &offsets[k->n_offsets];
		struct kept_clock entry = { o->from_mono_ns, o->offset_ns };

		put_entry(k, KEPT_CLOCK, &entry, sizeof(entry));
	}
}

int keep__close(struct keep *k)
{
	if (k->file && fclose(k->file) && !k->error)
		k->error = -errno;
	k->file = NULL;
	return k->error;
}

struct keep *keep__free(struct keep *k)
{
	if (k)
		keep__close(k);
	free(k);
	return NULL;
}
