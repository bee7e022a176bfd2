// SPDX-License-Identifier: GPL-2.0-or-later
/* A multipart upload. The store is asked which parts it has, so only the upload id has to be
 * stored. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "uploader/answer.h"
#include "uploader/etag.h"
#include "uploader/s3.h"

#define PARTS_MAX 10000
#define LIST_PARTS 500 /* a page far smaller than HTTP_BODY_MAX */
#define LISTS_MAX 100  /* of one upload: the store may return fewer parts than requested */

/* A part of a multipart upload: the local data, and the store's answer. */
struct part {
	uint64_t at, len;
	struct checksums sums;
	char etag[HTTP_FIELD_MAX]; /* without quotes; "": the store does not have it */
	uint64_t size;
};

struct multipart {
	struct s3_target *t;
	const struct target_object *object;
	const struct checksums *sums;
	const struct target_hooks *hooks;
	struct target_result *result;
	char id[TARGET_UPLOAD_ID_MAX];
	uint64_t part_bytes;
	unsigned int n;
	struct part *parts;
};

static void announce(const struct multipart *m, const char *id)
{
	if (m->hooks && m->hooks->multipart)
		m->hooks->multipart(m->hooks->data, id);
}

/* Upload ids are the store's and may contain any characters. */
static bool query(char *buf, size_t size, const char *before, const char *id)
{
	char *at = stpcpy(buf, before);

	return http__encode(at, buf + size, id, false);
}

#define QUERY_MAX (3 * TARGET_UPLOAD_ID_MAX + 64)

/* Lists the parts that the store has. *RET_GONE: it does not know the upload. */
static bool list_parts(struct multipart *m, bool *ret_gone)
{
	char before[64], q[QUERY_MAX], text[HTTP_FIELD_MAX];
	struct s3_request r = { .method = "GET", .key = m->object->key, .query = q };
	const struct http_answer *a;
	unsigned long number = 0, after;
	unsigned int lists = 0;

	*ret_gone = false;
	do {
		const char *at, *end;

		after = number;
		snprintf(before, sizeof(before),
			 "max-parts=%d&part-number-marker=%lu&uploadId=", LIST_PARTS, after);
		if (!query(q, sizeof(q), before, m->id))
			return false;
		if (!s3__ask(m->t, &r, m->hooks, &a, m->result)) {
			*ret_gone = a && (answer__is(a, "NoSuchUpload") ||
					  (!a->error && a->status == 404));
			return false;
		}
		for (at = strstr(a->body, "<Part>"); at; at = strstr(end, "<Part>")) {
			end = strstr(at, "</Part>");
			if (!end || !answer__xml(at, "PartNumber", text, sizeof(text)))
				break;
			number = strtoul(text, NULL, 10);
			if (number < 1 || number > m->n)
				continue;
			answer__xml(at, "Size", text, sizeof(text));
			m->parts[number - 1].size = strtoull(text, NULL, 10);
			answer__xml(at, "ETag", m->parts[number - 1].etag, HTTP_FIELD_MAX);
			etag__unquote(m->parts[number - 1].etag);
		}
		answer__xml(a->body, "IsTruncated", text, sizeof(text));
		/* Parts that are not listed are sent again, so an endless list can be cut. */
	} while (!strcmp(text, "true") && number > after && number < m->n && ++lists < LISTS_MAX);
	return true;
}

/* What each part is here. */
static bool sum_parts(struct multipart *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		struct part *part = &m->parts[i];
		int err;

		part->at = i * m->part_bytes;
		part->len = m->object->size - part->at;
		if (part->len > m->part_bytes)
			part->len = m->part_bytes;
		err = checksums__file(&part->sums, m->object->fd, part->at, part->len, 0, m->hooks);
		if (err == -ECANCELED) {
			target__result(m->result, TARGET_CANCELLED, false, "cancelled");
			return false;
		} else if (err) {
			target__result(m->result, TARGET_LOCAL, false, "can't read the file: %s",
				       strerror(-err));
			return false;
		}
	}
	return true;
}

static bool create(struct multipart *m)
{
	struct s3_request r = {
		.method = "POST",
		.key = m->object->key,
		.query = "uploads=",
		.meta_sha256 = m->sums->sha256,
		/* libcurl needs a body, even an empty one. */
		.type = "application/octet-stream",
		.data = "",
	};
	const struct http_answer *a;

	for (unsigned int i = 0; i < m->n; i++)
		m->parts[i].size = 0;
	if (!s3__ask(m->t, &r, m->hooks, &a, m->result))
		return false;
	if (!answer__xml(a->body, "UploadId", m->id, sizeof(m->id)) || !*m->id ||
	    strlen(m->id) == sizeof(m->id) - 1) {
		target__result(m->result, TARGET_RETRY, true,
			       "%.150s: the answer has no upload id: is it an S3 store?",
			       m->t->host);
		*m->id = 0;
		return false;
	}
	announce(m, m->id);
	return true;
}

static bool send_part(struct multipart *m, unsigned int i)
{
	char before[64], q[QUERY_MAX], expected[ETAG_MD5_SIZE];
	struct part *part = &m->parts[i];
	struct s3_request r = {
		.method = "PUT",
		.key = m->object->key,
		.query = q,
		.sha256 = part->sums.sha256,
		.md5 = part->sums.md5,
		.fd = m->object->fd,
		.at = part->at,
		.len = part->len,
		.sent_before = part->at,
	};
	const struct http_answer *a;

	etag__expect(expected, part->sums.md5);
	if (part->size == part->len && !strcasecmp(part->etag, expected))
		return true; /* the store has had it since the last attempt */
	snprintf(before, sizeof(before), "partNumber=%u&uploadId=", i + 1);
	if (!query(q, sizeof(q), before, m->id) || !s3__ask(m->t, &r, m->hooks, &a, m->result))
		return false;
	/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
	strcpy(part->etag, a->head.etag);
	etag__unquote(part->etag);
	return etag__check(a, m->t->host, part->etag, expected, m->result);
}

/* The ETag of the object is the MD5 of its parts' MD5s. */
static bool expect(const struct multipart *m, char expected[ETAG_MD5_SIZE])
{
	/* NOLINTNEXTLINE(*.UnixAPI): an object in parts has one */
	unsigned char *all = malloc(m->n * MD5_SIZE);
	struct checksums sums;
	int err = -ENOMEM;

	for (unsigned int i = 0; all && i < m->n; i++)
		memcpy(all + i * MD5_SIZE, m->parts[i].sums.md5, MD5_SIZE);
	if (all)
		err = checksums__memory(&sums, all, m->n * MD5_SIZE);
	free(all);
	if (err) {
		target__result(m->result, TARGET_RETRY, true, "out of memory");
		return false;
	}
	etag__expect(expected, sums.md5);
	sprintf(expected + MD5_SIZE * 2, "-%u", m->n);
	return true;
}

static char *completion(const struct multipart *m)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("<CompleteMultipartUpload>", out);
	for (unsigned int i = 0; i < m->n; i++)
		fprintf(out, "<Part><PartNumber>%u</PartNumber><ETag>&quot;%s&quot;</ETag></Part>",
			i + 1, m->parts[i].etag);
	fputs("</CompleteMultipartUpload>", out);
	return fclose(out) == 0 ? text : NULL;
}

/* The answer to a completion: 200 may be sent before the store knows the result. Some stores (Ceph
 * 16) leave the ETag empty; HEAD returns it. */
static bool is_complete(const struct multipart *m, const struct http_answer *a,
			const char *expected)
{
	char etag[HTTP_FIELD_MAX];

	answer__xml(a->body, "ETag", etag, sizeof(etag));
	if (*etag)
		return etag__check(a, m->t->host, etag, expected, m->result);
	if (strstr(a->body, "<CompleteMultipartUploadResult"))
		return true;
	target__result(m->result, TARGET_RETRY, true,
		       "%.150s: it doesn't say that the upload is complete: is it an S3 store?",
		       m->t->host);
	return false;
}

/* Completes the object and checks that it is the right one. */
static bool complete(struct multipart *m)
{
	char q[QUERY_MAX], expected[ETAG_MD5_SIZE], *text = completion(m);
	struct checksums sums;
	struct s3_request r = {
		.method = "POST",
		.key = m->object->key,
		.query = q,
		.sha256 = sums.sha256,
		.type = "application/xml",
		.data = text,
		.sent_before = m->object->size,
	};
	const struct http_answer *a;
	bool ok = false;

	if (!text || checksums__memory(&sums, text, strlen(text))) {
		target__result(m->result, TARGET_RETRY, true, "out of memory");
	} else if (expect(m, expected) && query(q, sizeof(q), "uploadId=", m->id)) {
		r.len = strlen(text);
		ok = s3__ask(m->t, &r, m->hooks, &a, m->result) && is_complete(m, a, expected);
	}
	free(text);
	if (!ok)
		return false;
	*m->id = 0;
	announce(m, NULL);
	return s3__confirm(m->t, m->object, m->sums, expected, m->hooks, m->result);
}

void s3_parts__abort(struct target *target, const char *key, const char *upload_id,
		     struct target_result *result)
{
	char q[QUERY_MAX];
	struct s3_request r = { .method = "DELETE", .key = key, .query = q };
	const struct http_answer *a;

	if (strlen(upload_id) >= TARGET_UPLOAD_ID_MAX ||
	    !query(q, sizeof(q), "uploadId=", upload_id)) {
		target__result(result, TARGET_LOCAL, false, "no such upload id");
		return;
	}
	if (s3__ask((struct s3_target *)target, &r, NULL, &a, result) ||
	    (a && answer__is(a, "NoSuchUpload")))
		target__result(result, TARGET_DONE, false, "%s", "");
}

/* The answer to a completion may have been lost: check whether the object is complete. */
static bool is_there(struct multipart *m)
{
	struct s3_request r = { .method = "HEAD", .key = m->object->key };
	char expected[ETAG_MD5_SIZE];
	const struct http_answer *a;
	struct target_result ignored;

	a = s3__send(m->t, &r, m->hooks, &ignored);
	if (!a || !answer__ok(a) || !expect(m, expected))
		return false;
	return s3__is_ours(a, m->object, m->sums, expected, true);
}

enum take_up { FAILED, UNDER_WAY, THERE };

/* Starts the upload, or continues the stored one. */
static enum take_up take_up(struct multipart *m)
{
	const char *id = m->object->upload_id;
	bool gone;

	if (id && *id && strlen(id) < sizeof(m->id)) {
		/* NOLINTNEXTLINE(*.strcpy): its length was checked */
		strcpy(m->id, id);
		if (list_parts(m, &gone))
			return UNDER_WAY;
		/* Credentials that can write may not be allowed to list: then all parts are
		 * sent. */
		if (!gone && m->result->verdict == TARGET_REFUSED)
			return UNDER_WAY;
		if (!gone)
			return FAILED;
		*m->id = 0;
		announce(m, NULL);
		if (is_there(m))
			return THERE;
	}
	return create(m) ? UNDER_WAY : FAILED;
}

/* An abandoned upload would be stored, and billed, for ever. */
static void give_up(struct multipart *m)
{
	bool resumable =
		m->hooks && m->hooks->multipart &&
		(m->result->verdict == TARGET_RETRY || m->result->verdict == TARGET_CANCELLED);
	struct target_result result;

	if (!*m->id || resumable)
		return;
	s3_parts__abort(&m->t->target, m->object->key, m->id, &result);
	if (result.verdict == TARGET_DONE)
		announce(m, NULL);
}

void s3_parts__put(struct s3_target *t, const struct target_object *object,
		   const struct checksums *sums, const struct target_hooks *hooks,
		   struct target_result *result)
{
	struct multipart m = {
		.t = t,
		.object = object,
		.sums = sums,
		.hooks = hooks,
		.result = result,
		.part_bytes = t->part_bytes,
	};
	enum take_up state = FAILED;
	bool ok;

	while ((object->size + m.part_bytes - 1) / m.part_bytes > PARTS_MAX)
		m.part_bytes *= 2;
	m.n = (object->size + m.part_bytes - 1) / m.part_bytes;
	m.parts = calloc(m.n, sizeof(*m.parts));
	if (!m.parts) {
		target__result(result, TARGET_RETRY, true, "out of memory");
		return;
	}
	if (sum_parts(&m))
		state = take_up(&m);
	ok = state != FAILED;
	for (unsigned int i = 0; state == UNDER_WAY && ok && i < m.n; i++)
		ok = send_part(&m, i);
	if (state == UNDER_WAY && ok)
		ok = complete(&m);
	if (ok)
		target__result(result, TARGET_DONE, false, "%s", "");
	else
		give_up(&m);
	free(m.parts);
}
