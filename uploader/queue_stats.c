// SPDX-License-Identifier: GPL-2.0-or-later
/* The queue's numbers, for whoever started it. */
#include "uploader/queue_state.h"

#include <string.h>

static bool is_idle(const struct queue *q)
{
	return !q->looking && !sessions__look_due(q) && !q->busy && !q->old && q->list_due_ns &&
	       (!q->config.live || (q->live && q->live->finished && outbox__idle(q->live)));
}

static void count_left(const struct outbox *o, struct queue_stats *s)
{
	if (!o)
		return;
	s->files_left += o->waiting.n + o->stuck.n + o->busy + !!o->manifest;
	s->bytes_left += o->waiting.bytes + o->stuck.bytes + (o->manifest ? o->manifest->bytes : 0);
}

void queue__stats(struct queue *q, struct queue_stats *ret)
{
	struct queue_stats *s = &q->shown;

	if (!pthread_mutex_trylock(&q->lock)) {
		*s = (struct queue_stats){
			.files_done = q->files_done,
			.bytes_done = q->bytes_done,
			.bytes_left = q->busy_bytes,
			.sessions_done = q->sessions_done,
			.sessions_left = q->sessions_left + q->places.n - q->places.next +
					 !!q->old + (q->config.live && !q->live_done),
			.idle = is_idle(q),
			.gave_up = q->gave_up,
			.troubled = q->troubled,
		};
		count_left(q->live, s);
		count_left(q->old, s);
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(s->problem, q->problem);
		pthread_mutex_unlock(&q->lock);
	}
	s->bytes_sent = 0;
	for (unsigned int i = 0; i < q->config.parallel; i++)
		s->bytes_sent += atomic_load(&q->workers[i].sent);
	*ret = *s;
}
