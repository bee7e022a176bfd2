// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "platform/macros.h"

#define LINE_MAX_BYTES 2048

enum sink { TERMINAL, JOURNAL, LOG_FILE, SYSLOG };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum sink sink;
static unsigned int tokens = LOG_BURST, left_out;
static uint64_t refilled_ns;

/* The journal says which socket it gave as stdout and stderr: they may have been redirected
 * since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

void log__to_stderr(void)
{
	sink = stderr_is_journal() ? JOURNAL : TERMINAL;
}

void log__to_file(void)
{
	sink = LOG_FILE;
}

void log__to_syslog(void)
{
	openlog("iotrc", LOG_PID, LOG_DAEMON);
	sink = SYSLOG;
}

bool log__unattended(void)
{
	return sink != TERMINAL;
}

/* Whether one more line may go out now. */
static bool take_token(void)
{
	uint64_t now = clock__mono_ns(),
		 refill = (now - refilled_ns) / (LOG_REFILL_S * NSEC_PER_SEC);

	if (refill) {
		tokens = refill > LOG_BURST - tokens ? LOG_BURST : tokens + refill;
		refilled_ns = now;
	}
	if (!tokens) {
		left_out++;
		return false;
	}
	tokens--;
	return true;
}

/* One write each: lines of other threads don't get in between. */
static void put(int level, const char *text)
{
	char line[LINE_MAX_BYTES + 64], time[CLOCK_ISO8601_SIZE];
	int n;
	ssize_t done;

	if (sink == SYSLOG) {
		syslog(level, "%s", text);
		return;
	}
	if (sink == JOURNAL) {
		n = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	} else if (sink == LOG_FILE) {
		clock__iso8601(clock__real_ns(), time);
		n = snprintf(line, sizeof(line), "%s iotrc: %s\n", time, text);
	} else {
		n = snprintf(line, sizeof(line), "iotrc: %s\n", text);
	}
	done = write(STDERR_FILENO, line, n);
	(void)done; /* whoever listened has gone */
}

void log__lines(int level, const char *format, va_list args)
{
	char text[LINE_MAX_BYTES];

	vsnprintf(text, sizeof(text), format, args);
	pthread_mutex_lock(&lock);
	if (take_token()) {
		if (left_out) {
			char note[64];

			snprintf(note, sizeof(note), "%u messages were left out", left_out);
			left_out = 0;
			put(LOG_WARNING, note);
		}
		put(level, text);
	}
	pthread_mutex_unlock(&lock);
}

void log__line(int level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log__lines(level, format, args);
	va_end(args);
}
