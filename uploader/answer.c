// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/macros.h"
#include "uploader/target_kind.h"

#define CODE_MAX 64
#define DAY_S 86400

/* Without an answer. */
static const struct {
	CURLcode error;
	enum target_verdict verdict;
	const char *words;
} no_answer[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, TARGET_RETRY, "its name cannot be resolved (DNS)" },
	{ CURLE_COULDNT_RESOLVE_PROXY, TARGET_RETRY, "the proxy's name cannot be resolved (DNS)" },
	{ CURLE_COULDNT_CONNECT, TARGET_RETRY, "no connection" },
	{ CURLE_OPERATION_TIMEDOUT, TARGET_RETRY, "it stopped answering" },
	{ CURLE_PEER_FAILED_VERIFICATION, TARGET_REFUSED,
	  "its TLS certificate is not trusted (for a private CA: --upload-ca FILE)" },
	{ CURLE_SSL_CACERT_BADFILE, TARGET_REFUSED, "the CA file contains no usable certificates" },
	{ CURLE_SSL_CONNECT_ERROR, TARGET_RETRY, "TLS failed" },
	{ CURLE_GOT_NOTHING, TARGET_RETRY, "it closed the connection without an answer" },
	{ CURLE_SEND_ERROR, TARGET_RETRY, "the connection broke" },
	{ CURLE_RECV_ERROR, TARGET_RETRY, "the connection broke" },
	{ CURLE_PARTIAL_FILE, TARGET_RETRY, "the connection broke during the answer" },
	{ CURLE_WEIRD_SERVER_REPLY, TARGET_RETRY, "it does not speak HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, TARGET_REFUSED, "no such protocol" },
	{ CURLE_URL_MALFORMAT, TARGET_REFUSED, "no such URL" },
};

/* By the S3 error code: AWS's codes, which others use too, and some of Ceph's, MinIO's and
 * Swift's. */
static const struct {
	const char *code;
	enum target_verdict verdict;
	bool general;
	const char *words;
} codes[] = {
	{ "AccessDenied", TARGET_REFUSED, true, "these credentials lack permission for this" },
	{ "AccountProblem", TARGET_REFUSED, true, "there is a problem with the account" },
	{ "AllAccessDisabled", TARGET_REFUSED, true, "all access is switched off" },
	{ "AuthorizationHeaderMalformed", TARGET_REFUSED, true,
	  "the signature is for another region" },
	{ "AuthorizationQueryParametersError", TARGET_REFUSED, true,
	  "the URL's signature is wrong" },
	{ "BadDigest", TARGET_RETRY, false, "the data was corrupted on the way" },
	{ "EntityTooLarge", TARGET_REFUSED, false, "the file is larger than the store accepts" },
	{ "EntityTooSmall", TARGET_REFUSED, false, "a part is smaller than the store accepts" },
	{ "ExpiredToken", TARGET_REFUSED, true,
	  "the session token has expired: get new credentials" },
	{ "IncompleteBody", TARGET_RETRY, false, "the connection broke" },
	{ "InternalError", TARGET_RETRY, true, "the store has an internal error" },
	{ "InvalidAccessKeyId", TARGET_REFUSED, true, "the store doesn't know this access key" },
	{ "InvalidBucketName", TARGET_REFUSED, true, "this is not a valid bucket name" },
	{ "InvalidDigest", TARGET_RETRY, false, "the data was corrupted on the way" },
	{ "InvalidPart", TARGET_RETRY, false, "the store has lost a part" },
	{ "InvalidPartOrder", TARGET_RETRY, false, "the store has lost a part" },
	{ "InvalidToken", TARGET_REFUSED, true, "the session token is not valid at this store" },
	{ "KeyTooLongError", TARGET_REFUSED, false, "the name is too long for the store" },
	{ "MethodNotAllowed", TARGET_REFUSED, true, "the store forbids this" },
	{ "NoSuchBucket", TARGET_REFUSED, true, "there is no such bucket" },
	{ "NoSuchKey", TARGET_RETRY, false, "the object is not there" },
	{ "NoSuchUpload", TARGET_RETRY, false, "the store does not know this upload" },
	{ "NotImplemented", TARGET_REFUSED, true, "the store does not support this" },
	{ "NotSignedUp", TARGET_REFUSED, true, "the account has no storage" },
	{ "OperationAborted", TARGET_RETRY, false, "another request conflicted with this one" },
	{ "PermanentRedirect", TARGET_REFUSED, true, "the bucket is at another endpoint" },
	{ "QuotaExceeded", TARGET_REFUSED, true, "the quota is used up" },
	{ "RequestTimeTooSkewed", TARGET_REFUSED, true, "this machine's clock is wrong" },
	{ "RequestTimeout", TARGET_RETRY, false, "the store got no data for too long" },
	{ "ServiceUnavailable", TARGET_RETRY, true, "the store is busy" },
	{ "SignatureDoesNotMatch", TARGET_REFUSED, true, "the secret key is wrong" },
	{ "SlowDown", TARGET_RETRY, true, "the store is busy" },
	{ "TemporaryRedirect", TARGET_REFUSED, true, "the bucket is at another endpoint" },
	{ "TokenRefreshRequired", TARGET_REFUSED, true, "the session token has expired" },
	{ "TooManyRequests", TARGET_RETRY, true, "the store is busy" },
	{ "UserSuspended", TARGET_REFUSED, true, "the account is suspended" },
	{ "XAmzContentSHA256Mismatch", TARGET_RETRY, false, "the data was corrupted on the way" },
	{ "XMinioStorageFull", TARGET_RETRY, true, "the store is full" },
};

/* By the status: the first row whose status matches. */
static const struct {
	int from, to;
	enum target_verdict verdict;
	bool general;
	const char *words;
} statuses[] = {
	{ 100, 199, TARGET_RETRY, true, "an incomplete answer" },
	{ 200, 299, TARGET_RETRY, true, "an unexpected answer" },
	{ 300, 399, TARGET_REFUSED, true, "it redirects, and redirects are not followed" },
	{ 400, 400, TARGET_REFUSED, false, "it did not understand the request" },
	{ 401, 401, TARGET_REFUSED, true, "it refuses these credentials" },
	{ 403, 403, TARGET_REFUSED, true, "these credentials lack permission for this" },
	{ 404, 404, TARGET_REFUSED, true, "there is nothing at this URL" },
	{ 405, 405, TARGET_REFUSED, true, "it forbids this" },
	{ 407, 407, TARGET_REFUSED, true, "the proxy refuses these credentials" },
	{ 408, 409, TARGET_RETRY, false, "it timed out" },
	{ 413, 413, TARGET_REFUSED, false, "the file is larger than it accepts" },
	{ 425, 425, TARGET_RETRY, true, "it is busy" },
	{ 429, 429, TARGET_RETRY, true, "it is busy" },
	{ 400, 499, TARGET_REFUSED, false, "it refuses" },
	{ 501, 501, TARGET_REFUSED, true, "it does not support this" },
	{ 507, 507, TARGET_RETRY, true, "it is full" },
	{ 500, 599, TARGET_RETRY, true, "it has an internal error" },
	{ INT32_MIN, INT32_MAX, TARGET_RETRY, true, "an invalid answer" },
};

const char *answer__xml(const char *at, const char *name, char *buf, size_t size)
{
	static const struct {
		const char *entity, *text;
	} entities[] = {
		{ "&quot;", "\"" }, { "&#34;", "\"" }, { "&apos;", "'" }, { "&#39;", "'" },
		{ "&lt;", "<" },    { "&gt;", ">" },   { "&amp;", "&" },
	};
	size_t name_len = strlen(name), n = 0;
	const char *end;

	*buf = 0;
	do {
		at = strchr(at, '<');
		if (!at)
			return NULL;
		at++;
	} while (strncmp(at, name, name_len) || at[name_len] != '>');
	at += name_len + 1;
	end = strchr(at, '<');
	if (!end)
		return NULL;
	while (at < end && n + 1 < size) {
		size_t i = 0;

		while (i < ARRAY_SIZE(entities) &&
		       strncmp(at, entities[i].entity, strlen(entities[i].entity)))
			i++;
		if (i < ARRAY_SIZE(entities)) {
			buf[n++] = *entities[i].text;
			at += strlen(entities[i].entity);
		} else {
			buf[n++] = *at++;
		}
	}
	buf[n] = 0;
	return end;
}

/* Error bodies are short and start with their type; an object's content can be anything. */
static bool error_code(const struct http_answer *a, char code[CODE_MAX])
{
	const char *error = strstr(a->body, "<Error>");

	*code = 0;
	return error && error - a->body < 256 && answer__xml(error, "Code", code, CODE_MAX);
}

/* A status 200 can have an error in its body if the store has sent blanks to keep the client
 * waiting (CompleteMultipartUpload). */
bool answer__ok(const struct http_answer *a)
{
	char code[CODE_MAX];

	return !a->error && a->status >= 200 && a->status < 300 && !error_code(a, code);
}

bool answer__is(const struct http_answer *a, const char *code)
{
	char is[CODE_MAX];

	return !a->error && error_code(a, is) && !strcmp(is, code);
}

unsigned int answer__retry_after(const char *field, int64_t now)
{
	int64_t s;
	char *end;

	if (*field >= '0' && *field <= '9') {
		s = strtoll(field, &end, 10);
		if (*end)
			return 0;
	} else {
		s = curl_getdate(field, NULL);
		if (s < 0)
			return 0;
		s -= now;
	}
	return s < 0 ? 0 : s > DAY_S ? DAY_S : s;
}

/* Details that only the rest of the answer contains. Writes "" or a sentence with a leading
 * blank. */
static void advise(const struct http_answer *a, const char *code, char advice[256])
{
	char region[64];

	*advice = 0;
	if (!strcmp(code, "RequestTimeTooSkewed") && *a->head.date) {
		int64_t there = curl_getdate(a->head.date, NULL);

		if (there >= 0)
			snprintf(advice, 256, " (%" PRId64 " s off the store's)",
				 (int64_t)time(NULL) - there);
		return;
	}
	if (!answer__xml(a->body, "Region", region, sizeof(region)) || !*region)
		snprintf(region, sizeof(region), "%.63s", a->head.region);
	if (*region && (a->status / 100 == 3 || !strcmp(code, "AuthorizationHeaderMalformed") ||
			!strcmp(code, "IncorrectEndpoint")))
		snprintf(advice, 256, " (--s3-region %s)", region);
}

/* A proxy that refuses to connect us. */
static void explain_tunnel(const struct http_answer *a, const char *host, struct target_result *r)
{
	bool later = a->tunnel_status >= 500;

	target__result(r, later ? TARGET_RETRY : TARGET_REFUSED, true, "%.150s: the proxy %s (%ld)",
		       host,
		       later                   ? "can't reach it" :
		       a->tunnel_status == 407 ? "refuses these credentials" :
						 "refuses the connection",
		       a->tunnel_status);
}

static void explain_absence(const struct http_answer *a, const char *host, struct target_result *r)
{
	if (a->cut) {
		target__result(r, TARGET_RETRY, true, "%.150s: %s", host, a->cut);
		return;
	}
	if (a->tunnel_status >= 400) {
		explain_tunnel(a, host, r);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_answer); i++)
		if (no_answer[i].error == a->error) {
			target__result(r, no_answer[i].verdict, true, "%.150s: %s%s%.200s", host,
				       no_answer[i].words, *a->detail ? ": " : "", a->detail);
			return;
		}
	target__result(r, TARGET_RETRY, true, "%.150s: %.200s", host,
		       *a->detail ? a->detail : curl_easy_strerror(a->error));
}

static void explain_answer(const struct http_answer *a, const char *host, struct target_result *r)
{
	char code[CODE_MAX], message[200], advice[256];
	size_t i = 0;

	error_code(a, code);
	advise(a, code, advice);
	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (!strcmp(codes[i].code, code)) {
			target__result(r, codes[i].verdict, codes[i].general, "%.150s: %s%s (%s)",
				       host, codes[i].words, advice, code);
			return;
		}
	for (i = 0; a->status < statuses[i].from || a->status > statuses[i].to; i++)
		;
	answer__xml(a->body, "Message", message, sizeof(message));
	target__result(r, statuses[i].verdict, statuses[i].general, "%.150s: %s%s (%ld%s%s%s%s)",
		       host, statuses[i].words, advice, a->status, *code ? " " : "", code,
		       *message ? ": " : "", message);
}

void answer__explain(const struct http_answer *a, const char *host, struct target_result *r)
{
	if (a->cancelled) {
		target__result(r, TARGET_CANCELLED, false, "cancelled");
	} else if (a->read_error) {
		target__result(r, TARGET_LOCAL, false, "can't read the file: %s",
			       a->read_error == -ENODATA ? "it has been truncated" :
							   strerror(-a->read_error));
	} else if (a->error) {
		explain_absence(a, host, r);
	} else {
		explain_answer(a, host, r);
		r->retry_after_s = answer__retry_after(a->head.retry_after, time(NULL));
	}
}
