// SPDX-License-Identifier: GPL-2.0-or-later
/* What the queue reports to its caller, a line each. */
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
