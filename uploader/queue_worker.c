// SPDX-License-Identifier: GPL-2.0-or-later
/* Sends one file, within the rate of all threads together, and removes it when the target has
 * it. */
#include "uploader/queue_state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "uploader/telemetry.h"

#define SLICE_NS (NSEC_PER_SEC / 4) /* maximum time that a thread sleeps before it checks again */

void queue__set_rate(struct queue *q, uint64_t rate)
{
	pthread_mutex_lock(&q->rate_lock);
	if (q->rate.bytes_per_s != rate) {
		q->rate = (struct rate){ .bytes_per_s = rate };
		atomic_fetch_add(&q->rates, 1);
	}
	pthread_mutex_unlock(&q->rate_lock);
}

static bool on_sent(void *data, uint64_t sent)
{
	struct worker *w = data;
	struct queue *q = w->q;
	uint64_t before = atomic_exchange(&w->sent, sent), now = clock__mono_ns(), wait = 0;
	unsigned int rates = atomic_load(&q->rates);

	if (sent > before) {
		pthread_mutex_lock(&q->rate_lock);
		wait = rate__spend(&q->rate, now, sent - before);
		pthread_mutex_unlock(&q->rate_lock);
	}
	while (wait && !atomic_load(&q->stop) && atomic_load(&q->rates) == rates) {
		uint64_t slice = wait < SLICE_NS ? wait : SLICE_NS;

		clock__sleep(slice);
		wait -= slice;
	}
	return !atomic_load(&q->stop);
}

/* Without it a later upload starts from the beginning: no reason to stop. */
static void on_multipart(void *data, const char *upload_id)
{
	struct worker *w = data;

	journal__set_progress(w->outbox->journal, w->file->path, w->file->sha256, upload_id);
}

static __attribute__((format(printf, 3, 4))) void result(struct target_result *r,
							 enum target_verdict verdict,
							 const char *format, ...)
{
	va_list args;

	*r = (struct target_result){ .verdict = verdict };
	va_start(args, format);
	vsnprintf(r->reason, sizeof(r->reason), format, args);
	va_end(args);
}

static bool key_of(const struct worker *w, char key[TARGET_KEY_MAX])
{
	return snprintf(key, TARGET_KEY_MAX, "%s/%s", w->outbox->key, w->file->path) <
	       TARGET_KEY_MAX;
}

static uint64_t rate_now(void *data)
{
	struct queue *q = ((struct worker *)data)->q;
	uint64_t rate;

	pthread_mutex_lock(&q->rate_lock);
	rate = q->rate.bytes_per_s;
	pthread_mutex_unlock(&q->rate_lock);
	return rate;
}

static void put_file(struct worker *w, int fd, struct target_result *r)
{
	const struct target_hooks hooks = { w, on_sent, on_multipart, rate_now };
	struct outbox_file *f = w->file;
	char key[TARGET_KEY_MAX];
	char *progress = journal__progress(w->outbox->journal, f->path, f->sha256);
	struct target_object object = {
		.key = key,
		.fd = fd,
		.size = f->bytes,
		.sha256 = f->sha256,
		.upload_id = progress,
	};

	if (!key_of(w, key))
		result(r, TARGET_LOCAL, "its key would be too long");
	else
		target__put(w->target, &object, &hooks, r);
	free(progress);
}

/* Aborts an upload in parts that cannot go on; otherwise the store would keep the parts for
 * ever. */
static void take_back(struct worker *w)
{
	struct outbox_file *f = w->file;
	char key[TARGET_KEY_MAX],
		*progress = journal__progress(w->outbox->journal, f->path, f->sha256);
	struct target_result r;

	if (progress && key_of(w, key)) {
		target__abort(w->target, key, progress, &r);
		if (r.verdict == TARGET_DONE)
			journal__set_progress(w->outbox->journal, f->path, f->sha256, NULL);
	}
	free(progress);
}

/* Once, after the session is complete; it does not matter whether it succeeds. */
static void tell_gateway(struct worker *w, int manifest_fd)
{
	char why[JSON_WHY_MAX];
	json_t *manifest = NULL;
	json_t *state =
		json_text__read(manifest_fd, &manifest, why) ? NULL : telemetry__new(manifest);
	char *text = state ? json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
	struct target_result ignored;

	if (text)
		target__telemetry(w->target, text, &ignored);
	free(text);
	json_decref(state);
	json_decref(manifest);
}

/* A file is removed only after the journal says that the target has it. */
void worker__send(struct worker *w, struct target_result *r)
{
	struct outbox_file *f = w->file;
	struct outbox *o = w->outbox;
	int fd = outbox__open_file(o, f), err;

	if (fd >= 0) {
		put_file(w, fd, r);
		if (r->verdict == TARGET_DONE && outbox__is_manifest(f) && w->q->config.telemetry)
			tell_gateway(w, fd);
		close(fd);
	} else if (fd == -ENOENT && journal__elsewhere(o->journal, f->path, f->sha256)) {
		result(r, TARGET_LOCAL, "it was sent to another target, and is no longer here");
	} else {
		result(r, TARGET_LOCAL, "%s", strerror(-fd));
	}
	if (r->verdict == TARGET_LOCAL)
		take_back(w);
	if (r->verdict != TARGET_DONE)
		return;
	err = journal__confirm(o->journal, f->path, f->sha256, f->bytes);
	if (err) {
		result(r, TARGET_RETRY, "cannot write " JOURNAL_NAME ": %s", strerror(-err));
		r->general = true;
	} else if (outbox__is_manifest(f)) {
		sessions__remove(w->q, w->place);
	} else if (!w->q->config.keep) {
		outbox__remove_file(o, f);
	}
}
