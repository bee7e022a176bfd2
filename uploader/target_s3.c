// SPDX-License-Identifier: GPL-2.0-only
/* An S3-compatible store. Each request says the SHA-256 of its body, which the store checks with the
 * signature; what it then has is compared with what we have: MD5 in its ETag, size and SHA-256 in the
 * answer to HEAD. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "uploader/answer.h"
#include "uploader/credentials.h"
#include "uploader/etag.h"
#include "uploader/http.h"
#include "uploader/target_kind.h"

#define SCHEME "s3://"
#define DEFAULT_REGION "us-east-1" /* what stores without regions go by */
/* Until 7.87 libcurl signed none of a request's own fields. */
#define CURL_NEEDED 0x075800
#define PARTS_MAX 10000
#define LIST_PARTS 500 /* a page that is far from filling HTTP_BODY_MAX */
#define URL_MAX 12288
#define ENDPOINT_MAX 1024

/* SHA-256 of nothing (FIPS 180-4). */
#define NO_BODY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct s3_target {
	struct target target;
	struct http *http;
	struct credentials *credentials; /* NULL: to be looked up again */
	char *credentials_file;
	char *base;                  /* URL of the bucket, with a slash at its end */
	char *host;                  /* of messages */
	char *prefix;                /* with a slash at its end, or "" */
	char *provider;              /* of the signer: its region is in it */
	uint64_t part_bytes;
};

/* A part of a multipart upload: what it is here, and what the store has said of its own. */
struct part {
	uint64_t at, len;
	struct digest digest;
	char etag[HTTP_FIELD_MAX];   /* without quotes; "": not there */
	uint64_t size;
};

/* What a request is about. The body is empty unless len is not 0. */
struct s3_request {
	const char *method, *key;
	const char *query;           /* sorted and encoded; or NULL */
	const char *sha256;          /* of the body; NULL: it is empty */
	const unsigned char *md5;    /* likewise, where it is data of ours */
	const char *meta_sha256;     /* of the whole file, kept with the object; or NULL */
	const char *type;            /* Content-Type; or NULL */
	const char *data;
	int fd;
	uint64_t at, len;
	uint64_t sent_before;
};

static const char *environment(const char *const *names)
{
	const char *value = NULL;

	for (; *names && !(value && *value); names++)
		value = getenv(*names);
	return value && *value ? value : NULL;
}

/* Lower-case letters, digits, - and . are what AWS allows; older buckets and other stores have more.
 * Nothing in it may end a host name or a path's component. */
static bool is_bucket(const char *s, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";

	if (len < 1 || len > 255 || !memcmp(s, "..", len < 2 ? len : 2))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!memchr(allowed, s[i], sizeof(allowed) - 1))
			return false;
	return true;
}

/* Base URL and host from ENDPOINT, in which {bucket} stands for the bucket's name; without it the
 * bucket is the path's first component. */
static int set_base(struct s3_target *t, const char *endpoint, const char *bucket,
		    char problem[TARGET_REASON_MAX])
{
	static const char mark[] = "{bucket}";
	const char *scheme = strstr(endpoint, "://"), *at = strstr(endpoint, mark);
	size_t len = strlen(endpoint), n = at ? (size_t)(at - endpoint) : 0;
	int made;

	if (!scheme || (strncasecmp(endpoint, "https://", 8) && strncasecmp(endpoint, "http://", 7)) ||
	    !scheme[3] || scheme[3] == '/' || len > ENDPOINT_MAX ||
	    strpbrk(endpoint, "?#@ \t\r\n")) {
		target__say(problem, "'%.200s' is no S3 endpoint: https://HOST[:PORT], or "
			    "https://{bucket}.HOST for virtual-host style", endpoint);
		return -EINVAL;
	}
	while (endpoint[len - 1] == '/')
		len--;
	if (at)
		made = asprintf(&t->base, "%.*s%s%.*s/", (int)n, endpoint, bucket,
				(int)(len - n - strlen(mark)), at + strlen(mark));
	else
		made = asprintf(&t->base, "%.*s/%s/", (int)len, endpoint, bucket);
	if (made < 0) {
		t->base = NULL;
		return -ENOMEM;
	}
	scheme = strstr(t->base, "://") + 3;
	t->host = strndup(scheme, strcspn(scheme, "/"));
	return t->host ? 0 : -ENOMEM;
}

static int set_prefix(struct s3_target *t, const char *prefix)
{
	size_t len = strlen(prefix);

	while (len && prefix[len - 1] == '/')
		len--;
	if (asprintf(&t->prefix, "%.*s%s", (int)len, prefix, len ? "/" : "") < 0) {
		t->prefix = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int set_provider(struct s3_target *t, const char *region)
{
	static const char *const names[] = { "AWS_REGION", "AWS_DEFAULT_REGION", NULL };

	if (!region)
		region = environment(names) ?: DEFAULT_REGION;
	/* It goes between colons, and into a header. */
	if (region[strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")])
		return -EINVAL;
	if (asprintf(&t->provider, "aws:amz:%s:s3", region) < 0) {
		t->provider = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void s3_free(struct target *target)
{
	struct s3_target *t = (struct s3_target *)target;

	http__free(t->http);
	credentials__free(t->credentials);
	free(t->credentials_file);
	free(t->base);
	free(t->host);
	free(t->prefix);
	free(t->provider);
	free(t);
}

static int set_up(struct s3_target *t, const struct target_config *config,
		  char problem[TARGET_REASON_MAX])
{
	static const char *const names[] = { "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL };
	const char *endpoint = config->s3_endpoint ?: environment(names);
	const char *rest = config->url + strlen(SCHEME);
	size_t len = strcspn(rest, "/");
	char bucket[256];
	int err;

	if (!is_bucket(rest, len)) {
		target__say(problem, "'%.200s' names no bucket: s3://BUCKET/PREFIX", config->url);
		return -EINVAL;
	}
	snprintf(bucket, sizeof(bucket), "%.*s", (int)len, rest);
	if (strlen(rest) > TARGET_KEY_MAX / 2) {
		target__say(problem, "the prefix of '%.100s...' is too long", config->url);
		return -EINVAL;
	}
	if (!endpoint) {
		target__say(problem, "s3:// needs --s3-endpoint URL (of AWS it is "
			    "https://s3.REGION.amazonaws.com, with --s3-region REGION)");
		return -EINVAL;
	}
	if (curl_version_info(CURLVERSION_NOW)->version_num < CURL_NEEDED) {
		target__say(problem, "s3:// needs libcurl 7.88 or later, here is %s",
			    curl_version_info(CURLVERSION_NOW)->version);
		return -EOPNOTSUPP;
	}
	err = set_provider(t, config->s3_region);
	if (err == -EINVAL) {
		target__say(problem, "'%.100s' is no region", config->s3_region ?: "the environment's");
		return err;
	}
	if (!err)
		err = set_base(t, endpoint, bucket, problem);
	if (err == -EINVAL)
		return err;
	if (!err)
		err = set_prefix(t, rest + len + (rest[len] == '/'));
	if (!err && config->credentials) {
		t->credentials_file = strdup(config->credentials);
		err = t->credentials_file ? 0 : -ENOMEM;
	}
	if (err) {
		target__say(problem, "out of memory");
		return err;
	}
	t->part_bytes = config->part_bytes ?: TARGET_PART_BYTES;
	err = http__new(&t->http, config, problem);
	if (!err)
		err = credentials__keys(&t->credentials, t->credentials_file, problem);
	return err;
}

static int s3_new(struct target **ret, const struct target_config *config,
		  char problem[TARGET_REASON_MAX])
{
	struct s3_target *t = calloc(1, sizeof(*t));
	int err;

	if (!t) {
		target__say(problem, "out of memory");
		return -ENOMEM;
	}
	t->target.kind = &target_s3;
	err = set_up(t, config, problem);
	if (err) {
		s3_free(&t->target);
		return err;
	}
	*ret = &t->target;
	return 0;
}

static bool make_url(const struct s3_target *t, const struct s3_request *r, char url[URL_MAX])
{
	char *end = url + URL_MAX, *at;

	at = stpcpy(url, t->base); /* at most ENDPOINT_MAX and a bucket's name */
	at = http__encode(at, end, t->prefix, true);
	if (at)
		at = http__encode(at, end, r->key, true);
	return at && (!r->query || snprintf(at, end - at, "?%s", r->query) < end - at);
}

/* Sends R. NULL where there is no memory, or no credentials any more: RESULT says so. */
static const struct http_answer *send_request(struct s3_target *t, const struct s3_request *r,
					      const struct target_hooks *hooks,
					      struct target_result *result)
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
	};
	unsigned char md5[MD5_SIZE * 2];
	char url[URL_MAX], problem[TARGET_REASON_MAX];
	bool ok = true;

	if (!t->credentials && credentials__keys(&t->credentials, t->credentials_file, problem)) {
		target__result(result, TARGET_REFUSED, true, "%s", problem);
		return NULL;
	}
	signer = (struct http_signer){ t->provider, t->credentials->key_id, t->credentials->secret };
	if (!make_url(t, r, url)) {
		target__result(result, TARGET_REFUSED, false, "the key is too long");
		return NULL;
	}
	request.url = url;
	http__header(&headers, &ok, "x-amz-content-sha256: %s", r->sha256 ?: NO_BODY);
	if (*t->credentials->session_token)
		http__header(&headers, &ok, "x-amz-security-token: %s", t->credentials->session_token);
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

/* Says what is wrong with an answer that isn't ok; credentials that were not accepted are looked up
 * again the next time: a file of temporary ones is written anew by whoever made it. */
static void explain(struct s3_target *t, const struct http_answer *a, struct target_result *r)
{
	answer__explain(a, t->host, r);
	if (!a->error && (a->status == 400 || a->status == 401 || a->status == 403))
		t->credentials = credentials__free(t->credentials);
}

/* Whether the request went well; otherwise RESULT says what is wrong. */
static bool ask(struct s3_target *t, const struct s3_request *r, const struct target_hooks *hooks,
		const struct http_answer **ret, struct target_result *result)
{
	*ret = send_request(t, r, hooks, result);
	if (*ret && !answer__ok(*ret))
		explain(t, *ret, result);
	return *ret && answer__ok(*ret);
}

/* Whether the answer to HEAD is about what we have. Where STRICT, its SHA-256 must be known. */
static bool is_ours(const struct http_answer *a, const struct target_object *object,
		    const struct digest *digest, const char *etag, bool strict)
{
	char size[32];

	snprintf(size, sizeof(size), "%" PRIu64, object->size);
	if (strcmp(a->head.length, size) || !etag__matches(a, a->head.etag, etag))
		return false;
	return *a->head.sha256 ? !strcmp(a->head.sha256, digest->sha256) : !strict;
}

/* HEAD: is it there, as long as it is here, with its checksums? Credentials that may only write get
 * 403; then the store's word at the PUT, whose checksums it has compared, has to do. */
static bool confirm(struct s3_target *t, const struct target_object *object,
		    const struct digest *digest, const char *etag, const struct target_hooks *hooks,
		    struct target_result *result)
{
	struct s3_request r = { .method = "HEAD", .key = object->key, .sent_before = object->size };
	const struct http_answer *a = send_request(t, &r, hooks, result);

	if (!a)
		return false;
	if (!a->error && a->status == 403)
		return true;
	if (!a->error && a->status == 404) {
		target__result(result, TARGET_RETRY, false, "%.150s: it took the object, but hasn't got it",
			       t->host);
		return false;
	}
	if (!answer__ok(a)) {
		explain(t, a, result);
		return false;
	}
	if (is_ours(a, object, digest, etag, false))
		return true;
	target__result(result, TARGET_RETRY, false,
		       "%.150s: it has another object than was sent (%.40s bytes, ETag %.80s)", t->host,
		       a->head.length, a->head.etag);
	return false;
}

static void done(struct target_result *r)
{
	target__result(r, TARGET_DONE, false, "%s", "");
}

static void put_whole(struct s3_target *t, const struct target_object *object,
		      const struct digest *digest, const struct target_hooks *hooks,
		      struct target_result *result)
{
	struct s3_request r = {
		.method = "PUT",
		.key = object->key,
		.sha256 = digest->sha256,
		.md5 = digest->md5,
		.meta_sha256 = digest->sha256,
		.fd = object->fd,
		.len = object->size,
	};
	const struct http_answer *a;
	char expected[ETAG_MD5_SIZE];

	etag__expect(expected, digest->md5);
	if (ask(t, &r, hooks, &a, result) &&
	    etag__check(a, t->host, a->head.etag, expected, result) &&
	    confirm(t, object, digest, expected, hooks, result))
		done(result);
}

/* Parts of a multipart upload. */

struct multipart {
	struct s3_target *t;
	const struct target_object *object;
	const struct digest *digest;
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

/* Upload ids are the store's own and may hold anything. */
static bool query(char *buf, size_t size, const char *before, const char *id)
{
	char *at = stpcpy(buf, before);

	return http__encode(at, buf + size, id, false);
}

#define QUERY_MAX (3 * TARGET_UPLOAD_ID_MAX + 64)

/* What of the upload the store has already. *RET_GONE: it knows nothing of it. */
static bool list_parts(struct multipart *m, bool *ret_gone)
{
	char before[64], q[QUERY_MAX], text[HTTP_FIELD_MAX];
	struct s3_request r = { .method = "GET", .key = m->object->key, .query = q };
	const struct http_answer *a;
	unsigned long number = 0, after;

	*ret_gone = false;
	do {
		const char *at, *end;

		after = number;
		snprintf(before, sizeof(before), "max-parts=%d&part-number-marker=%lu&uploadId=",
			 LIST_PARTS, after);
		if (!query(q, sizeof(q), before, m->id))
			return false;
		if (!ask(m->t, &r, m->hooks, &a, m->result)) {
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
	} while (!strcmp(text, "true") && number > after);
	return true;
}

/* What each part is here. */
static bool digest_parts(struct multipart *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		struct part *part = &m->parts[i];
		int err;

		part->at = i * m->part_bytes;
		part->len = m->object->size - part->at;
		if (part->len > m->part_bytes)
			part->len = m->part_bytes;
		err = digest__file(&part->digest, m->object->fd, part->at, part->len, m->hooks);
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
		.meta_sha256 = m->digest->sha256,
		/* libcurl would call an empty form what is nothing. */
		.type = "application/octet-stream",
		.data = "",
	};
	const struct http_answer *a;

	for (unsigned int i = 0; i < m->n; i++)
		m->parts[i].size = 0;
	if (!ask(m->t, &r, m->hooks, &a, m->result))
		return false;
	if (!answer__xml(a->body, "UploadId", m->id, sizeof(m->id)) || !*m->id ||
	    strlen(m->id) == sizeof(m->id) - 1) {
		target__result(m->result, TARGET_RETRY, true,
			       "%.150s: the answer has no upload id: is it an S3 store?", m->t->host);
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
		.sha256 = part->digest.sha256,
		.md5 = part->digest.md5,
		.fd = m->object->fd,
		.at = part->at,
		.len = part->len,
		.sent_before = part->at,
	};
	const struct http_answer *a;

	etag__expect(expected, part->digest.md5);
	if (part->size == part->len && !strcasecmp(part->etag, expected))
		return true; /* it has this one since the last time */
	snprintf(before, sizeof(before), "partNumber=%u&uploadId=", i + 1);
	if (!query(q, sizeof(q), before, m->id) || !ask(m->t, &r, m->hooks, &a, m->result))
		return false;
	strcpy(part->etag, a->head.etag);
	etag__unquote(part->etag);
	return etag__check(a, m->t->host, part->etag, expected, m->result);
}

/* The ETag of the whole is the MD5 of its parts' MD5s. */
static bool expect(const struct multipart *m, char expected[ETAG_MD5_SIZE])
{
	unsigned char *all = malloc(m->n * MD5_SIZE);
	struct digest digest;
	int err = -ENOMEM;

	for (unsigned int i = 0; all && i < m->n; i++)
		memcpy(all + i * MD5_SIZE, m->parts[i].digest.md5, MD5_SIZE);
	if (all)
		err = digest__memory(&digest, all, m->n * MD5_SIZE);
	free(all);
	if (err) {
		target__result(m->result, TARGET_RETRY, true, "out of memory");
		return false;
	}
	etag__expect(expected, digest.md5);
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
		fprintf(out, "<Part><PartNumber>%u</PartNumber><ETag>&quot;%s&quot;</ETag></Part>", i + 1,
			m->parts[i].etag);
	fputs("</CompleteMultipartUpload>", out);
	return fclose(out) == 0 ? text : NULL;
}

/* The answer to a completion: 200 may come before the store knows how it ends. Some (Ceph 16) leave
 * the ETag empty; HEAD has it. */
static bool is_complete(const struct multipart *m, const struct http_answer *a, const char *expected)
{
	char etag[HTTP_FIELD_MAX];

	answer__xml(a->body, "ETag", etag, sizeof(etag));
	if (*etag)
		return etag__check(a, m->t->host, etag, expected, m->result);
	if (strstr(a->body, "<CompleteMultipartUploadResult"))
		return true;
	target__result(m->result, TARGET_RETRY, true,
		       "%.150s: it doesn't say that the upload is complete: is it an S3 store?", m->t->host);
	return false;
}

/* Makes one object of the parts, and sees that it is the right one. */
static bool complete(struct multipart *m)
{
	char q[QUERY_MAX], expected[ETAG_MD5_SIZE], *text = completion(m);
	struct digest digest;
	struct s3_request r = {
		.method = "POST",
		.key = m->object->key,
		.query = q,
		.sha256 = digest.sha256,
		.type = "application/xml",
		.data = text,
		.sent_before = m->object->size,
	};
	const struct http_answer *a;
	bool ok = false;

	if (!text || digest__memory(&digest, text, strlen(text))) {
		target__result(m->result, TARGET_RETRY, true, "out of memory");
	} else if (expect(m, expected) && query(q, sizeof(q), "uploadId=", m->id)) {
		r.len = strlen(text);
		ok = ask(m->t, &r, m->hooks, &a, m->result) && is_complete(m, a, expected);
	}
	free(text);
	if (!ok)
		return false;
	*m->id = 0;
	announce(m, NULL);
	return confirm(m->t, m->object, m->digest, expected, m->hooks, m->result);
}

static void s3_abort(struct target *target, const char *key, const char *upload_id,
		     struct target_result *result)
{
	char q[QUERY_MAX];
	struct s3_request r = { .method = "DELETE", .key = key, .query = q };
	const struct http_answer *a;

	if (strlen(upload_id) >= TARGET_UPLOAD_ID_MAX || !query(q, sizeof(q), "uploadId=", upload_id)) {
		target__result(result, TARGET_LOCAL, false, "no such upload id");
		return;
	}
	if (ask((struct s3_target *)target, &r, NULL, &a, result) ||
	    (a && answer__is(a, "NoSuchUpload")))
		done(result);
}

/* The answer to a completion may have been lost: is it all there already? */
static bool is_there(struct multipart *m)
{
	struct s3_request r = { .method = "HEAD", .key = m->object->key };
	char expected[ETAG_MD5_SIZE];
	const struct http_answer *a;
	struct target_result ignored;

	a = send_request(m->t, &r, m->hooks, &ignored);
	if (!a || !answer__ok(a) || !expect(m, expected))
		return false;
	return is_ours(a, m->object, m->digest, expected, true);
}

enum take_up { FAILED, UNDER_WAY, THERE };

/* Begins the upload, or goes on with the one that is stated. */
static enum take_up take_up(struct multipart *m)
{
	const char *id = m->object->upload_id;
	bool gone;

	if (id && *id && strlen(id) < sizeof(m->id)) {
		strcpy(m->id, id);
		if (list_parts(m, &gone))
			return UNDER_WAY;
		/* Credentials that may write need not be allowed to list: then all parts are sent. */
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

/* What nobody will go on with would be kept, and paid for, for ever. */
static void give_up(struct multipart *m)
{
	bool resumable = m->hooks && m->hooks->multipart &&
			 (m->result->verdict == TARGET_RETRY || m->result->verdict == TARGET_CANCELLED);
	struct target_result result;

	if (!*m->id || resumable)
		return;
	s3_abort(&m->t->target, m->object->key, m->id, &result);
	if (result.verdict == TARGET_DONE)
		announce(m, NULL);
}

static void put_parts(struct s3_target *t, const struct target_object *object,
		      const struct digest *digest, const struct target_hooks *hooks,
		      struct target_result *result)
{
	struct multipart m = {
		.t = t, .object = object, .digest = digest, .hooks = hooks, .result = result,
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
	if (digest_parts(&m))
		state = take_up(&m);
	ok = state != FAILED;
	for (unsigned int i = 0; state == UNDER_WAY && ok && i < m.n; i++)
		ok = send_part(&m, i);
	if (state == UNDER_WAY && ok)
		ok = complete(&m);
	if (ok)
		done(result);
	else
		give_up(&m);
	free(m.parts);
}

static void s3_put(struct target *target, const struct target_object *object,
		   const struct digest *digest, const struct target_hooks *hooks,
		   struct target_result *result)
{
	struct s3_target *t = (struct s3_target *)target;

	if (strlen(t->prefix) + strlen(object->key) > TARGET_KEY_MAX)
		target__result(result, TARGET_REFUSED, false, "the key is longer than %d bytes",
			       TARGET_KEY_MAX);
	else if (object->size > t->part_bytes)
		put_parts(t, object, digest, hooks, result);
	else
		put_whole(t, object, digest, hooks, result);
}

/* Neither reading nor deleting is needed for uploads: what credentials may not do is only said. */
static void s3_check(struct target *target, const struct target_object *object,
		     const struct digest *digest, const struct target_hooks *hooks,
		     struct target_result *result)
{
	struct s3_target *t = (struct s3_target *)target;
	struct s3_request get = { .method = "GET", .key = object->key };
	struct s3_request delete = { .method = "DELETE", .key = object->key };
	const struct http_answer *a;
	struct target_result note;
	struct digest there;

	if (ask(t, &get, hooks, &a, &note)) {
		if (digest__memory(&there, a->body, a->body_len) || strcmp(there.sha256, digest->sha256)) {
			target__result(result, TARGET_RETRY, true, "%.150s: what it has is not what was sent",
				       t->host);
			return;
		}
	} else {
		target__result(result, TARGET_DONE, true, "it could not be read back: %s", note.reason);
	}
	if (!ask(t, &delete, hooks, &a, &note))
		target__result(result, TARGET_DONE, true, "%s%sthe test object stays there: %s", result->reason,
			       *result->reason ? "; " : "", note.reason);
}

const struct target_kind target_s3 = {
	.new = s3_new,
	.free = s3_free,
	.put = s3_put,
	.abort = s3_abort,
	.check = s3_check,
};
