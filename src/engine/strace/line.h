/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of strace's output, with the options of strace.h: strings and paths are hexadecimal
 * escapes, so that brackets, commas and blanks are always strace's own. The input is untrusted. */
#ifndef IOTRC_STRACE_LINE_H
#define IOTRC_STRACE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_ARGS_MAX 6

/* Borrowed from the line. */
struct span {
	const char *s;
	size_t len;
};

enum line_kind {
	LINE_BAD,        /* not a line that strace writes */
	LINE_CALL,       /* body: NAME(ARGS) = RESULT <SECONDS> */
	LINE_UNFINISHED, /* body: NAME(ARGS, as far as known */
	LINE_RESUMED,    /* body: the rest of the call; name */
	LINE_MOVED,      /* like LINE_UNFINISHED: execve() of a thread, which is now thread OTHER */
	LINE_ENDED,      /* the thread has ended; status is that of wait(2) */
	LINE_SUPERSEDED, /* the thread's id is now that of the former thread OTHER */
	LINE_IGNORED,    /* signals, and strace's messages */
};

struct line {
	enum line_kind kind;
	uint32_t tid, other;
	int status;
	uint64_t ns; /* since 1970, when the call began or the thread ended */
	struct span body, name;
};

struct line_file {
	int number;
	struct span path; /* escaped; empty: unknown to strace */
	bool deleted;
};

struct line_call {
	struct span name, args[LINE_ARGS_MAX];
	size_t n_args;
	bool finished;         /* false: it did not return, and may be restarted */
	int64_t ret;           /* or a negative errno */
	struct line_file file; /* of the returned descriptor, if the result is one */
	uint64_t duration;     /* ns */
};

/* Parses S, LEN bytes without the line feed. */
void line__parse(struct line *ret, const char *s, size_t len);

/* Parses the body of a LINE_CALL, or that of a LINE_UNFINISHED followed by that of its
 * LINE_RESUMED. Returns false if it is not a call. */
bool line__call(struct line_call *ret, struct span body);

/* Parses the number ARG: decimal, hexadecimal or octal, or several joined by '|', whose union is
 * returned. Returns false if it is not a number. */
bool line__number(struct span arg, uint64_t *ret);

/* Returns the value of member NAME ("flags=") of a struct in strace's notation, or an empty
 * span. */
struct span line__member(struct span arg, const char *name);

/* Parses ARG, a descriptor and its file. Returns false if it is not one. */
bool line__file(struct span arg, struct line_file *ret);

/* Writes the bytes of the quoted string ARG to OUT, at most SIZE. Returns their number, or -1 if
 * ARG is not a string, was not printed in full, or does not fit. */
int line__text(struct span arg, char *out, size_t size);

/* The same for a string without quotes. */
int line__bytes(struct span escaped, char *out, size_t size);

/* Takes the first element off *LIST, a list without its brackets; false at its end. */
bool line__next(struct span *list, struct span *ret);

#endif
