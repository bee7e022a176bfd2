/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code shared by our HTTP servers, which listen on one address with libmicrohttpd, for few
 * clients. */
#ifndef IOTRC_HTTP_H
#define IOTRC_HTTP_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define HTTP_CONNECTIONS 16

struct http_config {
	int fd;      /* of http__listen(); closed with the server, or if it cannot be started */
	bool thread; /* it has its own thread; otherwise MHD_run_wait() is called */
	unsigned int timeout_s; /* timeout of an idle connection */
	MHD_AccessHandlerCallback on_request;
	void *arg; /* the callback's first argument */
};

/* A header of an answer. */
struct http_header {
	const char *name, *value;
};

/* Returns a listening socket, or a negative errno. */
int http__listen(const struct sockaddr *address, socklen_t len);

/* Starts a server, to be stopped with MHD_stop_daemon(). NULL: libmicrohttpd refused. */
struct MHD_Daemon *http__start(const struct http_config *config);

/* TEXT is LEN bytes from malloc(), which this frees; HEADERS end with one without a name. */
enum MHD_Result http__answer(struct MHD_Connection *to, unsigned int status,
			     const struct http_header *headers, char *text, size_t len);
/* A copy of TEXT. */
enum MHD_Result http__answer_text(struct MHD_Connection *to, unsigned int status,
				  const struct http_header *headers, const char *text);

#endif
