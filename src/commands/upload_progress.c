// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/upload_progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/output.h"
#include "base/units.h"
#include "platform/macros.h"

#define BAR_WIDTH 24
#define ERASE_LINE "\r\033[K"

void upload_progress__begin(struct upload_progress *b, struct queue *q, bool quiet,
			    uint64_t timeout_ns)
{
	struct queue_stats s;
	uint64_t now = clock__mono_ns();

	queue__stats(q, &s);
	*b = (struct upload_progress){
		.wanted = !quiet && !log__unattended() && isatty(STDERR_FILENO),
		.begun_ns = now,
		.ends_ns = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX,
		.before = s.bytes_done + s.bytes_sent,
		.q = q,
	};
}

void upload_progress__end(struct upload_progress *b)
{
	if (b->shown)
		output__write(OUTPUT_STDERR, 0, ERASE_LINE, strlen(ERASE_LINE));
	b->shown = false;
}

static void draw_bar(struct upload_progress *b, const struct queue_stats *s)
{
	uint64_t now = clock__mono_ns(), sent = s->bytes_done + s->bytes_sent;
	uint64_t total = s->bytes_done + s->bytes_left, done = total ? BAR_WIDTH * sent / total : 0;
	double seconds = (double)(now - b->begun_ns) / NSEC_PER_SEC;
	char a[16], t[16], r[16], end[48] = "", line[256];
	int len;

	if (done > BAR_WIDTH)
		done = BAR_WIDTH;
	if (b->ends_ns != UINT64_MAX && b->ends_ns > now)
		snprintf(end, sizeof(end), "  %d s left",
			 (int)((b->ends_ns - now) / NSEC_PER_SEC) + 1);
	len = snprintf(
		line, sizeof(line),
		ERASE_LINE "uploading [%.*s%.*s] %llu/%llu files  %sB of %sB  %sB/s%s%s", (int)done,
		"########################", (int)(BAR_WIDTH - done), "........................",
		(unsigned long long)s->files_done,
		(unsigned long long)(s->files_done + s->files_left), units__bytes(a, sent),
		units__bytes(t, total),
		units__bytes(r, seconds > 0 && sent > b->before ? (sent - b->before) / seconds : 0),
		end, s->troubled ? "  (failing)" : "");
	output__write(OUTPUT_STDERR, 0, line,
		      len < (int)sizeof(line) ? len : (int)sizeof(line) - 1);
	b->shown = true;
}

void upload_progress__tick(void *arg, const struct queue_stats *s)
{
	struct upload_progress *b = arg;
	char news[QUEUE_NEWS_MAX];

	while (queue__news(b->q, news)) {
		upload_progress__end(b);
		log__line(LOG_WARNING, "upload: %s", news);
	}
	if (b->wanted && output__idle(OUTPUT_STDERR))
		draw_bar(b, s);
	if (clock__mono_ns() >= b->alive_ns) {
		notify__send("WATCHDOG=1");
		b->alive_ns = clock__mono_ns() + NSEC_PER_SEC;
	}
}

bool upload_progress__run(struct queue *q, bool quiet, uint64_t timeout_ns,
			  const volatile int *stop, struct queue_stats *ret)
{
	struct upload_progress p;

	upload_progress__begin(&p, q, quiet, timeout_ns);
	queue__wait(q, timeout_ns, stop, upload_progress__tick, &p);
	if (!queue__stop(q))
		return false;
	queue__stats(q, ret);
	upload_progress__tick(&p, ret);
	upload_progress__end(&p);
	return true;
}

void upload_progress__conclude(const struct queue_stats *s, bool quiet, const char *later)
{
	char done[16], left[16], what[128] = "";

	if (s->files_left)
		snprintf(what, sizeof(what), " (%llu files of %sB at hand)",
			 (unsigned long long)s->files_left, units__bytes(left, s->bytes_left));
	if (s->files_left || s->sessions_left)
		log__line(LOG_WARNING, "uploaded %llu files (%sB); left%s: %llu session%s%s%s%s",
			  (unsigned long long)s->files_done, units__bytes(done, s->bytes_done),
			  later, (unsigned long long)s->sessions_left,
			  s->sessions_left == 1 ? "" : "s", what, *s->problem ? ": " : "",
			  s->problem);
	else if (!quiet)
		log__line(LOG_INFO, "uploaded %llu files (%sB): all is at the target",
			  (unsigned long long)s->files_done, units__bytes(done, s->bytes_done));
}
