// SPDX-License-Identifier: GPL-2.0-or-later
/* What the queue reports to its caller: news, a line each, and numbers. */
#include "uploader/queue_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void queue__tell(struct queue *q, const char *format, ...)
{
	char line[QUEUE_NEWS_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	pthread_mutex_lock(&q->news_lock);
	if (q->n_news == QUEUE_NEWS_LINES)
		q->news_dropped++;
	else
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(q->news[q->n_news++], line);
	pthread_mutex_unlock(&q->news_lock);
}

bool queue__news(struct queue *q, char news[QUEUE_NEWS_MAX])
{
	bool some = false;

	if (pthread_mutex_trylock(&q->news_lock))
		return false;
	if (q->n_news) {
		some = true;
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(news, q->news[0]);
		memmove(q->news, q->news + 1, --q->n_news * sizeof(*q->news));
	} else if (q->news_dropped) {
		some = true;
		snprintf(news, QUEUE_NEWS_MAX, "and %u more", q->news_dropped);
		q->news_dropped = 0;
	}
	pthread_mutex_unlock(&q->news_lock);
	return some;
}

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
