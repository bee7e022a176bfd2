// SPDX-License-Identifier: GPL-2.0-or-later
/* As in doc/xxhash_spec.md of xxHash. */
#include "base/xxh64.h"

#include <string.h>

#include "platform/libc.h"

#define P1 UINT64_C(0x9e3779b185ebca87)
#define P2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define P3 UINT64_C(0x165667b19e3779f9)
#define P4 UINT64_C(0x85ebca77c2b2ae63)
#define P5 UINT64_C(0x27d4eb2f165667c5)

static uint64_t rotate(uint64_t v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static uint64_t read_64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint32_t read_32(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t mix(uint64_t lane, uint64_t input)
{
	return rotate(lane + input * P2, 31) * P1;
}

void xxh64__begin(struct xxh64 *x)
{
	*x = (struct xxh64){ .lanes = { P1 + P2, P2, 0, -P1 } };
}

/* Mixes N times 32 bytes into the lanes. */
static void take(struct xxh64 *x, const unsigned char *p, size_t n)
{
	uint64_t a = x->lanes[0], b = x->lanes[1], c = x->lanes[2], d = x->lanes[3];

	for (; n; n--, p += 32) {
		a = mix(a, read_64(p));
		b = mix(b, read_64(p + 8));
		c = mix(c, read_64(p + 16));
		d = mix(d, read_64(p + 24));
	}
	x->lanes[0] = a;
	x->lanes[1] = b;
	x->lanes[2] = c;
	x->lanes[3] = d;
}

void xxh64__add(struct xxh64 *x, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t have = x->total % 32;

	x->total += len;
	if (have + len < 32) {
		memcpy(x->rest + have, p, len);
		return;
	}
	if (have) {
		memcpy(x->rest + have, p, 32 - have);
		take(x, x->rest, 1);
		p += 32 - have;
		len -= 32 - have;
	}
	take(x, p, len / 32);
	memcpy(x->rest, p + len / 32 * 32, len % 32);
}

/* The lanes as one number. */
static uint64_t join(const struct xxh64 *x)
{
	uint64_t h = rotate(x->lanes[0], 1) + rotate(x->lanes[1], 7) + rotate(x->lanes[2], 12) +
		     rotate(x->lanes[3], 18);

	for (int i = 0; i < 4; i++)
		h = (h ^ mix(0, x->lanes[i])) * P1 + P4;
	return h;
}

uint64_t xxh64__end(const struct xxh64 *x)
{
	uint64_t h = (x->total < 32 ? P5 : join(x)) + x->total;
	const unsigned char *p = x->rest, *end = p + x->total % 32;

	for (; end - p >= 8; p += 8)
		h = rotate(h ^ mix(0, read_64(p)), 27) * P1 + P4;
	for (; end - p >= 4; p += 4)
		h = rotate(h ^ read_32(p) * P1, 23) * P2 + P3;
	for (; p < end; p++)
		h = rotate(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}
