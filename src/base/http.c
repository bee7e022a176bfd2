// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/socket_fd.h"

#define CONNECTION_BYTES (16 * 1024) /* for the header of a request */

int http__listen(const struct sockaddr *address, socklen_t len)
{
	int fd = socket_fd__new(address->sa_family, SOCK_STREAM), one = 1, err;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, address, len) && !listen(fd, HTTP_CONNECTIONS))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

struct MHD_Daemon *http__start(const struct http_config *config)
{
	unsigned int flags =
		config->thread ? MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD : MHD_USE_EPOLL;
	struct MHD_Daemon *daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, config->on_request, config->arg, MHD_OPTION_LISTEN_SOCKET,
		config->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, config->timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);

	if (!daemon)
		close(config->fd);
	return daemon;
}

enum MHD_Result http__answer(struct MHD_Connection *to, unsigned int status,
			     const struct http_header *headers, char *text, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!r) {
		free(text);
		return MHD_NO;
	}
	for (; headers->name; headers++)
		MHD_add_response_header(r, headers->name, headers->value);
	result = MHD_queue_response(to, status, r);
	MHD_destroy_response(r);
	return result;
}

enum MHD_Result http__answer_text(struct MHD_Connection *to, unsigned int status,
				  const struct http_header *headers, const char *text)
{
	char *copy = strdup(text);

	return copy ? http__answer(to, status, headers, copy, strlen(copy)) : MHD_NO;
}
