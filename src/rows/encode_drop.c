// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>

#include "base/csv.h"
#include "platform/libc.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/encode_ends.h"
#include "rows/operation.h"

static const char *const protocols[256] = {
	[IPPROTO_ICMP] = "ICMP",       [IPPROTO_IGMP] = "IGMP",     [IPPROTO_IPIP] = "IPIP",
	[IPPROTO_TCP] = "TCP",         [IPPROTO_UDP] = "UDP",       [IPPROTO_DCCP] = "DCCP",
	[IPPROTO_IPV6] = "IPV6",       [IPPROTO_GRE] = "GRE",       [IPPROTO_ESP] = "ESP",
	[IPPROTO_AH] = "AH",           [IPPROTO_ICMPV6] = "ICMPV6", [IPPROTO_SCTP] = "SCTP",
	[IPPROTO_UDPLITE] = "UDPLITE",
};

static char *port(char *p, uint16_t n)
{
	return n ? csv__u64(p, n) : p;
}

char *encode__drop(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_drop *r = record;

	p = encode__begin(e, STREAM_NW_DROP, r->ns, p);
	COLUMN(p, "event_type");
	p = encode__word(p, operation__name(STREAM_NW_DROP, r->event));
	COLUMN(p, "pid", "command");
	p = encode__pid_command(encode__task(e, r->task, r->ns), p);
	COLUMN(p, "proto");
	if (r->ipver)
		p = protocols[r->proto] ? encode__word(p, protocols[r->proto]) :
					  csv__u64(p, r->proto);
	COLUMN(p, "ipver");
	if (r->ipver)
		p = csv__u64(p, r->ipver);
	COLUMN(p, "src_addr");
	if (r->ipver)
		p = encode__ip(e, p, r->src, r->ipver);
	COLUMN(p, "dst_addr");
	if (r->ipver)
		p = encode__ip(e, p, r->dst, r->ipver);
	COLUMN(p, "sport");
	p = port(p, r->sport);
	COLUMN(p, "dport");
	p = port(p, r->dport);
	COLUMN(p, "skb_len");
	if (r->skb_len)
		p = csv__u64(p, r->skb_len);
	COLUMN(p, "drop_reason");
	if (r->has_reason)
		p = csv__u64(p, r->reason);
	COLUMN(p, "tcp_state");
	p = ends__tcp_state(p, r->tcp_state);
	return encode__end(e, r->ns, p);
}
