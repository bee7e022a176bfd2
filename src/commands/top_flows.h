/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The open TCP connections, UDP and unix sockets, and what each has moved since the last
 * refresh. */
#ifndef IOTRC_TOP_FLOWS_H
#define IOTRC_TOP_FLOWS_H

#include "commands/top_counts.h"
#include "engine/engine.h"

#define TOP_FLOW_NAME_MAX 640 /* bytes, NUL included */

struct top_flows;

/* Returns 0, or -ENOMEM. */
int top_flows__new(struct top_flows **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct top_flows *top_flows__free(struct top_flows *f);

/* Reads the connections of E. All that a new one has moved counts if it began within the last
 * SPAN_NS. Returns 0, or a negative errno. */
int top_flows__look(struct top_flows *f, struct engine *e, uint64_t span_ns);

/* Calls TELL for each connection that has moved something since the previous refresh: its calls are
 * segments or datagrams, its errors those sent again, and its time a round trip. Returns 0, or what
 * TELL returned. */
int top_flows__each(const struct top_flows *f,
		    int (*tell)(void *arg, const char *name, const struct top_counts *added),
		    void *arg);

#endif
