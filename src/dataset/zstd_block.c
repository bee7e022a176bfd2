// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers of sections are those of RFC 8878. */
#include "dataset/zstd_block.h"

#include <errno.h>
#include <stdlib.h>

#include "platform/macros.h"

#define SYMBOLS 256
#define CODES 53            /* of a number, at most: 3.1.1.3.2.1.1 */
#define HUFFMAN_BITS_MAX 11 /* 4.2.1 */
#define WEIGHTS_LOG 6       /* at most, of the table of the weights: 4.2.1.1 */
#define WEIGHTS_DIRECT_MAX 128
#define FSE_LOG_MIN 5           /* 4.1.1 */
#define FSE_LOG_MAX 9           /* of literals' and match lengths */
#define ONE_STREAM_MAX 1023     /* literals: 3.1.1.3.1.1 */
#define SHORT_COUNT_MAX 127     /* sequences whose number takes one byte: 3.1.1.3.2.1 */
#define MIDDLE_COUNT_MAX 0x7eff /* … two bytes */

enum literals_type { RAW_LITERALS, RLE_LITERALS, COMPRESSED_LITERALS };
enum mode { RLE_MODE = 1, FSE_MODE = 2 };

/* A number's least log of a table, as many as its codes need, and the most that is allowed; and the
 * position of its mode (3.1.1.3.2.1). */
static const struct number_facts {
	unsigned int log_min, log_max, mode_shift;
} facts[ZSTD_NUMBERS] = {
	[LITERALS_LENGTH] = { 6, 9, 6 },
	[OFFSET] = { 5, 8, 4 },
	[MATCH_LENGTH] = { 6, 9, 2 },
};

/* Numbers of extra bits. */
static const uint8_t literals_bits[36] = { 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0,
					   0, 0, 0, 0, 1, 1,  1,  1,  2,  2,  3,  3,
					   4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static const uint8_t match_bits[53] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0, 0,
					0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  1,  1,  1, 1,
					2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

const uint8_t zstd_block__literals_codes[64] = {
	0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 16, 17, 17, 18, 18,
	19, 19, 20, 20, 20, 20, 21, 21, 21, 21, 22, 22, 22, 22, 22, 22, 22, 22, 23, 23, 23, 23,
	23, 23, 23, 23, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24,
};
const uint8_t zstd_block__match_codes[128] = {
	0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 32, 33, 33, 34, 34, 35, 35, 36, 36, 36, 36,
	37, 37, 37, 37, 38, 38, 38, 38, 38, 38, 38, 38, 39, 39, 39, 39, 39, 39, 39, 39, 40, 40,
	40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 41, 41, 41, 41, 41, 41, 41, 41,
	41, 41, 41, 41, 41, 41, 41, 41, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42,
	42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42,
};

/* A table to encode symbols: 4.1. A state is in [2^log, 2^(log + 1)). */
struct fse_table {
	unsigned int log;
	uint16_t states[1 << FSE_LOG_MAX];
	struct {
		uint32_t bits; /* plus a state: how many low bits of that are written, by 2^16 */
		int32_t state; /* plus what is left of it: the place of the next state */
	} symbols[CODES];
};

struct huffman {
	unsigned int bits_max;
	uint16_t code[SYMBOLS];
	uint8_t bits[SYMBOLS]; /* 0: no code */
};

/* Of the literals and of the sequences, with tables, at most. A sequence takes 86 bits and a
 * literal 11, and a block has no more of both than bytes; each write may take 8 more. */
#define SCRATCH (ZSTD_BLOCK_SEQUENCES_MAX * 11 + ZSTD_BLOCK_CONTENT_MAX / 8 * 11 + 4096)

struct zstd_tables {
	struct fse_table numbers[ZSTD_NUMBERS], weights;
	struct huffman huffman;
	unsigned char scratch[SCRATCH];
};

int zstd_block__new(struct zstd_block **ret)
{
	struct zstd_block *z = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
	z->tables = malloc(sizeof(*z->tables));
	z->literals = malloc(ZSTD_BLOCK_CONTENT_MAX + ZSTD_BLOCK_SLACK);
	z->sequences = malloc(ZSTD_BLOCK_SEQUENCES_MAX * sizeof(*z->sequences));
	if (!z->tables || !z->literals || !z->sequences) {
		zstd_block__free(z);
		return -ENOMEM;
	}
	z->repeated[0] = 1;
	z->repeated[1] = 4;
	z->repeated[2] = 8;
	memcpy(z->repeated_then, z->repeated, sizeof(z->repeated));
	*ret = z;
	return 0;
}

struct zstd_block *zstd_block__free(struct zstd_block *z)
{
	if (!z)
		return NULL;
	free(z->tables);
	free(z->literals);
	free(z->sequences);
	free(z);
	return NULL;
}

static unsigned char *put_le(unsigned char *p, uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		*p++ = (unsigned char)(v >> 8 * i);
	return p;
}

/* ---- bit streams, which a decoder reads from their end: 4.1.3 ---- */

struct bit_stream {
	uint64_t held; /* N bits, the low ones first */
	unsigned int n;
	unsigned char *p;
};

/* Adds the low N bits of V, of which the others are 0. There is room for 56 bits after
 * bit_stream__flush(). */
static inline void bit_stream__add(struct bit_stream *b, uint64_t v, unsigned int n)
{
	b->held |= v << b->n;
	b->n += n;
}

static inline void bit_stream__flush(struct bit_stream *b)
{
	memcpy(b->p, &b->held, sizeof(b->held));
	b->p += b->n / 8;
	b->held >>= b->n & ~7u;
	b->n &= 7;
}

/* Returns the end of the stream. */
static unsigned char *bit_stream__end(struct bit_stream *b)
{
	bit_stream__add(b, 1, 1);
	bit_stream__flush(b);
	return b->p + (b->n > 0);
}

static inline uint32_t low_bits(uint32_t v, unsigned int n)
{
	return v & ((UINT32_C(1) << n) - 1);
}

/* ---- finite state entropy: 4.1 ---- */

/* Scales the COUNT of N symbols, TOTAL together, to probabilities whose sum is 2^LOG; a symbol that
 * occurs has at least 1. At most 2^LOG symbols occur. */
static void fse__scale(const uint32_t *count, unsigned int n, uint32_t total, unsigned int log,
		       uint16_t *ret)
{
	int32_t left = 1 << log;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t scaled = (uint32_t)((((uint64_t)count[i] << log) + total / 2) / total);

		ret[i] = count[i] && !scaled ? 1 : scaled;
		left -= ret[i];
	}
	/* Rounding leaves a few too many or too few: the most frequent symbols bear it best. */
	while (left) {
		unsigned int most = 0;

		for (unsigned int i = 1; i < n; i++)
			if (ret[i] > ret[most])
				most = i;
		if (left > 0 || -left < ret[most] / 2) {
			ret[most] = (uint16_t)(ret[most] + left);
			return;
		}
		left += ret[most] / 2;
		ret[most] -= ret[most] / 2;
	}
}

/* Writes the description of a table: 4.1.1. Returns its end. */
static unsigned char *fse__describe(const uint16_t *probability, unsigned int log, unsigned char *p)
{
	struct bit_stream b = { .p = p };
	int32_t left = (1 << log) + 1;
	bool zero = false;

	bit_stream__add(&b, log - FSE_LOG_MIN, 4);
	for (unsigned int i = 0; left > 1; i++) {
		uint32_t value = probability[i] + 1u, bits = zstd_block__high_bit(left) + 1;
		uint32_t spare = (1u << bits) - 1 - left; /* so many values take a bit less */

		if (zero) {
			unsigned int more = 0;

			for (; !probability[i]; i++)
				more++;
			for (; more >= 3; more -= 3) {
				bit_stream__add(&b, 3, 2);
				bit_stream__flush(&b);
			}
			bit_stream__add(&b, more, 2);
			value = probability[i] + 1u;
		}
		left -= probability[i];
		if (value < spare)
			bit_stream__add(&b, value, bits - 1);
		else
			bit_stream__add(&b, value >= 1u << (bits - 1) ? value + spare : value,
					bits);
		bit_stream__flush(&b);
		zero = !probability[i];
	}
	return b.p + (b.n > 0);
}

/* Builds the table of these probabilities: 4.1.1, at the end. */
static void fse__build(struct fse_table *t, const uint16_t *probability, unsigned int n,
		       unsigned int log)
{
	uint32_t size = 1u << log, step = (size >> 1) + (size >> 3) + 3, at = 0, sum = 0;
	uint32_t next[CODES];
	uint8_t symbols[1 << FSE_LOG_MAX];

	t->log = log;
	for (unsigned int i = 0; i < n; i++) {
		uint32_t p = probability[i], bits = p > 1 ? log - zstd_block__high_bit(p - 1) : log;

		t->symbols[i].bits = (bits << 16) - (p << bits);
		t->symbols[i].state = (int32_t)sum - (int32_t)p;
		next[i] = sum;
		sum += p;
		for (; p; p--) {
			symbols[at] = i;
			at = (at + step) & (size - 1);
		}
	}
	for (uint32_t i = 0; i < size; i++)
		t->states[next[symbols[i]]++] = size + i;
}

/* The state to begin with, whose symbol is the last of the stream. */
static uint32_t fse__first(const struct fse_table *t, unsigned int symbol)
{
	uint32_t bits = (t->symbols[symbol].bits + (1 << 15)) >> 16;
	uint32_t state = (bits << 16) - t->symbols[symbol].bits;

	return t->states[(int32_t)(state >> bits) + t->symbols[symbol].state];
}

static inline uint32_t fse__next(const struct fse_table *t, uint32_t state, unsigned int symbol,
				 struct bit_stream *b)
{
	uint32_t bits = (state + t->symbols[symbol].bits) >> 16;

	bit_stream__add(b, low_bits(state, bits), bits);
	return t->states[(int32_t)(state >> bits) + t->symbols[symbol].state];
}

/* ---- literals: 3.1.1.3.1, 4.2 ---- */

static void count_bytes(const unsigned char *p, size_t n, uint32_t ret[SYMBOLS])
{
	uint32_t counts[4][SYMBOLS] = { 0 }; /* so that equal bytes do not wait for each other */
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (int k = 0; k < 4; k++)
			counts[k][p[i + k]]++;
	for (; i < n; i++)
		counts[0][p[i]]++;
	for (int s = 0; s < SYMBOLS; s++)
		ret[s] = counts[0][s] + counts[1][s] + counts[2][s] + counts[3][s];
}

/* Sorts symbols that occur by ascending count. Returns their number. */
static unsigned int sort_symbols(const uint32_t count[SYMBOLS], uint8_t ret[SYMBOLS])
{
	unsigned int n = 0;

	for (unsigned int s = 0; s < SYMBOLS; s++) {
		unsigned int at = n;

		if (!count[s])
			continue;
		for (; at && count[ret[at - 1]] > count[s]; at--)
			ret[at] = ret[at - 1];
		ret[at] = s;
		n++;
	}
	return n;
}

/* Finds the lengths of the codes of N symbols, at least 2, by ascending WEIGHT, which is
 * overwritten by the lengths. By Moffat and Katajainen, In-Place Calculation of Minimum-Redundancy
 * Codes, 1995. */
static void code_lengths(uint32_t *weight, int n)
{
	int root = 0, leaf = 2, next, free = 1, used, depth = 0;

	weight[0] += weight[1];
	for (next = 1; next < n - 1; next++) { /* weights of pairs, then each one's parent */
		uint32_t sum = 0;

		for (int i = 0; i < 2; i++) {
			if (leaf >= n || (root < next && weight[root] < weight[leaf])) {
				sum += weight[root];
				weight[root++] = next;
			} else {
				sum += weight[leaf++];
			}
		}
		weight[next] = sum;
	}
	weight[n - 2] = 0;
	for (next = n - 3; next >= 0; next--) /* depths of pairs */
		weight[next] = weight[weight[next]] + 1;
	root = n - 2;
	next = n - 1;
	while (free > 0) { /* depths of symbols */
		used = 0;
		while (root >= 0 && (int)weight[root] == depth) {
			used++;
			root--;
		}
		for (; free > used; free--)
			weight[next--] = depth;
		free = 2 * used;
		depth++;
	}
}

/* Shortens the codes of N symbols, by ascending count, to HUFFMAN_BITS_MAX bits, so that they are
 * still complete: the sum of 2^-length is 1. */
static void limit_lengths(uint32_t *length, unsigned int n)
{
	int32_t over = -(1 << HUFFMAN_BITS_MAX);

	for (unsigned int i = 0; i < n; i++) {
		if (length[i] > HUFFMAN_BITS_MAX)
			length[i] = HUFFMAN_BITS_MAX;
		over += 1 << (HUFFMAN_BITS_MAX - length[i]);
	}
	/* The rarest one that can still be longer makes room. */
	for (unsigned int i = 0; over > 0; i = 0) {
		while (length[i] == HUFFMAN_BITS_MAX)
			i++;
		over -= 1 << (HUFFMAN_BITS_MAX - ++length[i]);
	}
	/* What is too much goes to the most frequent one that it suffices for. */
	for (unsigned int i = n; over < 0; i = n) {
		while (1 << (HUFFMAN_BITS_MAX - length[i - 1]) > -over)
			i--;
		over += 1 << (HUFFMAN_BITS_MAX - length[i - 1]--);
	}
}

/* Codes of one length are consecutive, by symbol; the longest begin with 0. */
static void huffman__number(struct huffman *h)
{
	uint16_t per_length[HUFFMAN_BITS_MAX + 2] = { 0 }, next[HUFFMAN_BITS_MAX + 2];

	for (int s = 0; s < SYMBOLS; s++)
		per_length[h->bits[s]]++;
	next[h->bits_max] = 0;
	for (unsigned int bits = h->bits_max; bits > 1; bits--)
		next[bits - 1] = (next[bits] + per_length[bits]) / 2;
	for (int s = 0; s < SYMBOLS; s++)
		if (h->bits[s])
			h->code[s] = next[h->bits[s]]++;
}

/* Builds a code for at least two symbols. */
static void huffman__build(struct huffman *h, const uint32_t count[SYMBOLS])
{
	uint8_t symbols[SYMBOLS];
	uint32_t lengths[SYMBOLS] = { 0 };
	unsigned int n = sort_symbols(count, symbols);

	for (unsigned int i = 0; i < n; i++)
		lengths[i] = count[symbols[i]];
	code_lengths(lengths, (int)n);
	if (lengths[0] > HUFFMAN_BITS_MAX)
		limit_lengths(lengths, n);
	memset(h->bits, 0, sizeof(h->bits));
	h->bits_max = 0;
	for (unsigned int i = 0; i < n; i++) {
		h->bits[symbols[i]] = lengths[i];
		if (lengths[i] > h->bits_max)
			h->bits_max = lengths[i];
	}
	huffman__number(h);
}

/* Writes N weights as a stream of two states: 4.2.1.2. Returns its end. */
static unsigned char *put_weights(struct fse_table *t, const uint8_t *weights, size_t n,
				  unsigned char *p)
{
	uint32_t count[HUFFMAN_BITS_MAX + 1] = { 0 }, state[2];
	uint16_t probability[HUFFMAN_BITS_MAX + 1] = { 0 };
	struct bit_stream b = { 0 };

	for (size_t i = 0; i < n; i++)
		count[weights[i]]++;
	fse__scale(count, ARRAY_SIZE(count), n, WEIGHTS_LOG, probability);
	b.p = fse__describe(probability, WEIGHTS_LOG, p);
	fse__build(t, probability, ARRAY_SIZE(count), WEIGHTS_LOG);
	/* The states take turns; the first symbol is the first one's. */
	state[(n - 1) % 2] = fse__first(t, weights[n - 1]);
	state[(n - 2) % 2] = fse__first(t, weights[n - 2]);
	for (size_t i = n - 2; i-- > 0;) {
		state[i % 2] = fse__next(t, state[i % 2], weights[i], &b);
		bit_stream__flush(&b);
	}
	bit_stream__add(&b, low_bits(state[1], WEIGHTS_LOG), WEIGHTS_LOG);
	bit_stream__add(&b, low_bits(state[0], WEIGHTS_LOG), WEIGHTS_LOG);
	bit_stream__flush(&b);
	return bit_stream__end(&b);
}

/* Whether the WEIGHTS, at least two, have a table: one that is alone has none. */
static bool differ(const uint8_t *weights, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (weights[i] != weights[0])
			return true;
	return false;
}

/* Writes the description of the code: 4.2.1. Returns its end, or NULL if it cannot be described. */
static unsigned char *huffman__describe(const struct huffman *h, struct fse_table *t,
					unsigned char *p)
{
	uint8_t weights[SYMBOLS + 1] = { 0 };
	unsigned int n = SYMBOLS - 1; /* the weight of the last symbol is not written */
	unsigned char *end;

	while (!h->bits[n])
		n--;
	for (unsigned int s = 0; s < n; s++)
		weights[s] = h->bits[s] ? h->bits_max + 1 - h->bits[s] : 0;
	if (n <= WEIGHTS_DIRECT_MAX) {
		*p++ = 127 + n;
		for (unsigned int s = 0; s < n; s += 2)
			*p++ = weights[s] << 4 | weights[s + 1];
		return p;
	}
	if (!differ(weights, n))
		return NULL;
	end = put_weights(t, weights, n, p + 1);
	if (end - p - 1 > 127)
		return NULL;
	*p = end - p - 1;
	return end;
}

static unsigned char *put_stream(const struct huffman *h, const unsigned char *s, size_t n,
				 unsigned char *p)
{
	struct bit_stream b = { .p = p };

	for (; n % 4; n--)
		bit_stream__add(&b, h->code[s[n - 1]], h->bits[s[n - 1]]);
	bit_stream__flush(&b);
	for (; n; n -= 4) {
		for (int i = 1; i <= 4; i++)
			bit_stream__add(&b, h->code[s[n - i]], h->bits[s[n - i]]);
		bit_stream__flush(&b);
	}
	return bit_stream__end(&b);
}

/* The streams of the literals, with the jump table of four: 3.1.1.3.1.6. */
static unsigned char *put_streams(const struct huffman *h, const unsigned char *s, size_t n,
				  unsigned char *p)
{
	unsigned char *jumps = p;
	size_t part = (n + 3) / 4;

	if (n <= ONE_STREAM_MAX)
		return put_stream(h, s, n, p);
	p += 6;
	for (int i = 0; i < 4; i++) {
		unsigned char *end = put_stream(h, s + i * part, i < 3 ? part : n - 3 * part, p);

		if (i < 3)
			put_le(jumps + 2 * i, end - p, 2);
		p = end;
	}
	return p;
}

/* The header of literals that are not compressed: 3.1.1.3.1.1. */
static unsigned char *put_plain_header(enum literals_type type, size_t n, unsigned char *p)
{
	if (n < 1 << 5)
		return put_le(p, type | n << 3, 1);
	if (n < 1 << 12)
		return put_le(p, type | 1 << 2 | n << 4, 2);
	return put_le(p, type | 3 << 2 | n << 4, 3);
}

#define LITERALS_HEADER_MAX 5

/* Writes the section of N literals. Returns its end. */
static unsigned char *put_literals(struct zstd_tables *t, const unsigned char *s, size_t n,
				   unsigned char *p)
{
	uint32_t count[SYMBOLS];
	unsigned char *begin = p + LITERALS_HEADER_MAX, *end;
	size_t size, bits;

	count_bytes(s, n, count);
	if (n && count[*s] == n) {
		p = put_plain_header(RLE_LITERALS, n, p);
		*p++ = *s;
		return p;
	}
	if (n) {
		huffman__build(&t->huffman, count);
		end = huffman__describe(&t->huffman, &t->weights, begin);
		end = end ? put_streams(&t->huffman, s, n, end) : NULL;
		size = end ? (size_t)(end - begin) : SIZE_MAX;
		if (size < n) {
			/* Numbers of 10, 14 or 18 bits; 10 for one stream, too. */
			bits = n < 1 << 10 ? 0 : n < 1 << 14 ? 2 : 3;
			p = put_le(p,
				   COMPRESSED_LITERALS | bits << 2 | (uint64_t)n << 4 |
					   (uint64_t)size << (4 + (bits ? 6 + 4 * bits : 10)),
				   bits ? 2 + bits : 3);
			memmove(p, begin, size);
			return p + size;
		}
	}
	p = put_plain_header(RAW_LITERALS, n, p);
	memcpy(p, s, n);
	return p + n;
}

/* ---- sequences: 3.1.1.3.2 ---- */

static void count_codes(const struct zstd_block *z, uint32_t ret[ZSTD_NUMBERS][CODES])
{
	/* Two by turns, so that equal codes do not wait for each other. */
	uint32_t counts[2][ZSTD_NUMBERS][CODES] = { 0 };

	for (size_t i = 0; i < z->n_sequences; i++)
		for (int number = 0; number < ZSTD_NUMBERS; number++)
			counts[i % 2][number][z->sequences[i].code[number]]++;
	for (int number = 0; number < ZSTD_NUMBERS; number++)
		for (int code = 0; code < CODES; code++)
			ret[number][code] = counts[0][number][code] + counts[1][number][code];
}

/* Writes the table of one of the numbers, of whose codes there are COUNT, and its mode to *MODES.
 * Returns its end. */
static unsigned char *put_table(const struct zstd_block *z, enum zstd_number number,
				const uint32_t count[CODES], unsigned char *modes, unsigned char *p)
{
	struct fse_table *t = &z->tables->numbers[number];
	const struct number_facts *f = &facts[number];
	uint16_t probability[CODES] = { 0 };
	unsigned int first = z->sequences[0].code[number];
	unsigned int log = zstd_block__high_bit((uint32_t)z->n_sequences);

	if (count[first] == z->n_sequences) {
		*modes |= RLE_MODE << f->mode_shift;
		t->log = 0;
		t->states[0] = t->states[1] = 1;
		memset(t->symbols, 0, sizeof(t->symbols));
		*p++ = first;
		return p;
	}
	log = log < f->log_min + 2 ? f->log_min : log > f->log_max + 2 ? f->log_max : log - 2;
	*modes |= FSE_MODE << f->mode_shift;
	fse__scale(count, CODES, z->n_sequences, log, probability);
	fse__build(t, probability, CODES, log);
	return fse__describe(probability, log, p);
}

static inline void put_extra_bits(const struct zstd_sequence *s, struct bit_stream *b)
{
	unsigned int literals = literals_bits[s->code[LITERALS_LENGTH]];
	unsigned int match = match_bits[s->code[MATCH_LENGTH]], offset = s->code[OFFSET];

	bit_stream__add(b, low_bits(s->value[LITERALS_LENGTH], literals), literals);
	if (literals + match + offset > 28)
		bit_stream__flush(b);
	bit_stream__add(b, low_bits(s->value[MATCH_LENGTH], match), match);
	bit_stream__add(b, low_bits(s->value[OFFSET], offset), offset);
	bit_stream__flush(b);
}

/* The stream of the sequences, from the last one to the first: 3.1.1.3.2.1.2. */
static unsigned char *put_numbers(const struct zstd_block *z, unsigned char *p)
{
	const struct fse_table *t = z->tables->numbers;
	const struct zstd_sequence *s = &z->sequences[z->n_sequences - 1];
	uint32_t literals = fse__first(&t[LITERALS_LENGTH], s->code[LITERALS_LENGTH]);
	uint32_t offset = fse__first(&t[OFFSET], s->code[OFFSET]);
	uint32_t match = fse__first(&t[MATCH_LENGTH], s->code[MATCH_LENGTH]);
	struct bit_stream b = { .p = p };

	put_extra_bits(s, &b);
	while (s-- > z->sequences) {
		offset = fse__next(&t[OFFSET], offset, s->code[OFFSET], &b);
		match = fse__next(&t[MATCH_LENGTH], match, s->code[MATCH_LENGTH], &b);
		literals = fse__next(&t[LITERALS_LENGTH], literals, s->code[LITERALS_LENGTH], &b);
		put_extra_bits(s, &b);
	}
	bit_stream__add(&b, low_bits(match, t[MATCH_LENGTH].log), t[MATCH_LENGTH].log);
	bit_stream__add(&b, low_bits(offset, t[OFFSET].log), t[OFFSET].log);
	bit_stream__add(&b, low_bits(literals, t[LITERALS_LENGTH].log), t[LITERALS_LENGTH].log);
	bit_stream__flush(&b);
	return bit_stream__end(&b);
}

static unsigned char *put_sequences(const struct zstd_block *z, unsigned char *p)
{
	size_t n = z->n_sequences;
	uint32_t count[ZSTD_NUMBERS][CODES];
	unsigned char *modes;

	if (n <= SHORT_COUNT_MAX) {
		*p++ = n;
	} else if (n <= MIDDLE_COUNT_MAX) {
		*p++ = (n >> 8) + 128;
		*p++ = n & 0xff;
	} else {
		*p++ = 0xff;
		p = put_le(p, n - MIDDLE_COUNT_MAX - 1, 2);
	}
	if (!n)
		return p;
	modes = p++;
	*modes = 0;
	count_codes(z, count);
	for (int number = 0; number < ZSTD_NUMBERS; number++)
		p = put_table(z, number, count[number], modes, p);
	return put_numbers(z, p);
}

/* ---- blocks: 3.1.1.2 ---- */

static void put_block_header(enum zstd_block_type type, size_t size, bool last, unsigned char *p)
{
	put_le(p, (uint64_t)last | (uint64_t)type << 1 | (uint64_t)size << 3,
	       ZSTD_BLOCK_HEADER_SIZE);
}

size_t zstd_block__end(struct zstd_block *z, const void *content, size_t len, const void *rest,
		       size_t n_rest, bool last, unsigned char *dst)
{
	unsigned char *scratch = z->tables->scratch, *p;
	size_t size;
	enum zstd_block_type type = COMPRESSED_BLOCK;

	if (n_rest)
		memcpy(z->literals + z->n_literals, rest, n_rest);
	p = put_literals(z->tables, z->literals, z->n_literals + n_rest, scratch);
	size = put_sequences(z, p) - scratch;
	if (size >= len) {
		/* The decoder does not see the offsets. */
		memcpy(z->repeated, z->repeated_then, sizeof(z->repeated));
		type = RAW_BLOCK;
		size = len;
	}
	put_block_header(type, size, last, dst);
	if (size)
		memcpy(dst + ZSTD_BLOCK_HEADER_SIZE, type == RAW_BLOCK ? content : scratch, size);
	memcpy(z->repeated_then, z->repeated, sizeof(z->repeated));
	z->n_literals = z->n_sequences = 0;
	return ZSTD_BLOCK_HEADER_SIZE + size;
}
