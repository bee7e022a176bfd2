/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP for the targets, by libcurl: TLS is verified, redirects are not followed (a signature or a
 * token is for one host alone), proxies come from the environment. Every request ends, whatever the
 * other side does: its answer is bounded in bytes and in time, and so is the time that it takes to
 * take ours. */
#ifndef IOTRC_HTTP_H
#define IOTRC_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uploader/target.h"

#define HTTP_BODY_MAX (256 << 10) /* bytes of an answer's body: after that we hang up */
#define HTTP_HEAD_MAX (64 << 10)  /* … and of its head, with interim answers and trailers */
#define HTTP_WIRE_MAX \
	(4 << 20) /* … and of all that comes for it: chunk lengths, TLS, a proxy's words */
#define HTTP_FIELD_MAX 256

struct http_signer {
	const char *provider; /* CURLOPT_AWS_SIGV4 */
	const char *user, *secret;
};

struct http_request {
	const char *method;
	const char *url;
	const char *host;                 /* for messages: no path, no query */
	struct curl_slist *headers;       /* borrowed */
	const struct http_signer *signer; /* NULL: none */
	bool local;                       /* stays on this machine: goes through no proxy */
	bool file;                        /* the body is LEN bytes of FD from AT on; or of DATA */
	int fd;
	uint64_t at, len;
	const char *data;
};

/* The fields of an answer's head that anything depends on; "" where it has none. */
struct http_head {
	char etag[HTTP_FIELD_MAX];
	char date[HTTP_FIELD_MAX];
	char retry_after[HTTP_FIELD_MAX];
	char location[HTTP_FIELD_MAX];
	char region[HTTP_FIELD_MAX];       /* x-amz-bucket-region */
	char encryption[HTTP_FIELD_MAX];   /* x-amz-server-side-encryption */
	char customer_key[HTTP_FIELD_MAX]; /* x-amz-server-side-encryption-customer-algorithm */
	char sha256[HTTP_FIELD_MAX];       /* x-amz-meta-sha256 */
	char length[HTTP_FIELD_MAX];       /* content-length */
};

struct http_answer {
	CURLcode error; /* CURLE_OK: there is an answer */
	char detail[CURL_ERROR_SIZE];
	int read_error; /* negative errno: why the file couldn't be read */
	/* words why we hung up before its end, or NULL. An answer that says no counts all the same:
	 * then error is CURLE_OK */
	const char *cut;
	bool cancelled;
	long status;
	long tunnel_status; /* what a proxy said to CONNECT; 0: nothing */
	struct http_head head;
	char body[HTTP_BODY_MAX + 1]; /* cut at its end, NUL-terminated */
	size_t body_len;
};

struct http;

/* 0, or a negative errno with a line in PROBLEM. Strings of CONFIG are copied. */
int http__new(struct http **ret, const struct target_config *config,
	      char problem[TARGET_REASON_MAX]);
/* Frees it; NULL is allowed. Returns NULL. */
struct http *http__free(struct http *h);

/* One request, one answer, which stays with H until the next. SENT_BEFORE is what progress() is
 * told of beyond this body. */
const struct http_answer *http__do(struct http *h, const struct http_request *request,
				   uint64_t sent_before, const struct target_hooks *hooks);

/* Host and port of URL, without what may be a secret, as libcurl reads it, which is what goes
 * there. A copy, or NULL: it is no URL, or there is no memory. */
char *http__host(const char *url);

/* Whether URL's host is this machine, by its loopback addresses or as localhost, as libcurl reads
 * it. */
bool http__is_local(const char *url);

/* Adds a field to LIST. *OK becomes false where there is no memory for it, and then nothing more is
 * added: the list, which its owner frees, is not to be used. */
void http__header(struct curl_slist **list, bool *ok, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes TEXT as S3 and RFC 3986 have it: all but A-Z a-z 0-9 - . _ ~ (and / where SLASH) as %HH.
 * Returns the end, or NULL where it doesn't fit. */
char *http__encode(char *at, const char *end, const char *text, bool slash);

#endif
