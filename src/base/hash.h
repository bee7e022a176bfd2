/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash of bytes, for tables. With a secret SEED, nobody can choose names that collide. */
#ifndef IOTRC_HASH_H
#define IOTRC_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash__mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash__bytes(uint64_t seed, const void *data, size_t len)
{
	uint64_t h = seed ^ len, word;
	const char *at = data;

	for (; len >= 8; at += 8, len -= 8) {
		memcpy(&word, at, 8);
		h = hash__mix(h ^ word, UINT64_C(0x9e3779b97f4a7c15));
	}
	word = 0;
	memcpy(&word, at, len);
	return hash__mix(hash__mix(h ^ word, UINT64_C(0x9e3779b97f4a7c15)),
			 UINT64_C(0xd6e8feb86659fd93));
}

/* FNV-1a: short, and the same everywhere; for names that nobody chooses to collide. */
static inline uint64_t hash__fnv1a(const char *s, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(1099511628211);
	return h;
}

#endif
