/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of fs_usage -w, whose grammar is that of Apple's system_cmds (fs_usage/fs_usage.c):
 *   TIME  CALL FIELDS PATH SECONDS W COMMAND.THREAD
 * in columns: PATH is filled up with blanks, or its beginning is cut, so that SECONDS begins at the
 * same column in all lines. The input is untrusted. */
#ifndef IOTRC_MACOS_FS_USAGE_LINE_H
#define IOTRC_MACOS_FS_USAGE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_USAGE_CALL_MAX 18 /* bytes that a call's name has at most, and NUL */
#define FS_USAGE_FLAGS_MAX 32

struct fs_usage_line {
	uint64_t day_us; /* since midnight, local time, when the call ended */
	uint64_t duration_us;
	char call[FS_USAGE_CALL_MAX];
	bool is_disk; /* not a call, but a disk's or the page cache's */
	bool waited;
	bool has_fd, has_fd2, has_bytes, has_offset, has_dir;
	int fd, fd2, dir;
	int error; /* errno; 0: none */
	uint64_t bytes, offset;
	char flags[FS_USAGE_FLAGS_MAX]; /* in parentheses; "": none */
	char words[FS_USAGE_FLAGS_MAX]; /* in angle brackets, as far as there is room */
	/* Borrowed from the line; LEN 0: it has none. CUT: it fills its column, so that its
	 * beginning may be missing. */
	const char *path;
	size_t path_len;
	bool path_cut;
	const char *command;
	size_t command_len;
	uint64_t thread;
};

/* Parses S, LEN bytes without the line feed. *COLUMN is where SECONDS begins: 0 before the first
 * line, then kept by this function. Returns false if it is not a valid line, or if what it says is
 * ambiguous. */
bool fs_usage_line__parse(struct fs_usage_line *ret, size_t *column, const char *s, size_t len);

#endif
