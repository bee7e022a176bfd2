/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP requests with libcurl. TLS certificates are verified. Redirects are not followed, because a
 * signature or token is meant for one host. Proxies come from the environment. Every request ends,
 * whatever the server does: the answer is limited in bytes and in time, and so is the time for
 * sending the request. */
#ifndef IOTRC_HTTP_H
#define IOTRC_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uploader/target.h"

#define HTTP_BODY_MAX \
	(256 << 10) /* bytes of an answer's body, after which the connection is closed */
#define HTTP_HEAD_MAX (64 << 10) /* the same for headers, with interim answers and trailers */
#define HTTP_WIRE_MAX \
	(4 << 20) /* the same for all received bytes: chunk lengths, TLS, a proxy's answer */
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
	bool local;                       /* to this machine: use no proxy */
	bool file;                        /* the body: LEN bytes of FD from AT, or of DATA */
	int fd;
	uint64_t at, len;
	const char *data;
	bool save; /* the answer's body, if it is a success, goes to SAVE_FD, of any length */
	int save_fd;
};

/* Header fields of an answer that iotrc uses; "" if missing. */
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
	CURLcode error; /* CURLE_OK if there is an answer */
	char detail[CURL_ERROR_SIZE];
	int read_error; /* negative errno from reading or saving the file, or 0 */
	uint64_t saved; /* bytes written to SAVE_FD */
	/* why the connection was closed early, or NULL. If the status is an error, the answer
	 * counts anyway, and error is CURLE_OK */
	const char *cut;
	bool cancelled;
	long status;
	long tunnel_status; /* status of a proxy's answer to CONNECT, or 0 */
	struct http_head head;
	char body[HTTP_BODY_MAX + 1]; /* possibly cut; NUL-terminated */
	size_t body_len;
};

struct http;

/* 0, or a negative errno with a line in PROBLEM. Strings of CONFIG are copied. */
int http__new(struct http **ret, const struct target_config *config,
	      char problem[TARGET_REASON_MAX]);
/* Frees it; NULL is allowed. Returns NULL. */
struct http *http__free(struct http *h);

/* Sends a request. The answer is valid until the next request of H. progress() is called with
 * SENT_BEFORE plus the bytes sent of this body. */
const struct http_answer *http__do(struct http *h, const struct http_request *request,
				   uint64_t sent_before, const struct target_hooks *hooks);

/* Host and port of URL as libcurl parses it, without user and password. A copy that the caller
 * frees, or NULL if it is not a URL or memory is out. */
char *http__host(const char *url);

/* Whether the host of URL, as libcurl parses it, is localhost or a loopback address. */
bool http__is_local(const char *url);

/* Adds a field to LIST. If out of memory, sets *OK to false; then it adds nothing more, and the
 * list must not be used. The caller frees the list. */
void http__header(struct curl_slist **list, bool *ok, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Percent-encodes TEXT as S3 and RFC 3986 require: all bytes except A-Z a-z 0-9 - . _ ~ (and / if
 * SLASH) become %HH. Returns the end, or NULL if it does not fit. */
char *http__encode(char *at, const char *end, const char *text, bool slash);

#endif
