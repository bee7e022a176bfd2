/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to try again, and how fast to send. Times are CLOCK_MONOTONIC nanoseconds, given by the
 * caller, who also sees to it that one thread at a time is in here. */
#ifndef IOTRC_UPLOAD_PACE_H
#define IOTRC_UPLOAD_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SECOND UINT64_C(1000000000)
/* After a failure: a second, doubled with each that follows, up to five minutes; after a refusal a
 * minute, up to half an hour. Each is spread from half of it to one and a half, so that many
 * machines don't come back at once. */
#define PACE_RETRY PACE_SECOND
#define PACE_RETRY_MAX (300 * PACE_SECOND)
#define PACE_REFUSED (60 * PACE_SECOND)
#define PACE_REFUSED_MAX (1800 * PACE_SECOND)
/* Longer than this nobody is obeyed. */
#define PACE_OBEY_MAX_S 3600

struct backoff {
	unsigned int failures;  /* in a row */
	uint64_t not_before_ns; /* 0: at once */
};

/* One more failure at NOW. ASKED_S: seconds that the other side asked for, 0 for none; RANDOM: any
 * number, evenly spread. */
void backoff__failed(struct backoff *b, uint64_t now_ns, bool refused, unsigned int asked_s,
		     uint32_t random);

/* Bytes per second for all threads together. */
struct rate {
	uint64_t bytes_per_s; /* 0: any */
	uint64_t free_ns;     /* from when on the next byte may go */
};

/* N more bytes have gone at NOW: nanoseconds to wait before the next ones. */
uint64_t rate__spend(struct rate *r, uint64_t now_ns, uint64_t n);

#endif
