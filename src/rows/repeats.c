// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/repeats.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/hash.h"
#include "platform/libc.h"
#include "schema/fs_ops.h"
#include "schema/records.h"

/* When the table is full it is cleared: what was seen before counts as new again. */
#define SLOTS_FIRST (1 << 12)
#define SLOTS_MAX (1 << 20) /* 16 MiB */

/* Two hashes of what a record said; a single one would collide too often. Zero: free. */
struct repeat_slot {
	uint64_t where, what;
};

struct repeats {
	struct repeat_slot *slots; /* N_SLOTS, a power of two; at most three quarters are taken */
	size_t n_slots, n;
	uint64_t seeds[2];
	uint64_t task; /* of the last record, which is known */
};

int repeats__new(struct repeats **ret)
{
	struct repeats *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->n_slots = SLOTS_FIRST;
	r->slots = calloc(r->n_slots, sizeof(*r->slots));
	if (!r->slots || getrandom(r->seeds, sizeof(r->seeds), 0) != sizeof(r->seeds)) {
		repeats__free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

struct repeats *repeats__free(struct repeats *r)
{
	if (!r)
		return NULL;
	free(r->slots);
	free(r);
	return NULL;
}

/* Returns the slot of KEY, or the free one where it belongs. */
static struct repeat_slot *find(struct repeat_slot *slots, size_t n_slots, struct repeat_slot key)
{
	for (size_t i = key.where;; i++) {
		struct repeat_slot *s = &slots[i & (n_slots - 1)];

		if (!s->where || (s->where == key.where && s->what == key.what))
			return s;
	}
}

/* Makes room for one more slot. */
static void grow(struct repeats *r)
{
	struct repeat_slot *more = NULL;

	if (4 * (r->n + 1) <= 3 * r->n_slots)
		return;
	if (r->n_slots < SLOTS_MAX)
		more = calloc(2 * r->n_slots, sizeof(*more));
	if (!more) {
		memset(r->slots, 0, r->n_slots * sizeof(*r->slots));
		r->n = 0;
		return;
	}
	for (size_t i = 0; i < r->n_slots; i++)
		if (r->slots[i].where)
			*find(more, 2 * r->n_slots, r->slots[i]) = r->slots[i];
	free(r->slots);
	r->slots = more;
	r->n_slots *= 2;
}

/* ---- what a record says ---- */

enum subject { THREAD, LOOK, USE, MOVE };

/* Without padding: it is hashed as it is. */
struct repeated {
	uint64_t path, base, base2, ino;
	int64_t ret;   /* a negative errno, or 0 */
	uint64_t task; /* 0: any thread */
	uint32_t dev, has, lens, skips;
	uint32_t subject, op;
};
_Static_assert(sizeof(struct repeated) == 9 * sizeof(uint64_t), "no padding");

static struct repeat_slot key_of(const struct repeats *r, const struct repeated *s,
				 const char *text, size_t len)
{
	struct repeat_slot key;

	key.where = hash__bytes(r->seeds[0], s, sizeof(*s));
	key.what = hash__bytes(r->seeds[1], s, sizeof(*s));
	if (len) {
		key.where ^= hash__bytes(~r->seeds[0], text, len);
		key.what ^= hash__bytes(~r->seeds[1], text, len);
	}
	key.where += !key.where;
	return key;
}

/* Returns whether KEY was noted before, and notes it. */
static bool again(struct repeats *r, struct repeat_slot key)
{
	struct repeat_slot *s;

	grow(r);
	s = find(r->slots, r->n_slots, key);
	if (s->where)
		return true;
	*s = key;
	r->n++;
	return false;
}

static bool looks(const struct rec_fs *f)
{
	switch (f->op) {
	case FS_GETATTR:
	case FS_ACCESS:
	case FS_READLINK:
	case FS_GETXATTR:
	case FS_LISTXATTR:
	case FS_READDIR:
		return true;
	case FS_PROCESS_FORK:
	case FS_PROCESS_EXEC:
	case FS_PROCESS_EXIT:
		return false;
	}
	return f->ret < 0;
}

/* Whether F reads or maps a file without changing it. PROT_WRITE and MAP_PRIVATE are the same on
 * all systems that records come from. */
static bool uses(const struct rec_fs *f, const struct rec_fs_long *l)
{
	if (!f->path || (l && l->has & (LONG_HAS_REQUESTED | LONG_TWO_FILES)))
		return false;
	if (f->op == FS_MMAP)
		return l && l->has & LONG_HAS_PROT &&
		       (!(l->aux & PROT_WRITE) || l->aux2 & MAP_PRIVATE);
	return f->op == FS_READ;
}

static bool knows_thread(struct repeats *r, uint64_t task)
{
	struct repeated s = { .subject = THREAD, .task = task };

	if (task == r->task)
		return true;
	r->task = task;
	return again(r, key_of(r, &s, NULL, 0));
}

/* A read that moved nothing repeats one that moved bytes, but not the other way round. */
static bool used_again(struct repeats *r, const struct rec_fs *f, struct repeated *s)
{
	s->subject = f->op == FS_MMAP || f->ret > 0 ? MOVE : USE;
	s->task = f->task;
	if (s->subject == USE) {
		struct repeated more = *s;

		more.subject = MOVE;
		if (find(r->slots, r->n_slots, key_of(r, &more, NULL, 0))->where)
			return true;
	}
	return again(r, key_of(r, s, NULL, 0));
}

bool repeats__has(struct repeats *r, const void *record)
{
	const struct rec_fs *f = record;
	const struct rec_fs_long *l = f->type == REC_FS_LONG ? record : NULL;
	struct repeated s = { .path = f->path, .ret = f->ret < 0 ? f->ret : 0, .op = f->op };
	bool known;

	if (f->type != REC_FS && f->type != REC_FS_LONG)
		return false;
	known = knows_thread(r, f->task);
	if (f->has & FS_NO_RESULT)
		return false;
	if (!looks(f))
		return uses(f, l) && used_again(r, f, &s) && known;
	s.subject = LOOK;
	if (l) {
		s.base = l->base;
		s.base2 = l->base2;
		s.has = l->has & (LONG_HAS_REQUESTED | LONG_HAS_REQUESTED2 | LONG_LINK_TARGET |
				  LONG_TWO_FILES | LONG_CONFINED);
		s.ino = l->has & LONG_HAS_INODE ? l->ino : 0;
		s.dev = l->has & LONG_HAS_INODE ? l->dev : 0;
		s.lens = l->len | (uint32_t)l->len2 << 16;
		s.skips = l->skip | (uint32_t)l->skip2 << 16;
	}
	return again(r, key_of(r, &s, l ? l->requested : NULL, l ? l->len + (size_t)l->len2 : 0)) &&
	       known;
}
