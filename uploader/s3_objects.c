// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists, reads and removes objects of an S3 store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "uploader/answer.h"
#include "uploader/s3.h"

#define KEYS 250 /* a page of them fits in HTTP_BODY_MAX */
#define KEY_TEXT_MAX (TARGET_KEY_MAX + 1)
#define TOKEN_MAX 2048

/* Calls ON_OBJECT for each object on a page. */
static bool give_page(struct s3_target *t, const char *body,
		      bool (*on_object)(void *arg, const struct target_found *found), void *arg)
{
	const char *at, *end;

	for (at = strstr(body, "<Contents>"); at; at = strstr(end, "<Contents>")) {
		char key[KEY_TEXT_MAX], size[32], modified[64];
		struct target_found found = { .key = key + strlen(t->prefix) };
		struct tm tm = { 0 };

		end = strstr(at, "</Contents>");
		if (!end || !answer__xml(at, "Key", key, sizeof(key)))
			break;
		answer__xml(at, "Size", size, sizeof(size));
		answer__xml(at, "LastModified", modified, sizeof(modified));
		if (strncmp(key, t->prefix, strlen(t->prefix)) || !target__is_key(found.key))
			continue;
		found.size = strtoull(size, NULL, 10);
		if (strptime(modified, "%Y-%m-%dT%H:%M:%S", &tm))
			found.modified = timegm(&tm);
		if (!on_object(arg, &found))
			return false;
	}
	return true;
}

/* Writes the query of a page, its keys sorted. TOKEN: where the last one ended, or "". */
static bool page_query(const struct s3_target *t, const char *prefix, const char *token, char *buf,
		       size_t size)
{
	char *at = buf, *end = buf + size;

	if (*token) {
		at = stpcpy(at, "continuation-token=");
		at = http__encode(at, end, token, false);
		if (!at || end - at < 64)
			return false;
		*at++ = '&';
	}
	at += sprintf(at, "list-type=2&max-keys=%d&prefix=", KEYS);
	at = http__encode(at, end, t->prefix, false);
	return at && http__encode(at, end, prefix, false);
}

void s3_objects__list(struct target *target, const char *prefix,
		      bool (*on_object)(void *arg, const struct target_found *found), void *arg,
		      struct target_result *result)
{
	struct s3_target *t = (struct s3_target *)target;
	char token[TOKEN_MAX] = "", next[TOKEN_MAX], query[3 * (TOKEN_MAX + 2 * TARGET_KEY_MAX)];
	struct s3_request r = { .method = "GET", .key = "", .query = query, .bucket = true };
	const struct http_answer *a;
	char truncated[16];

	do {
		if (!page_query(t, prefix, token, query, sizeof(query))) {
			target__result(result, TARGET_REFUSED, true, "the prefix is too long");
			return;
		}
		if (!s3__ask(t, &r, NULL, &a, result))
			return;
		if (!strstr(a->body, "<ListBucketResult")) {
			target__result(result, TARGET_RETRY, true,
				       "%.150s: it lists no objects: is it an S3 store?", t->host);
			return;
		}
		if (!give_page(t, a->body, on_object, arg)) {
			target__result(result, TARGET_CANCELLED, true, "cancelled");
			return;
		}
		answer__xml(a->body, "IsTruncated", truncated, sizeof(truncated));
		answer__xml(a->body, "NextContinuationToken", next, sizeof(next));
		if (!strcmp(truncated, "true") && (!*next || !strcmp(next, token))) {
			target__result(result, TARGET_RETRY, true,
				       "%.150s: its list of objects cannot be continued", t->host);
			return;
		}
		/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
		strcpy(token, next);
	} while (!strcmp(truncated, "true"));
	target__result(result, TARGET_DONE, true, "%s", "");
}

/* libcurl compares the length; the SHA-256 is what iotrc sent with the object. */
void s3_objects__get(struct target *target, const char *key, int fd, struct target_result *result)
{
	struct s3_target *t = (struct s3_target *)target;
	struct s3_request r = { .method = "GET", .key = key, .save = true, .save_fd = fd };
	const struct http_answer *a;
	char stated[HTTP_FIELD_MAX];
	struct checksums sums;
	uint64_t size;

	if (!s3__ask(t, &r, NULL, &a, result)) {
		result->missing = a && !a->error && a->status == 404;
		return;
	}
	size = a->saved;
	/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
	strcpy(stated, a->head.sha256);
	if (*stated &&
	    (checksums__file(&sums, fd, 0, size, 0, NULL) || strcmp(stated, sums.sha256)))
		target__result(result, TARGET_RETRY, false,
			       "%.150s: its object is not what was sent", t->host);
	else
		target__result(result, TARGET_DONE, false, "%s", "");
}

void s3_objects__remove(struct target *target, const char *key, struct target_result *result)
{
	struct s3_target *t = (struct s3_target *)target;
	struct s3_request r = { .method = "DELETE", .key = key };
	const struct http_answer *a;

	if (s3__ask(t, &r, NULL, &a, result) || (a && !a->error && a->status == 404))
		target__result(result, TARGET_DONE, false, "%s", "");
}
