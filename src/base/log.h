/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages for people during a recording, one line each. Levels are those of syslog(3). The rate is
 * limited: after a burst of LOG_BURST lines, at most one line every LOG_REFILL_S seconds; the next
 * one says how many were left out. All functions may be called from any thread. */
#ifndef IOTRC_LOG_H
#define IOTRC_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

#define LOG_BURST 50
#define LOG_REFILL_S 2

/* Write to stderr as `iotrc: ...`, or, if stderr is the journal ($JOURNAL_STREAM), with the level
 * prefix of sd-daemon(3). This is the default. */
void log__to_stderr(void);
/* Write to stderr, which is a file: each line begins with its time. */
void log__to_file(void);
/* Write to syslog(3). */
void log__to_syslog(void);

/* Whether lines go to the journal, a file or syslog, where nobody watches them. */
bool log__unattended(void);

/* Prints one line. LEVEL: LOG_ERR, LOG_WARNING, ... of syslog(3). */
void log__line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Like log__line(), with a va_list. */
void log__lines(int level, const char *format, va_list args);

#endif
