// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define HOST_MAX 64
#define PORT_MAX 6

struct listener {
	struct MHD_Daemon *daemon;
	listener_text_fn *text;
	void *arg;
};

/* ---- the address ---- */

static bool is_port(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	return *s >= '0' && *s <= '9' && !*end && n > 0 && n <= UINT16_MAX;
}

static bool copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		return false;
	memcpy(to, from, len);
	to[len] = 0;
	return true;
}

/* Splits ADDRESS. False if it is none of the forms. */
static bool split_address(const char *address, char host[HOST_MAX], char port[PORT_MAX])
{
	const char *colon = strrchr(address, ':'), *bracket = strchr(address, ']');
	size_t len = strlen(address);

	snprintf(host, HOST_MAX, "127.0.0.1");
	snprintf(port, PORT_MAX, "%d", LISTENER_PORT);
	if (strspn(address, "0123456789") == len) /* inet_aton() would take it for an address */
		return is_port(address) && copy(port, PORT_MAX, address, len);
	if (*address == '[' && bracket) {
		if (bracket[1] == ':' ? !is_port(bracket + 2) : bracket[1])
			return false;
		return copy(host, HOST_MAX, address + 1, bracket - address - 1) &&
		       (!bracket[1] || copy(port, PORT_MAX, bracket + 2, strlen(bracket + 2)));
	}
	if (!colon || strchr(address, ':') != colon) /* a name, or an IPv6 address */
		return len && copy(host, HOST_MAX, address, len);
	if (!is_port(colon + 1) || !copy(port, PORT_MAX, colon + 1, strlen(colon + 1)))
		return false;
	return colon == address || copy(host, HOST_MAX, address, colon - address);
}

/* A listening socket, or a negative errno with a line in PROBLEM. */
static int open_socket(const char *address, char *problem, size_t problem_size)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV },
			*list;
	char host[HOST_MAX], port[PORT_MAX];
	int fd;

	if (!split_address(address, host, port) ||
	    getaddrinfo(strcmp(host, "localhost") ? host : "127.0.0.1", port, &hints, &list)) {
		snprintf(problem, problem_size,
			 "--metrics-listen: '%.100s' is not [ADDRESS:]PORT, such as 127.0.0.1:%d",
			 address, LISTENER_PORT);
		return -EINVAL;
	}
	fd = http__listen(list->ai_addr, list->ai_addrlen);
	if (fd < 0)
		snprintf(problem, problem_size, "cannot listen on %s, port %s: %s", host, port,
			 strerror(-fd));
	freeaddrinfo(list);
	return fd;
}

/* ---- answers ---- */

#define TYPE \
	{ \
		MHD_HTTP_HEADER_CONTENT_TYPE, CONTENT_TYPE \
	}

static const struct http_header headers[] = { TYPE, { NULL } }, refusal[] = {
	TYPE, { MHD_HTTP_HEADER_ALLOW, "GET, HEAD" }, { NULL }
};

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **state)
{
	struct listener *l = arg;
	size_t len;
	char *text;

	/* The first call has the header only; answering then would close the connection. */
	if (!*state) {
		*state = l;
		return MHD_YES;
	}
	*upload_data_size = 0;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return http__answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, refusal,
					 "GET /metrics\n");
	if (strcmp(url, "/metrics") != 0)
		return http__answer_text(connection, MHD_HTTP_NOT_FOUND, headers, "GET /metrics\n");
	text = l->text(l->arg, &len);
	if (!text)
		return http__answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, headers,
					 "out of memory\n");
	return http__answer(connection, MHD_HTTP_OK, headers, text, len);
}

int listener__new(struct listener **ret, const char *address, listener_text_fn *text, void *arg,
		  char *problem, size_t problem_size)
{
	struct listener *l = calloc(1, sizeof(*l));
	int fd = l ? open_socket(address, problem, problem_size) : -ENOMEM;

	if (fd < 0) {
		free(l);
		return fd;
	}
	l->text = text;
	l->arg = arg;
	/* Without threads of its own: the caller's thread runs it. */
	l->daemon = http__start(&(struct http_config){
		.fd = fd, .timeout_s = LISTENER_TIMEOUT_S, .on_request = on_request, .arg = l });
	if (!l->daemon) {
		snprintf(problem, problem_size, "cannot start the HTTP server for metrics");
		free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

void listener__serve(struct listener *l, int timeout_ms)
{
	MHD_run_wait(l->daemon, timeout_ms);
}

struct listener *listener__free(struct listener *l)
{
	if (!l)
		return NULL;
	MHD_stop_daemon(l->daemon);
	free(l);
	return NULL;
}
