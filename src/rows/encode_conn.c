// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/csv.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/encode_ends.h"
#include "rows/operation.h"

/* Writes one end. If the call gave an address of another family than the socket's, that family
 * counts. */
static char *address(struct encoder *e, char *p, const struct rec_conn *r, bool remote)
{
	bool foreign = r->ends.given && remote == (r->op == CONN_CONNECT);

	return ends__address(e, p, &r->ends, remote, foreign);
}

char *encode__conn(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_conn *r = record;
	const struct conn_ends *ends = &r->ends;
	const struct task_entry *task = encode__task(e, r->task, r->ns);
	int version = ends__version(ends);
	uint32_t domain = r->op == CONN_SOCKET_CREATE ? r->domain : ends->family;

	p = encode__begin(e, STREAM_NW_CONN, r->ns, p);
	COLUMN(p, "event_type");
	p = encode__word(p, operation__name(STREAM_NW_CONN, r->op));
	COLUMN(p, "pid", "tid", "command");
	p = csv__mem(p, task->text, task->who_len);
	COLUMN(p, "domain");
	if (domain || (r->op == CONN_SOCKET_CREATE && !r->no_args))
		p = encode__word_or_number(p, &names_domain, domain);
	COLUMN(p, "sock_type");
	if (r->op == CONN_SOCKET_CREATE)
		p = r->no_args ? p : encode__flags(e, &names_sock_type, r->arg, p);
	else if (ends->sock_type)
		p = encode__flags(e, &names_sock_type, ends->sock_type, p);
	COLUMN(p, "ipver");
	if (version)
		p = csv__u64(p, version);
	COLUMN(p, "local_addr");
	if (r->op != CONN_SOCKET_CREATE)
		p = address(e, p, r, false);
	COLUMN(p, "remote_addr");
	p = address(e, p, r, true);
	COLUMN(p, "sport");
	if (ends->sport)
		p = csv__u64(p, ends->sport);
	COLUMN(p, "dport");
	if (ends->dport)
		p = csv__u64(p, ends->dport);
	COLUMN(p, "fd");
	if (!r->no_fd && (r->fd >= 0 || r->op != CONN_SOCKET_CREATE))
		p = csv__i64(p, r->fd);
	COLUMN(p, "backlog");
	if (r->op == CONN_LISTEN && !r->no_args)
		p = csv__i64(p, (int32_t)r->arg);
	COLUMN(p, "shutdown_how");
	if (r->op == CONN_SHUTDOWN && names__word(&names_shut, r->arg))
		p = encode__word(p, names__word(&names_shut, r->arg));
	COLUMN(p, "latency_ns");
	if (r->duration != DURATION_UNKNOWN)
		p = csv__u64(p, r->duration);
	COLUMN(p, "return_value");
	p = csv__i64(p, r->ret);
	COLUMN(p, "flags");
	p = encode__late(p, ends->late);
	return encode__end(e, r->ns, p);
}
