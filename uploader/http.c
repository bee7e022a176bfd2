// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/write_all.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/tcp_received.h"
#include "uploader/target_kind.h"

#define CONNECT_TIMEOUT_S 20
#define STALL_TIMEOUT_S 60
/* A store may take minutes to assemble the parts of an object (AWS, CompleteMultipartUpload). */
#define ANSWER_TIMEOUT_S 600
/* Minimum average rate of the other side for a body; slow enough for a modem. */
#define SLOWEST_BYTES_S 1024

struct http {
	CURL *curl;
	char *ca_file;
	uint64_t rate; /* as configured; target_hooks__rate() knows of changes */
	unsigned int connect_timeout_s, stall_timeout_s, answer_timeout_s;
	uint64_t slowest; /* bytes a second */

	/* Of the request under way. */
	const struct http_request *request;
	const struct target_hooks *hooks;
	uint64_t sent_before, sent;
	uint64_t rate_set;    /* the rate that libcurl applies */
	uint64_t begun_ns;    /* … extended by the time that we have slept */
	uint64_t answered_ns; /* when everything was sent; 0: not yet */
	size_t head_len;
	curl_socket_t socket; /* of the last connection, which may be kept open; -1: it has ended */
	uint64_t received_before; /* … by earlier requests */
	struct http_answer answer;
};

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{ "etag", offsetof(struct http_head, etag) },
	{ "date", offsetof(struct http_head, date) },
	{ "retry-after", offsetof(struct http_head, retry_after) },
	{ "location", offsetof(struct http_head, location) },
	{ "x-amz-bucket-region", offsetof(struct http_head, region) },
	{ "x-amz-server-side-encryption", offsetof(struct http_head, encryption) },
	{ "x-amz-server-side-encryption-customer-algorithm",
	  offsetof(struct http_head, customer_key) },
	{ "x-amz-meta-sha256", offsetof(struct http_head, sha256) },
	{ "content-length", offsetof(struct http_head, length) },
};

static const char too_long[] = "its answer is too long";

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http__new(struct http **ret, const struct target_config *config,
	      char problem[TARGET_REASON_MAX])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const char *ca = config->ca_file ?: getenv("SSL_CERT_FILE");
	struct http *h = calloc(1, sizeof(*h));

	pthread_once(&once, global_init);
	if (!h)
		goto no_memory;
	h->curl = curl_easy_init();
	if (!h->curl)
		goto no_memory;
	if (ca && *ca) {
		/* A wrong name would otherwise be reported as an untrusted server. */
		if (access(ca, R_OK) < 0) {
			target__say(problem, "can't read the certificates in %.300s: %s", ca,
				    strerror(errno));
			http__free(h);
			return -EINVAL;
		}
		h->ca_file = strdup(ca);
		if (!h->ca_file)
			goto no_memory;
	}
	h->socket = -1;
	h->rate = config->rate;
	h->connect_timeout_s = config->connect_timeout_s ?: CONNECT_TIMEOUT_S;
	h->stall_timeout_s = config->stall_timeout_s ?: STALL_TIMEOUT_S;
	h->answer_timeout_s = config->answer_timeout_s ?: ANSWER_TIMEOUT_S;
	h->slowest = config->slowest ?: SLOWEST_BYTES_S;
	*ret = h;
	return 0;
no_memory:
	http__free(h);
	target__say(problem, "out of memory");
	return -ENOMEM;
}

struct http *http__free(struct http *h)
{
	if (h) {
		curl_easy_cleanup(h->curl);
		free(h->ca_file);
		free(h);
	}
	return NULL;
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct http *h = data;
	size_t len = size * n, name;
	const char *colon;

	h->head_len += len;
	if (h->head_len > HTTP_HEAD_MAX) {
		h->answer.cut = too_long;
		return 0;
	}
	/* The head of a new answer: the previous one was 100 Continue, or a proxy's. */
	if (len > 5 && !memcmp(line, "HTTP/", 5)) {
		memset(&h->answer.head, 0, sizeof(h->answer.head));
		return len;
	}
	colon = memchr(line, ':', len);
	if (!colon)
		return len;
	name = colon - line;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char *field = (char *)&h->answer.head + fields[i].offset;
		size_t from = name + 1, to = len;

		if (strlen(fields[i].name) != name || strncasecmp(line, fields[i].name, name))
			continue;
		while (from < to && (line[from] == ' ' || line[from] == '\t'))
			from++;
		while (to > from && (unsigned char)line[to - 1] <= ' ')
			to--;
		if (to - from < HTTP_FIELD_MAX) {
			memcpy(field, line + from, to - from);
			field[to - from] = 0;
		}
	}
	return len;
}

/* Whether the answer is one whose body is to be saved. */
static bool saves(const struct http *h)
{
	long status = 0;

	if (h->request->save)
		curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

static size_t save(struct http *h, const char *data, size_t len)
{
	struct http_answer *a = &h->answer;

	a->read_error = write_all(h->request->save_fd, data, len, (off_t)a->saved);
	if (a->read_error)
		return 0;
	a->saved += len;
	return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *h_)
{
	struct http_answer *a = &((struct http *)h_)->answer;
	size_t len = size * n, left = HTTP_BODY_MAX - a->body_len;

	if (saves(h_))
		return save(h_, data, len);
	memcpy(a->body + a->body_len, data, len < left ? len : left);
	a->body_len += len < left ? len : left;
	a->body[a->body_len] = 0;
	if (len > left)
		a->cut = too_long;
	return len > left ? 0 : len;
}

static size_t on_read(char *buf, size_t size, size_t n, void *data)
{
	struct http *h = data;
	const struct http_request *r = h->request;
	uint64_t left = r->len - h->sent;
	size_t len = size * n < left ? size * n : left;
	ssize_t got = len;

	if (r->file) {
		do
			got = pread(r->fd, buf, len, r->at + h->sent);
		while (got < 0 && errno == EINTR);
		/* Shorter than announced: the file was truncated meanwhile. */
		if (got < 0 || (!got && len)) {
			h->answer.read_error = got < 0 ? -errno : -ENODATA;
			return CURL_READFUNC_ABORT;
		}
	} else {
		memcpy(buf, r->data + h->sent, len);
	}
	h->sent += got;
	return got;
}

/* libcurl rewinds if a kept connection turns out to be closed. */
static int on_seek(void *data, curl_off_t offset, int origin)
{
	struct http *h = data;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > h->request->len)
		return CURL_SEEKFUNC_FAIL;
	h->sent = offset;
	return CURL_SEEKFUNC_OK;
}

/* Applies the current rate. libcurl reads this option while it sends. */
static void keep_to_rate(struct http *h)
{
	uint64_t rate = target_hooks__rate(h->hooks, h->rate);

	if (rate != h->rate_set)
		curl_easy_setopt(h->curl, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)rate);
	h->rate_set = rate;
}

/* The minimum rate of the other side. Our own limit does not count against it. */
static uint64_t slowest(const struct http *h)
{
	return h->rate_set && h->slowest > h->rate_set / 2 ? h->rate_set / 2 ?: 1 : h->slowest;
}

/* CURLOPT_LOW_SPEED_TIME ends transfers that stall; this ends those that trickle. Returns NULL, or
 * what takes too long, after SENT bytes of the body. */
static const char *overdue(struct http *h, uint64_t sent, uint64_t now)
{
	uint64_t answer_ns = h->answer_timeout_s * NSEC_PER_SEC, len = h->request->len;

	if (sent < len) {
		h->answered_ns = 0;
		return now - h->begun_ns > answer_ns + len / slowest(h) * NSEC_PER_SEC ?
			       "it receives the data too slowly" :
			       NULL;
	}
	if (!h->answered_ns)
		h->answered_ns = now;
	/* A saved body may have any length: the time allowed grows with what has arrived. */
	answer_ns += h->answer.saved / slowest(h) * NSEC_PER_SEC;
	return now - h->answered_ns > answer_ns ? "its answer takes too long" : NULL;
}

/* Bytes received on the connection, as counted by the kernel, including those that libcurl does not
 * pass on, such as chunk extensions and a proxy's head. */
static uint64_t received(const struct http *h)
{
	return h->socket < 0 ? 0 : tcp_received__get(h->socket);
}

/* CURLINFO_ACTIVESOCKET is only valid after the transfer. */
static int on_socket(void *data, curl_socket_t s, curlsocktype purpose)
{
	struct http *h = data;

	h->socket = s;
	h->received_before = 0;
	return CURL_SOCKOPT_OK;
}

static int on_close(void *data, curl_socket_t s)
{
	struct http *h = data;

	if (h->socket == s)
		h->socket = -1;
	return close(s);
}

/* libcurl calls it at least once a second. */
static int on_transfer(void *data, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		       curl_off_t ulnow)
{
	struct http *h = data;
	uint64_t before = clock__mono_ns(), now;

	/* It may sleep to limit the rate. */
	h->answer.cancelled =
		!target_hooks__progress(h->hooks, h->sent_before + (h->request->file ? ulnow : 0));
	now = clock__mono_ns();
	h->begun_ns += now - before;
	keep_to_rate(h);
	if (h->answer.cancelled)
		return 1;
	if (!h->answer.cut)
		h->answer.cut = overdue(h, ulnow, now);
	if (!h->answer.cut && !h->answer.saved && received(h) - h->received_before > HTTP_WIRE_MAX)
		h->answer.cut = too_long;
	return h->answer.cut != NULL;
}

static void set_up_request(struct http *h)
{
	const struct http_request *r = h->request;
	bool head = !strcmp(r->method, "HEAD"), put = !strcmp(r->method, "PUT");
	CURL *c = h->curl;

	curl_easy_reset(c); /* keeps connections, sessions and the DNS cache */
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->answer.detail);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "iotrc/" IOTRC_VERSION);
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, r->headers);
	/* Headers of our request are not sent to a proxy. */
	curl_easy_setopt(c, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (h->ca_file) {
		curl_easy_setopt(c, CURLOPT_CAINFO, h->ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	/* A signed URL must not be changed. Our own paths contain no dots to remove, and libcurl 8
	 * refuses to sign with this option. */
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, r->signer ? 0L : 1L);
	if (r->signer) {
		curl_easy_setopt(c, CURLOPT_AWS_SIGV4, r->signer->provider);
		curl_easy_setopt(c, CURLOPT_USERNAME, r->signer->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, r->signer->secret);
	}
	if (r->local)
		curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)h->connect_timeout_s);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)h->stall_timeout_s);
	h->rate_set = 0;
	keep_to_rate(h);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, h);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, h);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_transfer);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, h);
	if (put) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->len);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(c, CURLOPT_READDATA, h);
		curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(c, CURLOPT_SEEKDATA, h);
	} else if (!strcmp(r->method, "POST")) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->data ?: "");
	} else if (head) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	} else {
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
	}
}

const struct http_answer *http__do(struct http *h, const struct http_request *request,
				   uint64_t sent_before, const struct target_hooks *hooks)
{
	struct http_answer *a = &h->answer;

	h->request = request;
	h->hooks = hooks;
	h->sent_before = sent_before;
	h->sent = 0;
	h->begun_ns = clock__mono_ns();
	h->answered_ns = 0;
	h->head_len = 0;
	h->received_before = received(h);
	memset(a, 0, offsetof(struct http_answer, body));
	a->body[0] = 0;
	a->body_len = 0;
	set_up_request(h);
	a->error = curl_easy_perform(h->curl);
	if (!a->error || a->cut)
		curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &a->status);
	/* After a refusal the rest of the answer is not needed. */
	if (a->cut && a->status >= 300)
		a->error = CURLE_OK;
	if (a->error)
		curl_easy_getinfo(h->curl, CURLINFO_HTTP_CONNECTCODE, &a->tunnel_status);
	/* The handle has pointers into the request, and the secret. */
	curl_easy_reset(h->curl);
	h->request = NULL;
	h->hooks = NULL;
	return a;
}

/* Returns part WHAT of URL, to be freed by curl_free(), or NULL. */
static char *url_part(const char *url, CURLUPart what)
{
	CURLU *u = curl_url();
	char *part = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK)
		curl_url_get(u, what, &part, 0);
	curl_url_cleanup(u);
	return part;
}

char *http__host(const char *url)
{
	char *name = url_part(url, CURLUPART_HOST), *port = url_part(url, CURLUPART_PORT);
	char *host = NULL;

	if (name && asprintf(&host, "%s%s%s", name, port ? ":" : "", port ?: "") < 0)
		host = NULL;
	curl_free(name);
	curl_free(port);
	return host;
}

bool http__is_local(const char *url)
{
	char *host = url_part(url, CURLUPART_HOST);
	struct in_addr v4;
	bool local =
		host && (!strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
			 (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127));

	curl_free(host);
	return local;
}

void http__header(struct curl_slist **list, bool *ok, const char *format, ...)
{
	struct curl_slist *longer;
	char *field = NULL;
	va_list args;
	int n;

	if (!*ok)
		return;
	va_start(args, format);
	n = vasprintf(&field, format, args);
	va_end(args);
	longer = n < 0 ? NULL : curl_slist_append(*list, field);
	if (n >= 0) {
		explicit_bzero(field, n); /* it may be a token */
		free(field);
	}
	if (longer)
		*list = longer;
	else
		*ok = false;
}

char *http__encode(char *at, const char *end, const char *text, bool slash)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (end - at < 4)
			return NULL;
		if (strchr(plain, *text) || (slash && *text == '/'))
			*at++ = *text;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*text);
	}
	*at = 0;
	return at;
}
