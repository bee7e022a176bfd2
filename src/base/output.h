/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording says to people: on stdout, on stderr (a terminal, a pipe, the journal, a log
 * file) and to syslog. A pipe that nobody reads, a terminal that is stopped (^S), a disk or a
 * syslog that hangs holds up whoever writes to it; here that is a thread of each one's own, which
 * has no privileges. Whoever has something to say never waits: what finds no room is left out. */
#ifndef IOTRC_OUTPUT_H
#define IOTRC_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum output { OUTPUT_STDOUT, OUTPUT_STDERR, OUTPUT_SYSLOG, OUTPUT_COUNT };

#define OUTPUT_ROOM (64 * 1024) /* bytes that may wait for one of them */
#define OUTPUT_TEXT_MAX 4096    /* bytes of one text: longer ones are cut */

/* Starts the threads: after any fork. Until then all is written at once, by whoever says it. 0, or
 * a negative errno. */
int output__begin(void);

/* Writes LEN bytes of TEXT, whole or not at all. LEVEL is syslog(3)'s, for OUTPUT_SYSLOG. From any
 * thread. False: it was left out. */
bool output__write(enum output to, int level, const char *text, size_t len);

/* Nothing waits: whoever rewrites a line in place needn't add to what does. */
bool output__idle(enum output to);

/* A stream that writes there when it is flushed: OUTPUT_STDOUT or OUTPUT_STDERR. Never NULL; not to
 * be closed. */
FILE *output__stream(enum output to);

/* Waits until all of it is written, but no longer than for a second in which nothing is. */
void output__settle(enum output to);

/* Does so for all of them, and ends the threads. Those that are held up stay so: the program may
 * exit. */
void output__end(void);

#endif
