// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/row_clock.h"

#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"

/* Up to 2096, so that no sum of two times overflows. */
#define LIMIT_NS INT64_C(4000000000000000000)
/* Wall times in rows are cut to microseconds; a listed step is at least 500 microseconds. */
#define SAME_NS (100 * 1000)

/* Returns local wall time minus mono_ns. */
static int64_t local_ns(const struct clock_offset *o)
{
	return o->offset_ns + o->utc_offset_s * (int64_t)NSEC_PER_SEC;
}

static bool same(int64_t a_ns, int64_t b_ns)
{
	return llabs(a_ns - b_ns) <= SAME_NS;
}

/* Returns the offset in force at MONO_NS, which is the last listed one or a later one. */
static size_t find(const struct row_clock *c, uint64_t mono_ns)
{
	size_t i = c->n - 1;

	while (i >= c->known && mono_ns < c->offsets[i].from_mono_ns)
		i--;
	return i;
}

/* Splits LOCAL_NS, a change of wall time plus a change of the UTC offset: either the clock was set
 * or the UTC offset changed. It is a change of the UTC offset if this machine's time zone, which
 * may be the recorder's, had one then. */
static struct clock_offset explain(const struct clock_offset *before, int64_t local,
				   uint64_t mono_ns)
{
	int64_t real_ns = mono_ns + before->offset_ns;
	struct clock_offset o = { mono_ns, local - before->utc_offset_s * (int64_t)NSEC_PER_SEC,
				  before->utc_offset_s };
	int32_t utc_offset_s = clock__utc_offset(real_ns / (int64_t)NSEC_PER_SEC);

	if (clock__utc_offset((int64_t)(before->from_mono_ns + before->offset_ns) /
			      (int64_t)NSEC_PER_SEC) != before->utc_offset_s)
		return o;
	if (!same(before->offset_ns + utc_offset_s * (int64_t)NSEC_PER_SEC, local)) {
		utc_offset_s =
			clock__utc_offset((int64_t)(mono_ns + o.offset_ns) / (int64_t)NSEC_PER_SEC);
		o.offset_ns = local - utc_offset_s * (int64_t)NSEC_PER_SEC;
	} else {
		o.offset_ns = before->offset_ns;
	}
	o.utc_offset_s = utc_offset_s;
	return o;
}

bool row_clock__list(struct row_clock *c, const struct clock_offset *offsets, size_t n)
{
	c->n = c->known = 0;
	if (!n || n > CLOCK_OFFSETS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (offsets[i].from_mono_ns > LIMIT_NS || offsets[i].offset_ns > LIMIT_NS ||
		    offsets[i].offset_ns < -LIMIT_NS ||
		    (i && offsets[i].from_mono_ns <= offsets[i - 1].from_mono_ns))
			return false;
	memcpy(c->offsets, offsets, n * sizeof(*offsets));
	c->n = c->known = n;
	return true;
}

bool row_clock__row(struct row_clock *c, int64_t wall_us, uint64_t mono_ns)
{
	struct clock_offset *at, *next;
	int64_t local;
	size_t i;

	if (!c->known || c->n == CLOCK_OFFSETS_MAX ||
	    mono_ns < c->offsets[c->known - 1].from_mono_ns || mono_ns > LIMIT_NS || wall_us < 0 ||
	    wall_us > LIMIT_NS / 1000)
		return false;
	local = wall_us * 1000 - (int64_t)mono_ns;
	i = find(c, mono_ns);
	at = &c->offsets[i];
	next = at + 1;
	if (same(local, local_ns(at)))
		return false;
	if (i + 1 < c->n && same(local, local_ns(next))) {
		next->from_mono_ns = mono_ns;
		return true;
	}
	memmove(next + 1, next, (c->n - i - 1) * sizeof(*next));
	*next = explain(at, local, mono_ns);
	c->n++;
	return true;
}
