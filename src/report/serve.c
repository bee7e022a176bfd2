// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/http.h"
#include "platform/macros.h"
#include "report/page.h"

#define TIMEOUT_S 30
/* Minimum time between two readings of a session. */
#define FRESH_NS UINT64_C(2000000000)

/* Used only by libmicrohttpd's thread. */
struct server {
	const struct report_server_config *config;
	uint16_t port;
	json_t *data;
	uint64_t made_ns;
	char why[REPORT_WHY_MAX + 1];
};

/* clang-format off */
#define HEADERS(type) { \
	{ "Content-Type", type }, { "Cache-Control", "no-store" }, { "X-Content-Type-Options", "nosniff" }, \
	{ "Cross-Origin-Resource-Policy", "same-origin" }, \
	{ "Content-Security-Policy", "frame-ancestors 'none'" }, { NULL } }
/* clang-format on */
static const struct http_header of_page[] = HEADERS("text/html; charset=utf-8"),
				of_data[] = HEADERS("application/json"),
				of_text[] = HEADERS("text/plain; charset=utf-8");

static enum MHD_Result answer_text(struct MHD_Connection *to, unsigned int status, const char *text)
{
	return http__answer_text(to, status, of_text, text);
}

/* Another site may resolve its own name to 127.0.0.1; its requests then have that name as the
 * host. */
static bool is_for_us(const struct server *s, struct MHD_Connection *from)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
	const char *host = MHD_lookup_connection_value(from, MHD_HEADER_KIND, "Host");
	char ours[32];

	for (size_t i = 0; host && i < ARRAY_SIZE(names); i++) {
		snprintf(ours, sizeof(ours), "%s:%u", names[i], s->port);
		if (!strcmp(host, ours))
			return true;
	}
	return false;
}

/* Reads the session again, unless that was done just now. */
static bool refresh(struct server *s)
{
	struct report_result result;
	uint64_t now = clock__mono_ns();
	json_t *data;

	if (s->data && now - s->made_ns < FRESH_NS)
		return true;
	if (report__data(&s->config->report, &data, &result)) {
		snprintf(s->why, sizeof(s->why), "%s\n", result.why);
		return false;
	}
	json_decref(s->data);
	s->data = data;
	s->made_ns = clock__mono_ns();
	return true;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *from, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	struct server *s = arg;
	bool page = !strcmp(url, "/");
	char *text;
	size_t len = 0;

	if (strcmp(method, "GET"))
		return answer_text(from, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
	if (!is_for_us(s, from))
		return answer_text(from, MHD_HTTP_MISDIRECTED_REQUEST, "another host's name\n");
	if (!page && strcmp(url, "/data"))
		return answer_text(from, MHD_HTTP_NOT_FOUND, "not here\n");
	if (!refresh(s))
		return answer_text(from, MHD_HTTP_INTERNAL_SERVER_ERROR, s->why);
	text = page ? page__make(s->data, &len) : page__json(s->data, &len);
	if (!text)
		return answer_text(from, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	return http__answer(from, MHD_HTTP_OK, page ? of_page : of_data, text, len);
}

static int run_server(const struct report_server_config *config, void (*ready)(uint16_t port))
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(config->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct server s = { .config = config };
	struct MHD_Daemon *daemon;
	socklen_t len = sizeof(address);
	sigset_t end;
	int fd, sig;

	fd = http__listen((const struct sockaddr *)&address, sizeof(address));
	if (fd < 0)
		return fd;
	getsockname(fd, (struct sockaddr *)&address, &len);
	s.port = ntohs(address.sin_port);
	daemon = http__start(&(struct http_config){ .fd = fd,
						    .thread = true,
						    .timeout_s = TIMEOUT_S,
						    .on_request = on_request,
						    .arg = &s });
	if (!daemon)
		return -ENOMEM;
	ready(s.port);
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	sigwait(&end, &sig);
	MHD_stop_daemon(daemon);
	json_decref(s.data);
	return 0;
}

const struct report_server report_server = { .run = run_server };
