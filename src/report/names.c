// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/anonymize.h"
#include "base/csv.h"
#include "base/json_text.h"
#include "dataset/two_paths.h"
#include "platform/libc.h"

/* Pages contain the beginning and the end of longer texts: 400 paths of 4,095 bytes would fill a
 * page. */
#define TEXT_MAX 400
#define TEXT_KEPT 190 /* at each end */
#define ELLIPSIS "\xe2\x80\xa6"

struct report_names {
	struct anonymizer *anonymizer; /* NULL: names stay */
};

int report_names__new(struct report_names **ret, bool anonymous)
{
	struct report_names *n = calloc(1, sizeof(*n));
	unsigned char key[ANONYMIZE_KEY_SIZE];
	int err = n ? 0 : -ENOMEM;

	if (!err && anonymous && getrandom(key, sizeof(key), 0) != sizeof(key))
		err = -errno;
	if (!err && anonymous)
		err = anonymizer__new(&n->anonymizer, key, false);
	if (err)
		n = report_names__free(n);
	*ret = n;
	return err;
}

struct report_names *report_names__free(struct report_names *n)
{
	if (n)
		anonymizer__free(n->anonymizer);
	free(n);
	return NULL;
}

/* Bytes that continue a character. */
static bool inside(char c)
{
	return (c & 0xc0) == 0x80;
}

static char *shortened(const char *s, size_t len)
{
	size_t head = TEXT_KEPT, tail = len - TEXT_KEPT;
	char *text = NULL;

	if (len <= TEXT_MAX)
		return strndup(s, len);
	while (head && inside(s[head]))
		head--;
	while (tail < len && inside(s[tail]))
		tail++;
	if (asprintf(&text, "%.*s" ELLIPSIS "%.*s", (int)head, s, (int)(len - tail), s + tail) < 0)
		text = NULL;
	return text;
}

static json_t *plain(const char *s, size_t len)
{
	char *text = shortened(s, len);
	json_t *json = text ? json_text(text) : NULL;

	free(text);
	return json;
}

typedef char *(*anonymize)(struct anonymizer *a, char *out, const char *s, size_t len);

/* The prefix of names without a directory (pipe:, memfd:) tells what they are. */
static char *any_path(struct anonymizer *a, char *out, const char *s, size_t len)
{
	const char *colon = *s == '/' ? NULL : memchr(s, ':', len);
	size_t kind = colon ? (size_t)(colon + 1 - s) : 0;

	memcpy(out, s, kind);
	if (*s == '/')
		return anonymize__path(a, out, s, len);
	return len > kind ? anonymize__name(a, out + kind, s + kind, len - kind) : out + kind;
}

static char *arguments(struct anonymizer *a, char *out, const char *s, size_t len)
{
	char *copy = malloc(len + 1), *end = out;

	if (!copy)
		return out;
	for (size_t i = 0; i < len; i++)
		copy[i] = (char)(s[i] == ' ' ? '\0' : s[i]);
	end = anonymize__args(a, out, copy, len);
	free(copy);
	return end;
}

static char *address(struct anonymizer *a, char *out, const char *s, size_t len)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, s, bytes) == 1) {
		anonymize__ipv4(a, bytes);
		inet_ntop(AF_INET, bytes, out, INET6_ADDRSTRLEN);
		return out + strlen(out);
	}
	if (inet_pton(AF_INET6, s, bytes) == 1) {
		anonymize__ipv6(a, bytes);
		inet_ntop(AF_INET6, bytes, out, INET6_ADDRSTRLEN);
		return out + strlen(out);
	}
	return any_path(a, out, s, len);
}

/* S as tokens by WITH. */
static json_t *tokens(struct report_names *n, const char *s, size_t len, anonymize with)
{
	size_t raw_len = 0;
	char *raw = csv__unescape(s, len, &raw_len),
	     *out = raw ? calloc(1, ANONYMIZE_MAX(raw_len)) : NULL;
	json_t *json = NULL;

	if (out)
		json = plain(out, raw_len ? with(n->anonymizer, out, raw, raw_len) - out : 0);
	free(raw);
	free(out);
	return json;
}

json_t *report_names__path(struct report_names *n, const char *s, size_t len)
{
	const struct row_field name = { (char *)s, len };
	struct two_paths paths = two_paths__split(&name);
	json_t *from, *to, *both;

	if (!n->anonymizer)
		return plain(s, len);
	if (!paths.two)
		return tokens(n, s, len, any_path);
	from = tokens(n, paths.first.s, paths.first.len, any_path);
	to = tokens(n, paths.second.s, paths.second.len, any_path);
	both = json_sprintf("%s" TWO_PATHS_ARROW "%s", json_string_value(from),
			    json_string_value(to));
	json_decref(from);
	json_decref(to);
	return both;
}

json_t *report_names__name(struct report_names *n, const char *s, size_t len)
{
	return n->anonymizer ? tokens(n, s, len, anonymize__name) : plain(s, len);
}

json_t *report_names__arguments(struct report_names *n, const char *s, size_t len)
{
	return n->anonymizer ? tokens(n, s, len, arguments) : plain(s, len);
}

json_t *report_names__address(struct report_names *n, const char *s, size_t len)
{
	return n->anonymizer ? tokens(n, s, len, address) : plain(s, len);
}
