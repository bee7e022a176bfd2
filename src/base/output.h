/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages of a recording: to stdout, stderr (a terminal, a pipe, the journal, a log file) and
 * syslog. A full pipe, a stopped terminal (^S), a hung disk or a hung syslog block their writer, so
 * each output has a thread of its own, without privileges. Other threads never wait: a message that
 * does not fit into the buffer is dropped. */
#ifndef IOTRC_OUTPUT_H
#define IOTRC_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum output { OUTPUT_STDOUT, OUTPUT_STDERR, OUTPUT_SYSLOG, OUTPUT_COUNT };

#define OUTPUT_CAPACITY (64 * 1024) /* bytes that can wait for each output */
#define OUTPUT_TEXT_MAX 4096        /* bytes of one message; longer ones are cut */

/* Starts the threads; to be called after any fork. Before, messages are written at once, by the
 * caller. Returns 0, or a negative errno. */
int output__begin(void);

/* Queues LEN bytes of TEXT, all or nothing, from any thread. LEVEL is that of syslog(3), for
 * OUTPUT_SYSLOG. Returns false if the message was dropped. */
bool output__write(enum output to, int level, const char *text, size_t len);

/* Whether the queue is empty. A status line that is rewritten in place need not be queued behind
 * other messages. */
bool output__idle(enum output to);

/* Returns a stream that writes to OUTPUT_STDOUT or OUTPUT_STDERR when it is flushed. Never NULL;
 * must not be closed. */
FILE *output__stream(enum output to);

/* Waits until everything queued is written, or until nothing was written for a second. */
void output__settle(enum output to);

/* Does the same for all outputs and ends their threads. A blocked thread is abandoned: the program
 * may exit. */
void output__end(void);

#endif
