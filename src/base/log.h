/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages for people while iotrc records: one line each, to whoever listens. Levels are those of
 * syslog(3). Bounded: after a burst of LOG_BURST lines at most one in LOG_REFILL_S seconds, and the
 * next one says how many were left out. From any thread. */
#ifndef IOTRC_LOG_H
#define IOTRC_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

#define LOG_BURST 50
#define LOG_REFILL_S 2

/* To stderr: `iotrc: ...`, or, where that is the journal ($JOURNAL_STREAM), with the level that
 * sd-daemon(3) puts before a line. This is also what holds before any of the three. */
void log__to_stderr(void);
/* To stderr, each line with its time: for a file. */
void log__to_file(void);
void log__to_syslog(void);

/* Nobody watches: the lines go to the journal, a file or syslog. */
bool log__unattended(void);

void log__line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log__lines(int level, const char *format, va_list args);

#endif
