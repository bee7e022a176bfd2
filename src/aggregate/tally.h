/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums of calls, requests or events. Tallies can be added. */
#ifndef IOTRC_TALLY_H
#define IOTRC_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate/sketch.h"

/* One call, request or event. */
struct measure {
	bool failed, has_time, has_wait;
	bool superseded;       /* not to be added: another one has it all */
	uint64_t time_ns;      /* from its start to its end */
	uint64_t wait_ns;      /* block: time in the queue before that */
	uint64_t amount;       /* bytes transferred; for the page cache, pages */
	uint64_t hits, misses; /* pages that were found in the page cache, or not */
	uint64_t received;     /* of AMOUNT, by a connection; the rest was sent */
	uint64_t again;        /* segments that a connection sent again */
};

/* A zeroed struct is an empty tally. */
struct tally {
	uint64_t calls, errors, amount, hits, misses, received, again;
	uint64_t time_ns, wait_ns; /* sums; concurrent calls are all counted */
	struct sketch time, wait;  /* ns */
};

/* Returns 0, or -ENOMEM: the quantiles are then incomplete. */
int tally__add(struct tally *t, const struct measure *m);
int tally__merge(struct tally *t, const struct tally *from);

/* Bytes of memory behind T. */
size_t tally__bytes(const struct tally *t);

/* Frees them; T is as new. */
void tally__clear(struct tally *t);

#endif
