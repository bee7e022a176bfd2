/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What calls, requests or events add up to. Tallies can be added up. */
#ifndef IOTRC_TALLY_H
#define IOTRC_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate/sketch.h"

/* One call, request or event. */
struct measure {
	bool failed, has_time, has_wait;
	uint64_t time_ns;      /* from its start to its end */
	uint64_t wait_ns;      /* block: in the queue, before that */
	uint64_t amount;       /* bytes that were moved; of the page cache: pages */
	uint64_t hits, misses; /* pages of the page cache that were found there, or not */
};

/* All members 0: nothing was added. */
struct tally {
	uint64_t calls, errors, amount, hits, misses;
	uint64_t time_ns, wait_ns; /* sums: calls at the same time count each */
	struct sketch time, wait;  /* ns */
};

/* 0, or -ENOMEM: quantiles lack something. */
int tally__add(struct tally *t, const struct measure *m);
int tally__merge(struct tally *t, const struct tally *from);

/* Bytes of memory behind T. */
size_t tally__bytes(const struct tally *t);

/* Frees them; T is as new. */
void tally__clear(struct tally *t);

#endif
