/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes blocks of a Zstandard frame (RFC 8878) from sequences that the caller has found: literals,
 * and matches with earlier bytes. For one frame, block by block. */
#ifndef IOTRC_ZSTD_BLOCK_H
#define IOTRC_ZSTD_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "words are written, and compared by row_matches.c, as they lie in memory");

#define ZSTD_BLOCK_CONTENT_MAX (128 * 1024) /* bytes: Block_Maximum_Size, 3.1.1.2.4 */
#define ZSTD_BLOCK_HEADER_SIZE 3
#define ZSTD_BLOCK_MATCH_MIN 3
#define ZSTD_BLOCK_SEQUENCES_MAX (ZSTD_BLOCK_CONTENT_MAX / ZSTD_BLOCK_MATCH_MIN)
/* Bytes that zstd_block__add() may read and write behind the literals. */
#define ZSTD_BLOCK_SLACK 16

/* The most that zstd_block__end() writes for LEN bytes. */
#define ZSTD_BLOCK_MAX(len) ((len) + ZSTD_BLOCK_HEADER_SIZE)

/* 3.1.1.2.2 */
enum zstd_block_type { RAW_BLOCK, RLE_BLOCK, COMPRESSED_BLOCK, RESERVED_BLOCK };

/* The three numbers of a sequence, each as a code and extra bits: 3.1.1.3.2.1.1. */
enum zstd_number { LITERALS_LENGTH, OFFSET, MATCH_LENGTH, ZSTD_NUMBERS };

/* An offset is stored as Offset_Value: 1 to 3 mean a repeated offset (3.1.1.5). */
struct zstd_sequence {
	uint32_t value[ZSTD_NUMBERS]; /* of a match length, less ZSTD_BLOCK_MATCH_MIN */
	uint8_t code[ZSTD_NUMBERS];
};

struct zstd_tables;

struct zstd_block {
	uint32_t repeated[3];      /* Repeated_Offset1 to 3 */
	uint32_t repeated_then[3]; /* … at the beginning of the block */
	size_t n_literals, n_sequences;
	struct zstd_tables *tables;
	unsigned char *literals;
	struct zstd_sequence *sequences;
};

/* Codes of small numbers. */
extern const uint8_t zstd_block__literals_codes[64], zstd_block__match_codes[128];

/* Returns 0, or -ENOMEM. All memory is allocated here. */
int zstd_block__new(struct zstd_block **ret);
/* Frees Z. Accepts NULL, returns NULL. */
struct zstd_block *zstd_block__free(struct zstd_block *z);

static inline unsigned int zstd_block__high_bit(uint32_t v)
{
	return 31 - (unsigned int)__builtin_clz(v);
}

/* Returns the Offset_Value of OFFSET for a match behind N literals, and notes the offset. */
static inline uint32_t zstd_block__offset_value(struct zstd_block *z, uint32_t offset, uint32_t n)
{
	uint32_t *repeated = z->repeated, value;

	if (offset == repeated[0] && n)
		return 1;
	/* Without literals, 1 and 2 mean the second and third one, and 3 the first less one. */
	if (offset == repeated[1]) {
		value = n ? 2 : 1;
		repeated[1] = repeated[0];
		repeated[0] = offset;
		return value;
	}
	value = offset == repeated[2]           ? (n ? 3 : 2) :
		!n && offset == repeated[0] - 1 ? 3 :
						  offset + 3;
	repeated[2] = repeated[1];
	repeated[1] = repeated[0];
	repeated[0] = offset;
	return value;
}

/* Adds a sequence to the block: N literals, then a match of LENGTH bytes (at least
 * ZSTD_BLOCK_MATCH_MIN), OFFSET bytes back (at least 1, less than 2^27). ZSTD_BLOCK_SLACK bytes
 * behind the literals are readable. The sequences of a block have at most ZSTD_BLOCK_CONTENT_MAX
 * bytes together. */
static inline void zstd_block__add(struct zstd_block *z, const unsigned char *literals, uint32_t n,
				   uint32_t length, uint32_t offset)
{
	struct zstd_sequence *s = &z->sequences[z->n_sequences++];
	unsigned char *to = z->literals + z->n_literals;
	uint32_t more = length - ZSTD_BLOCK_MATCH_MIN;
	uint32_t value = zstd_block__offset_value(z, offset, n);

	memcpy(to, literals, ZSTD_BLOCK_SLACK);
	if (n > ZSTD_BLOCK_SLACK)
		memcpy(to + ZSTD_BLOCK_SLACK, literals + ZSTD_BLOCK_SLACK, n - ZSTD_BLOCK_SLACK);
	z->n_literals += n;
	s->value[LITERALS_LENGTH] = n;
	s->value[OFFSET] = value;
	s->value[MATCH_LENGTH] = more;
	s->code[LITERALS_LENGTH] =
		n < 64 ? zstd_block__literals_codes[n] : zstd_block__high_bit(n) + 19;
	s->code[OFFSET] = zstd_block__high_bit(value);
	s->code[MATCH_LENGTH] =
		more < 128 ? zstd_block__match_codes[more] : zstd_block__high_bit(more) + 36;
}

/* Ends the block, which stands for CONTENT, LEN bytes, at most ZSTD_BLOCK_CONTENT_MAX. Behind the
 * last match are REST, N_REST more literals. LAST: it is the frame's last block. Writes the block
 * to DST: compressed, or as it is if that is no longer. Returns the length. */
size_t zstd_block__end(struct zstd_block *z, const void *content, size_t len, const void *rest,
		       size_t n_rest, bool last, unsigned char *dst);

#endif
