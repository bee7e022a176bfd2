// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/shown.h"

#define SIZE_LIMIT (64 * 1024 * 1024)
/* A value takes about 100 bytes of memory, even if its text is shorter. */
#define VALUES_MAX (4 * 1000 * 1000)

json_t *json_text(const char *s)
{
	json_t *json = json_string(s);
	size_t len = strlen(s);
	char *buf;

	if (json)
		return json;
	buf = malloc(CSV_TEXT_MAX(len));
	if (!buf)
		return NULL;
	json = json_stringn(buf, csv__escape(buf, s, len) - buf);
	free(buf);
	return json;
}

/* Reads SIZE bytes, or fewer at the end of the file; returns NULL and sets errno on failure. */
static char *read_whole(int fd, size_t size, size_t *ret_len)
{
	char *text = malloc(size + 1);
	ssize_t n = 1;

	for (*ret_len = 0; text && n > 0 && *ret_len < size; *ret_len += n)
		n = pread(fd, text + *ret_len, size - *ret_len, *ret_len);
	if (text && n < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static size_t count_values(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == ',' || text[i] == ':' || text[i] == '[' || text[i] == '{';
	return n;
}

/* Where to continue if a parse of this thread finds no memory. jansson 2.14 takes a failed
 * allocation for an error in the text or, where it reads a string, does not notice it and writes
 * beyond its copy. So its parser never sees one: it is left at once, and what it had allocated so
 * far is lost. */
static _Thread_local jmp_buf *without_memory;
static atomic_bool lacks_memory;

static void *allocate(size_t size)
{
	void *p = malloc(size);

	if (!p && without_memory)
		longjmp(*without_memory, 1);
	if (!p)
		atomic_store(&lacks_memory, true);
	return p;
}

void json_text__begin(void)
{
	json_set_alloc_funcs(allocate, free);
}

bool json_text__lacks_memory(void)
{
	return atomic_load(&lacks_memory);
}

/* Returns 0; -EBADMSG, which ERROR describes; or -ENOMEM. */
static int parse_or_leave(const char *text, size_t len, size_t flags, json_t **ret,
			  json_error_t *error)
{
	jmp_buf here;

	if (setjmp(here)) {
		without_memory = NULL;
		return -ENOMEM;
	}
	without_memory = &here;
	*ret = json_loadb(text, len, flags, error);
	without_memory = NULL;
	return *ret ? 0 : -EBADMSG;
}

int json_text__parse(const char *text, size_t len, json_t **ret, char why[JSON_WHY_MAX])
{
	char shown[CSV_TEXT_MAX(40)];
	json_error_t error;
	json_t *root = NULL;
	int n, err;

	if (len > SIZE_LIMIT) {
		snprintf(why, JSON_WHY_MAX, "larger than 64 MiB");
		return -EBADMSG;
	}
	if (count_values(text, len) > VALUES_MAX) {
		snprintf(why, JSON_WHY_MAX, "more than %d values", VALUES_MAX);
		return -EBADMSG;
	}
	err = parse_or_leave(text, len, JSON_REJECT_DUPLICATES, &root, &error);
	if (err == -ENOMEM) {
		snprintf(why, JSON_WHY_MAX, "%s", strerror(ENOMEM));
		return err;
	}
	if (err) {
		size_t shown_len = strnlen(error.text, 40);

		n = (int)(csv__escape(shown, error.text, shown_len) - shown);
		snprintf(why, JSON_WHY_MAX, "line %d: %.*s%s", error.line, n, shown,
			 error.text[shown_len] ? "..." : "");
	} else if (!json_is_object(root)) {
		snprintf(why, JSON_WHY_MAX, "no object");
	} else {
		*ret = root;
		return 0;
	}
	json_decref(root);
	return -EBADMSG;
}

int json_text__read(int fd, json_t **ret, char why[JSON_WHY_MAX])
{
	int err = -EBADMSG;
	struct stat st;
	char *text;
	size_t len;

	/* NOLINTNEXTLINE(bugprone-branch-clone): errno of another call */
	if (fstat(fd, &st) < 0) {
		err = -errno;
		snprintf(why, JSON_WHY_MAX, "cannot be read: %s", strerror(-err));
	} else if (!S_ISREG(st.st_mode)) {
		snprintf(why, JSON_WHY_MAX, "no regular file");
	} else if (st.st_size > SIZE_LIMIT) {
		snprintf(why, JSON_WHY_MAX, "larger than 64 MiB");
	} else if (!(text = read_whole(fd, st.st_size, &len))) {
		err = -errno;
		snprintf(why, JSON_WHY_MAX, "cannot be read: %s", strerror(-err));
	} else {
		err = json_text__parse(text, len, ret, why);
		free(text);
	}
	return err;
}

json_t *json_text__value(const char *text, size_t len, size_t most)
{
	json_error_t error;
	json_t *value;

	if (count_values(text, len) > most ||
	    parse_or_leave(text, len, JSON_DECODE_ANY, &value, &error))
		return NULL;
	return value;
}

json_t *json_text__read_value(int fd, size_t size, size_t most)
{
	json_t *value;
	struct stat st;
	char *text;
	size_t len;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size > size)
		return NULL;
	text = read_whole(fd, st.st_size, &len);
	value = text ? json_text__value(text, len, most) : NULL;
	free(text);
	return value;
}

void json_text__print(const json_t *value, size_t flags)
{
	FILE *out = shown__stream(stdout);

	if (!out)
		return;
	json_dumpf(value, out, flags);
	fputc('\n', out);
	fflush(out);
}
