/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of strace's output, as the options of strace.h make it: texts and paths are hexadecimal
 * escapes, so that brackets, commas and blanks belong to strace alone. Any bytes may come. */
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
	LINE_BAD,        /* strace doesn't write such */
	LINE_CALL,       /* body: NAME(ARGS) = RESULT <SECONDS> */
	LINE_UNFINISHED, /* body: NAME(ARGS, as far as they are known */
	LINE_RESUMED,    /* body: the rest of it; name */
	LINE_MOVED,      /* as unfinished: execve() of a thread, which has become thread OTHER */
	LINE_ENDED,      /* the thread has; status is as wait(2) has it */
	LINE_SUPERSEDED, /* the thread's id is now that of what was thread OTHER */
	LINE_IGNORED,    /* signals, and what strace says */
};

struct line {
	enum line_kind kind;
	uint32_t tid, other;
	int status;
	uint64_t ns; /* of 1970, when the call began or the thread ended */
	struct span body, name;
};

struct line_file {
	int number;
	struct span path; /* escaped; empty: strace could not tell */
	bool deleted;
};

struct line_call {
	struct span name, args[LINE_ARGS_MAX];
	size_t n_args;
	bool finished;         /* false: it returned nothing, and may be begun again */
	int64_t ret;           /* or a negative errno */
	struct line_file file; /* behind the descriptor that was returned, if it is one */
	uint64_t duration;     /* ns */
};

/* Takes S, LEN bytes without the line feed, apart. */
void line__parse(struct line *ret, const char *s, size_t len);

/* Takes the body of a LINE_CALL apart, or that of LINE_UNFINISHED with the body of LINE_RESUMED
 * behind it. False: it is no call. */
bool line__call(struct line_call *ret, struct span body);

/* The number that argument ARG is: decimal, hexadecimal or octal, of several joined by '|' their
 * union. False: it is none. */
bool line__number(struct span arg, uint64_t *ret);

/* The value of member NAME ("flags=") of a struct as strace writes it, or an empty span. */
struct span line__member(struct span arg, const char *name);

/* The file that argument ARG is a descriptor of. False: it is none. */
bool line__file(struct span arg, struct line_file *ret);

/* The bytes of a text in quotes into OUT, at most SIZE. Returns how many there are; or -1: it is no
 * text, or wasn't printed whole, or has no room. */
int line__text(struct span arg, char *out, size_t size);

/* The same of what stands without quotes. */
int line__bytes(struct span escaped, char *out, size_t size);

/* Takes the first element off *LIST, a list without its brackets; false at its end. */
bool line__next(struct span *list, struct span *ret);

#endif
