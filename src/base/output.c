// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/output.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "platform/cond.h"
#include "platform/macros.h"
#include "platform/privileges.h"
#include "platform/write_stream.h"

#define PATIENCE_NS NSEC_PER_SEC /* the maximum wait at the end if nothing can be written */
#define PIECE 512                /* bytes per write(): shows that a slow reader reads */
#define STREAM_BUFFER OUTPUT_TEXT_MAX

struct message_head {
	int level;
	unsigned int len;
};

struct outlet {
	pthread_t thread;
	bool running, ending;
	bool busy;         /* the bytes that the thread is writing */
	size_t first, len; /* offsets into the ring, which holds heads with their texts */
	uint64_t steps;    /* pieces written */
	pthread_cond_t wake, done;
	FILE *stream;
	char ring[OUTPUT_CAPACITY];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct outlet outlets[OUTPUT_COUNT] = {
	[0 ... OUTPUT_COUNT - 1] = { .wake = PTHREAD_COND_INITIALIZER },
};

/* ---- the ring, under the lock ---- */

static void put_bytes(struct outlet *o, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		/* NOLINTNEXTLINE(*.Assign): all LEN bytes are set */
		o->ring[(o->first + o->len++) % OUTPUT_CAPACITY] = ((const char *)data)[i];
}

static void get(struct outlet *o, void *data, size_t len)
{
	for (size_t i = 0; i < len; i++, o->len--) {
		((char *)data)[i] = o->ring[o->first];
		o->first = (o->first + 1) % OUTPUT_CAPACITY;
	}
}

/* ---- the threads ---- */

static void note_step(struct outlet *o)
{
	pthread_mutex_lock(&lock);
	o->steps++;
	pthread_mutex_unlock(&lock);
}

/* If somebody who shares stderr made it non-blocking, wait until it is writable. */
static void write_out(struct outlet *o, int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len < PIECE ? len : PIECE);

		if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		else if (n < 0 && errno != EINTR)
			return; /* whoever listened has gone */
		if (n <= 0)
			continue;
		text += n;
		len -= n;
		note_step(o);
	}
}

static void emit(enum output to, int level, char *text, size_t len)
{
	if (to != OUTPUT_SYSLOG) {
		write_out(&outlets[to], to == OUTPUT_STDOUT ? STDOUT_FILENO : STDERR_FILENO, text,
			  len);
	} else {
		syslog(level, "%.*s", (int)len, text);
		note_step(&outlets[to]);
	}
}

static void *print_lines(void *arg)
{
	struct outlet *o = arg;
	char text[OUTPUT_TEXT_MAX];
	struct message_head head;

	privileges__drop(0);
	pthread_mutex_lock(&lock);
	for (;;) {
		while (!o->len && !o->ending)
			pthread_cond_wait(&o->wake, &lock);
		if (!o->len)
			break;
		get(o, &head, sizeof(head));
		get(o, text, head.len);
		o->busy = true;
		pthread_mutex_unlock(&lock);
		emit(o - outlets, head.level, text, head.len);
		pthread_mutex_lock(&lock);
		o->busy = false;
		pthread_cond_broadcast(&o->done);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static int start(struct outlet *o)
{
	int err;

	cond__init(&o->done);
	err = thread__start(&o->thread, "output", print_lines, o);
	o->running = !err;
	return err;
}

int output__begin(void)
{
	int err = 0;

	for (int i = 0; i < OUTPUT_COUNT && !err; i++)
		err = start(&outlets[i]);
	return err;
}

/* ---- messages ---- */

bool output__write(enum output to, int level, const char *text, size_t len)
{
	struct message_head head = { level, len < OUTPUT_TEXT_MAX ? len : OUTPUT_TEXT_MAX };
	struct outlet *o = &outlets[to];
	bool fits, running;

	pthread_mutex_lock(&lock);
	running = o->running;
	fits = !running || OUTPUT_CAPACITY - o->len >= sizeof(head) + head.len;
	if (running && fits) {
		put_bytes(o, &head, sizeof(head));
		put_bytes(o, text, head.len);
		pthread_cond_signal(&o->wake);
	}
	pthread_mutex_unlock(&lock);
	if (!running)
		emit(to, level, (char *)text, head.len);
	return fits;
}

bool output__idle(enum output to)
{
	bool idle;

	pthread_mutex_lock(&lock);
	idle = !outlets[to].len && !outlets[to].busy;
	pthread_mutex_unlock(&lock);
	return idle;
}

static ssize_t on_flush(void *cookie, const char *text, size_t len)
{
	for (size_t at = 0; at < len; at += OUTPUT_TEXT_MAX)
		output__write((struct outlet *)cookie - outlets, 0, text + at,
			      len - at < OUTPUT_TEXT_MAX ? len - at : OUTPUT_TEXT_MAX);
	return len;
}

FILE *output__stream(enum output to)
{
	static char buffers[OUTPUT_COUNT][STREAM_BUFFER];
	struct outlet *o = &outlets[to];

	if (!o->stream) {
		o->stream = write_stream__new(o, on_flush);
		if (!o->stream)
			return to == OUTPUT_STDOUT ? stdout : stderr;
		setvbuf(o->stream, buffers[to], _IOFBF, STREAM_BUFFER);
	}
	return o->stream;
}

/* To be called with the lock held. Returns false if the output is blocked. */
static bool await_progress(struct outlet *o)
{
	while (o->len || o->busy) {
		uint64_t steps = o->steps, until = clock__mono_ns() + PATIENCE_NS;

		while ((o->len || o->busy) && steps == o->steps)
			if (!cond__wait_until(&o->done, &lock, until))
				break;
		if ((o->len || o->busy) && steps == o->steps)
			return false;
	}
	return true;
}

void output__settle(enum output to)
{
	pthread_mutex_lock(&lock);
	if (outlets[to].running)
		await_progress(&outlets[to]);
	pthread_mutex_unlock(&lock);
}

void output__end(void)
{
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		struct outlet *o = &outlets[i];
		bool ended;

		if (o->stream)
			fflush(o->stream);
		if (!o->running)
			continue;
		pthread_mutex_lock(&lock);
		ended = await_progress(o);
		o->ending = ended;
		o->running = !ended;
		pthread_cond_signal(&o->wake);
		pthread_mutex_unlock(&lock);
		if (ended)
			pthread_join(o->thread, NULL);
		else
			pthread_detach(o->thread);
	}
}
