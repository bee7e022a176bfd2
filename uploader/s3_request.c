// SPDX-License-Identifier: GPL-2.0-or-later
/* One request to an S3-compatible store. libcurl signs path, query and headers as they are, so they
 * are written here in the canonical form. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "uploader/answer.h"
#include "uploader/etag.h"
#include "uploader/s3.h"

#define URL_MAX 12288

/* SHA-256 of an empty body (FIPS 180-4). */
#define NO_BODY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static bool make_url(const struct s3_target *t, const struct s3_request *r, char url[URL_MAX])
{
	char *end = url + URL_MAX, *at;

	at = stpcpy(url, t->base); /* at most S3_ENDPOINT_MAX and the name of a bucket */
	if (!r->bucket)
		at = http__encode(at, end, t->prefix, true);
	if (at)
		at = http__encode(at, end, r->key, true);
	return at && (!r->query || snprintf(at, end - at, "?%s", r->query) < end - at);
}

const struct http_answer *s3__send(struct s3_target *t, const struct s3_request *r,
				   const struct target_hooks *hooks, struct target_result *result)
{
	const struct http_answer *a = NULL;
	struct curl_slist *headers = NULL;
	struct http_signer signer;
	struct http_request request = {
		.method = r->method,
		.host = t->host,
		.signer = &signer,
		.file = !r->data,
		.data = r->data,
		.fd = r->fd,
		.at = r->at,
		.len = r->len,
		.save = r->save,
		.save_fd = r->save_fd,
	};
	unsigned char md5[MD5_SIZE * 2];
	char url[URL_MAX];
	bool ok = true;

	if (t->refused)
		credentials__renew(&t->credentials, t->credentials_file, credentials__keys);
	t->refused = false;
	signer =
		(struct http_signer){ t->provider, t->credentials->key_id, t->credentials->secret };
	if (!make_url(t, r, url)) {
		target__result(result, TARGET_REFUSED, false, "the key is too long");
		return NULL;
	}
	request.url = url;
	http__header(&headers, &ok, "x-amz-content-sha256: %s", r->sha256 ?: NO_BODY);
	if (*t->credentials->session_token)
		http__header(&headers, &ok, "x-amz-security-token: %s",
			     t->credentials->session_token);
	if (r->md5) {
		EVP_EncodeBlock(md5, r->md5, MD5_SIZE);
		http__header(&headers, &ok, "Content-MD5: %s", (char *)md5);
	}
	if (r->meta_sha256)
		http__header(&headers, &ok, "x-amz-meta-sha256: %s", r->meta_sha256);
	if (r->type)
		http__header(&headers, &ok, "Content-Type: %s", r->type);
	request.headers = headers;
	if (ok)
		a = http__do(t->http, &request, r->sent_before, hooks);
	else
		target__result(result, TARGET_RETRY, true, "out of memory");
	curl_slist_free_all(headers);
	return a;
}

static void explain(struct s3_target *t, const struct http_answer *a, struct target_result *r)
{
	answer__explain(a, t->host, r);
	t->refused = !a->error && (a->status == 400 || a->status == 401 || a->status == 403);
}

bool s3__ask(struct s3_target *t, const struct s3_request *r, const struct target_hooks *hooks,
	     const struct http_answer **ret, struct target_result *result)
{
	*ret = s3__send(t, r, hooks, result);
	if (*ret && !answer__ok(*ret))
		explain(t, *ret, result);
	return *ret && answer__ok(*ret);
}

bool s3__is_ours(const struct http_answer *a, const struct target_object *object,
		 const struct checksums *sums, const char *etag, bool strict)
{
	char size[32];

	snprintf(size, sizeof(size), "%" PRIu64, object->size);
	if (strcmp(a->head.length, size) || !etag__matches(a, a->head.etag, etag))
		return false;
	return *a->head.sha256 ? !strcmp(a->head.sha256, sums->sha256) : !strict;
}

bool s3__confirm(struct s3_target *t, const struct target_object *object,
		 const struct checksums *sums, const char *etag, const struct target_hooks *hooks,
		 struct target_result *result)
{
	struct s3_request r = { .method = "HEAD", .key = object->key, .sent_before = object->size };
	const struct http_answer *a = s3__send(t, &r, hooks, result);

	if (!a)
		return false;
	if (!a->error && a->status == 403)
		return true;
	if (!a->error && a->status == 404) {
		target__result(result, TARGET_RETRY, false,
			       "%.150s: it accepted the object, but does not have it", t->host);
		return false;
	}
	if (!answer__ok(a)) {
		explain(t, a, result);
		return false;
	}
	if (s3__is_ours(a, object, sums, etag, false))
		return true;
	target__result(result, TARGET_RETRY, false,
		       "%.150s: its object differs from the one sent (%.40s bytes, ETag %.80s)",
		       t->host, a->head.length, a->head.etag);
	return false;
}
