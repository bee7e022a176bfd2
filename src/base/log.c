// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/output.h"
#include "base/shown.h"
#include "platform/macros.h"

#define LINE_MAX_BYTES 2048

enum log_sink { TERMINAL, JOURNAL, LOG_FILE, SYSLOG };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_sink sink;
static unsigned int tokens = LOG_BURST, left_out;
static uint64_t refilled_ns;

/* $JOURNAL_STREAM names the socket that stdout and stderr were connected to; they may have been
 * redirected since. */
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

/* Whether the rate limit allows one more line now. */
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

/* Text from elsewhere is escaped, so that it cannot control a terminal. */
static bool put_line(int level, const char *text)
{
	char line[SHOWN_MAX(LINE_MAX_BYTES) + 64], time[CLOCK_ISO8601_SIZE], *end = line;

	if (sink == JOURNAL) {
		end += sprintf(line, "<%d>", level);
	} else if (sink == LOG_FILE) {
		clock__iso8601(clock__real_ns(), time);
		end += sprintf(line, "%s iotrc: ", time);
	} else if (sink == TERMINAL) {
		end = stpcpy(line, "iotrc: ");
	}
	end = shown__copy(end, text, strlen(text));
	if (sink == SYSLOG)
		return output__write(OUTPUT_SYSLOG, level, line, end - line);
	/* The line ends with a line feed even if it was cut. */
	if (end - line >= OUTPUT_TEXT_MAX)
		end = line + OUTPUT_TEXT_MAX - 1;
	*end++ = '\n';
	return output__write(OUTPUT_STDERR, level, line, end - line);
}

void log__lines(int level, const char *format, va_list args)
{
	char text[LINE_MAX_BYTES];

	vsnprintf(text, sizeof(text), format, args);
	pthread_mutex_lock(&lock);
	if (take_token()) {
		if (left_out) {
			char note[64];

			snprintf(note, sizeof(note), "%u messages were dropped", left_out);
			if (put_line(LOG_WARNING, note))
				left_out = 0;
		}
		if (!put_line(level, text))
			left_out++;
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
