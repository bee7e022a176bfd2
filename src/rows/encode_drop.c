// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>

#include "base/csv.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/operation.h"

static const char *const protocols[256] = {
	[IPPROTO_ICMP] = "ICMP",       [IPPROTO_IGMP] = "IGMP",     [IPPROTO_IPIP] = "IPIP",
	[IPPROTO_TCP] = "TCP",         [IPPROTO_UDP] = "UDP",       [IPPROTO_DCCP] = "DCCP",
	[IPPROTO_IPV6] = "IPV6",       [IPPROTO_GRE] = "GRE",       [IPPROTO_ESP] = "ESP",
	[IPPROTO_AH] = "AH",           [IPPROTO_ICMPV6] = "ICMPV6", [IPPROTO_SCTP] = "SCTP",
	[IPPROTO_UDPLITE] = "UDPLITE",
};

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
#define N_STATES ARRAY_SIZE(tcp_states)

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
	p = encode__pid_command(encode__task(e, r->task), p);
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
	if (r->tcp_state < N_STATES)
		p = encode__word(p, tcp_states[r->tcp_state]);
	return encode__end(r->ns, p);
}
