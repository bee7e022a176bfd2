// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "base/csv.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/linux_numbers.h"
#include "rows/operation.h"

static bool is_mapped(const uint8_t *v6)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(v6, prefix, sizeof(prefix));
}

/* The version on the wire: an IPv6 socket connected to an IPv4-mapped address uses IPv4. */
static int ip_version(const struct conn_ends *ends)
{
	uint16_t family = ends->family ? ends->family : ends->given;

	if (family == LINUX_AF_INET)
		return 4;
	if (family != LINUX_AF_INET6)
		return 0;
	if (!ends->family)
		return 6;
	return is_mapped(ends->ip.local) || is_mapped(ends->ip.remote) ? 4 : 6;
}

static char *ip(struct encoder *e, char *p, const struct conn_ends *ends, const uint8_t *address,
		int version)
{
	static const uint8_t any[16];

	/* The other end of an IPv4-mapped connection may still be '::'. */
	if (ends->family == LINUX_AF_INET6 && version == 4)
		address = is_mapped(address) ? address + 12 : any;
	return encode__ip(e, p, address, version);
}

/* A path ends at its NUL. An abstract name begins with NUL, which is written as '@', and may
 * contain more NULs. */
static char *unix_name(struct encoder *e, char *p, const char *name, size_t len)
{
	char *field = p, *end;

	if (!len)
		return p;
	if (name[0]) {
		len = strnlen(name, len);
	} else {
		*p++ = '@';
		name++;
		len--;
	}
	if (e->anon) {
		end = anonymize__path(e->anon, e->tokens, name, len);
		return csv__quote(field, csv__escape(p, e->tokens, end - e->tokens));
	}
	return csv__quote(field, csv__escape(p, name, len));
}

static char *address(struct encoder *e, char *p, const struct rec_conn *r, bool remote)
{
	const struct conn_ends *ends = &r->ends;
	size_t has = remote ? ends->has_remote : ends->has_local;
	/* The family differs from the socket's, which struct conn_ends stores elsewhere. */
	bool foreign = ends->given && remote == (r->op == CONN_CONNECT);
	uint16_t family = foreign ? ends->given : ends->family;
	const char *path = remote ? ends->un.remote : ends->un.local;

	if (!has)
		return p;
	if (family == LINUX_AF_UNIX)
		return unix_name(e, p, path, has);
	if (family != LINUX_AF_INET && family != LINUX_AF_INET6)
		return p;
	if (foreign)
		return encode__ip(e, p, (const uint8_t *)path, family == LINUX_AF_INET ? 4 : 6);
	return ip(e, p, ends, remote ? ends->ip.remote : ends->ip.local, ip_version(ends));
}

char *encode__conn(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_conn *r = record;
	const struct conn_ends *ends = &r->ends;
	const struct task_entry *task = encode__task(e, r->task);
	int version = ip_version(ends);
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
	return encode__end(r->ns, p);
}
