// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/pace.h"

/* Allowance after an idle time, so that a thread that wakes late catches up. */
#define BURST (NSEC_PER_SEC / 4)

void backoff__failed(struct backoff *b, uint64_t now_ns, bool refused, unsigned int retry_after_s,
		     uint32_t random)
{
	uint64_t delay = refused ? PACE_REFUSED : PACE_RETRY;
	uint64_t max = refused ? PACE_REFUSED_MAX : PACE_RETRY_MAX;
	uint64_t obeyed_s = retry_after_s < PACE_OBEY_MAX_S ? retry_after_s : PACE_OBEY_MAX_S;
	uint64_t retry_after = obeyed_s * NSEC_PER_SEC;

	for (unsigned int i = 0; i < b->failures && delay < max; i++)
		delay *= 2;
	if (delay > max)
		delay = max;
	delay = delay / 2 + (uint64_t)((double)delay * random / UINT32_MAX);
	b->not_before_ns = now_ns + (delay > retry_after ? delay : retry_after);
	b->failures++;
}

uint64_t rate__spend(struct rate *r, uint64_t now_ns, uint64_t n)
{
	if (!r->bytes_per_s)
		return 0;
	if (r->free_ns + BURST < now_ns)
		r->free_ns = now_ns - BURST;
	r->free_ns += (double)n / r->bytes_per_s * NSEC_PER_SEC;
	return r->free_ns > now_ns ? r->free_ns - now_ns : 0;
}
