/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An HTTP server that answers GET /metrics, with libmicrohttpd. For one thread at a time. */
#ifndef IOTRC_LISTENER_H
#define IOTRC_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#define LISTENER_PORT 9435
#define LISTENER_TIMEOUT_S 10

struct listener;

/* Returns the text of an answer, which is freed with free(), and its length; NULL if out of
 * memory. */
typedef char *listener_text_fn(void *arg, size_t *ret_len);

/* Weak, because `make static` omits them: no static libmicrohttpd can be linked there. */
#pragma weak listener__new
#pragma weak listener__serve
#pragma weak listener__free

/* Binds ADDRESS, which is [HOST:]PORT, HOST or [IPV6-HOST]:PORT, where HOST is a numeric address or
 * "localhost", by default 127.0.0.1, and PORT is LISTENER_PORT by default. TEXT is called in
 * listener__serve(). 0, or a negative errno with a line in PROBLEM. */
int listener__new(struct listener **ret, const char *address, listener_text_fn *text, void *arg,
		  char *problem, size_t problem_size);

/* Accepts connections and answers requests for at most TIMEOUT_MS, less if there is something to
 * do. */
void listener__serve(struct listener *l, int timeout_ms);

/* Closes all connections and frees L. NULL is allowed. Returns NULL. */
struct listener *listener__free(struct listener *l);

#endif
