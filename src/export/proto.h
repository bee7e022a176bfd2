/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes Protocol Buffers (protobuf.dev/programming-guides/encoding) into memory: varints, bytes
 * and messages in messages. */
#ifndef IOTRC_PROTO_H
#define IOTRC_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proto {
	uint8_t *at; /* borrowed */
	size_t len, size;
	bool full; /* out of space: the content of AT is incomplete */
};

/* Add FIELD: a number, LEN bytes, a text. */
void proto__uint(struct proto *p, unsigned int field, uint64_t v);
void proto__bytes(struct proto *p, unsigned int field, const char *s, size_t len);
/* S ends with a NUL. */
void proto__text(struct proto *p, unsigned int field, const char *s);

/* Begins a message in FIELD; proto__end() takes the returned value and ends it. Less than 256
 * MiB. */
size_t proto__begin(struct proto *p, unsigned int field);
void proto__end(struct proto *p, size_t begun);

#endif
