/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delays between retries, and the limit on the rate. The caller passes times (CLOCK_MONOTONIC, in
 * nanoseconds) and does the locking. */
#ifndef IOTRC_UPLOAD_PACE_H
#define IOTRC_UPLOAD_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/macros.h"

/* Delay after a failure: one second, doubled after each further failure, up to five minutes. After
 * a refusal: one minute, up to half an hour. The delay is multiplied by a random factor from 0.5 to
 * 1.5, so that many machines do not retry at the same time. */
#define PACE_RETRY NSEC_PER_SEC
#define PACE_RETRY_MAX (300 * NSEC_PER_SEC)
#define PACE_REFUSED (60 * NSEC_PER_SEC)
#define PACE_REFUSED_MAX (1800 * NSEC_PER_SEC)
/* Longest delay that a server can ask for, in seconds. */
#define PACE_OBEY_MAX_S 3600

struct backoff {
	unsigned int failures;  /* in a row */
	uint64_t not_before_ns; /* 0: at once */
};

/* Notes a failure at NOW_NS. RETRY_AFTER_S: delay in seconds that the server asked for, or 0.
 * RANDOM: a uniformly distributed number. */
void backoff__failed(struct backoff *b, uint64_t now_ns, bool refused, unsigned int retry_after_s,
		     uint32_t random);

/* A limit on the bytes per second of all threads together. */
struct rate {
	uint64_t bytes_per_s; /* 0: no limit */
	uint64_t free_ns;     /* time from which the next byte may be sent */
};

/* Notes N bytes sent at NOW_NS. Returns the nanoseconds to wait before sending more. */
uint64_t rate__spend(struct rate *r, uint64_t now_ns, uint64_t n);

#endif
