// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/replay/sent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"
#include "schema/records.h"

#define SENT_MAX (1 << 20)

struct sent_place {
	u64 id; /* of paths and tasks: both use one counter; 0: free */
	size_t at;
	uint32_t epoch; /* in which it was sent last */
};

/* By id, with open addressing; at most half full. */
struct sent {
	struct sent_place *table;
	size_t n, size; /* size: a power of two */
	uint32_t epoch;
};

/* Offsets of the definitions' ids in an event; ends with 0. */
#define IDS_OF(type, stream, record, size, values, encoder, is_short, ...) [type] = { __VA_ARGS__ },
static const uint16_t ids_of[RECORD_TYPES_MAX][RECORD_IDS_MAX + 1] = { EVENT_TYPES(IDS_OF) };

static struct sent_place *find(struct sent_place *table, size_t size, u64 id)
{
	size_t i = id * UINT64_C(0x9e3779b97f4a7c15) >> 20;

	while (table[i & (size - 1)].id && table[i & (size - 1)].id != id)
		i++;
	return &table[i & (size - 1)];
}

static bool grow(struct sent *s)
{
	size_t size = s->size * 2;
	struct sent_place *table = s->n < SENT_MAX ? calloc(size, sizeof(*table)) : NULL;

	if (!table)
		return false;
	for (size_t i = 0; i < s->size; i++)
		if (s->table[i].id)
			*find(table, size, s->table[i].id) = s->table[i];
	free(s->table);
	s->table = table;
	s->size = size;
	return true;
}

int sent__new(struct sent **ret)
{
	struct sent *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->size = 1024;
	s->table = calloc(s->size, sizeof(*s->table));
	if (!s->table) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct sent *sent__free(struct sent *s)
{
	if (s)
		free(s->table);
	free(s);
	return NULL;
}

void sent__define(struct sent *s, const void *record, size_t size, size_t at)
{
	const struct rec_path *path = record;
	const struct rec_task *task = record;
	struct sent_place *p;
	u64 id = 0;

	if (size >= sizeof(*path) && path->type == REC_PATH)
		id = path->id;
	else if (size >= sizeof(*task) && task->type == REC_TASK)
		id = task->id;
	if (!id || (s->n >= s->size / 2 && !grow(s)))
		return;
	p = find(s->table, s->size, id);
	s->n += !p->id;
	*p = (struct sent_place){ id, at, s->epoch };
}

void sent__forget(struct sent *s)
{
	s->epoch++;
}

static void send_one(struct sent *s, u64 id, void (*send)(void *arg, size_t at), void *arg)
{
	struct sent_place *p = find(s->table, s->size, id);

	if (!p->id || p->epoch == s->epoch)
		return;
	p->epoch = s->epoch;
	send(arg, p->at);
}

void sent__use(struct sent *s, const void *record, size_t size, void (*send)(void *arg, size_t at),
	       void *arg)
{
	const uint16_t *at;

	if (!s->epoch)
		return;
	for (at = ids_of[*(const uint8_t *)record % RECORD_TYPES_MAX]; *at; at++) {
		u64 id;

		if (*at + sizeof(id) > size)
			return;
		memcpy(&id, (const char *)record + *at, sizeof(id));
		if (id)
			send_one(s, id, send, arg);
	}
}
