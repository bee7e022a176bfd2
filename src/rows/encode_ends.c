// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/encode_ends.h"

#include <string.h>

#include "base/csv.h"
#include "platform/macros.h"
#include "rows/linux_numbers.h"

static bool is_mapped(const uint8_t *v6)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(v6, prefix, sizeof(prefix));
}

int ends__version(const struct conn_ends *ends)
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

char *ends__address(struct encoder *e, char *p, const struct conn_ends *ends, bool remote,
		    bool foreign)
{
	size_t has = remote ? ends->has_remote : ends->has_local;
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
	return ip(e, p, ends, remote ? ends->ip.remote : ends->ip.local, ends__version(ends));
}

/* include/net/tcp_states.h; glibc's netinet/tcp.h has only the first eleven */
static const char *const tcp_states[] = {
	"",
	"TCP_ESTABLISHED",
	"TCP_SYN_SENT",
	"TCP_SYN_RECV",
	"TCP_FIN_WAIT1",
	"TCP_FIN_WAIT2",
	"TCP_TIME_WAIT",
	"TCP_CLOSE",
	"TCP_CLOSE_WAIT",
	"TCP_LAST_ACK",
	"TCP_LISTEN",
	"TCP_CLOSING",
	"TCP_NEW_SYN_RECV",
	"TCP_BOUND_INACTIVE",
};

char *ends__tcp_state(char *p, unsigned int state)
{
	return state < ARRAY_SIZE(tcp_states) ? encode__word(p, tcp_states[state]) : p;
}
