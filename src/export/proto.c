// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/proto.h"

#include <string.h>

#define VARINT 0
#define BYTES 2
/* Lengths have the maximum number of bytes (leading zeroes are allowed), so that they can be
 * written last. */
#define LENGTH_BYTES 4

static void byte(struct proto *p, uint8_t v)
{
	if (p->len == p->size)
		p->full = true;
	else
		p->at[p->len++] = v;
}

static void varint(struct proto *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		byte(p, v | 0x80);
	byte(p, v);
}

void proto__uint(struct proto *p, unsigned int field, uint64_t v)
{
	varint(p, field << 3 | VARINT);
	varint(p, v);
}

void proto__bytes(struct proto *p, unsigned int field, const char *s, size_t len)
{
	varint(p, field << 3 | BYTES);
	varint(p, len);
	if (len > p->size - p->len) {
		p->full = true;
		return;
	}
	memcpy(p->at + p->len, s, len);
	p->len += len;
}

void proto__text(struct proto *p, unsigned int field, const char *s)
{
	proto__bytes(p, field, s, strlen(s));
}

size_t proto__begin(struct proto *p, unsigned int field)
{
	varint(p, field << 3 | BYTES);
	for (int i = 0; i < LENGTH_BYTES; i++)
		byte(p, 0);
	return p->len;
}

void proto__end(struct proto *p, size_t begun)
{
	size_t len = p->len - begun;

	if (p->full)
		return;
	for (int i = LENGTH_BYTES; i; i--, len >>= 7)
		p->at[begun - i] = (len & 0x7f) | (i > 1 ? 0x80 : 0);
}
