/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets that the kernel threw away, and segments that TCP sent again. */
#include "conn.h"
#include "context.h"
#include "pair.h"
#include <bpf/bpf_tracing.h>

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_DCCP 33
#define PROTO_SCTP 132
#define PROTO_UDPLITE 136

/* Headers that come before the transport's own (RFC 8200, RFC 4302). */
#define NEXT_HOPOPTS 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_AH 51
#define NEXT_DSTOPTS 60
#define EXTENSIONS_MAX 8

/* The packet's bytes as they lie, between its network header and the end of its linear part. */
struct packet {
	u64 head;
	u32 at, end;
};

static __always_inline bool packet_read(const struct packet *p, u32 at, void *to, u32 size)
{
	return at + size <= p->end &&
	       !bpf_probe_read_kernel(to, size, (void *)(p->head + at));
}

static __always_inline void read_ports(struct rec_drop *rec, const struct packet *p, u32 at)
{
	u16 ports[2];

	if (rec->proto != PROTO_TCP && rec->proto != PROTO_UDP && rec->proto != PROTO_DCCP &&
	    rec->proto != PROTO_SCTP && rec->proto != PROTO_UDPLITE)
		return;
	if (!packet_read(p, at, ports, sizeof(ports)))
		return;
	rec->sport = swap16(ports[0]);
	rec->dport = swap16(ports[1]);
}

static __always_inline void read_v4(struct rec_drop *rec, const struct packet *p)
{
	struct {
		u8 version_ihl, tos;
		u16 len, id, fragment;
		u8 ttl, proto;
		u16 sum;
		u32 src, dst;
	} ip;

	if (!packet_read(p, p->at, &ip, sizeof(ip)) || ip.version_ihl >> 4 != 4)
		return;
	rec->ipver = 4;
	rec->proto = ip.proto;
	*(u32 *)rec->src = ip.src;
	*(u32 *)rec->dst = ip.dst;
	/* Only a packet's first fragment has its ports. */
	if (!(swap16(ip.fragment) & 0x1fff))
		read_ports(rec, p, p->at + (ip.version_ihl & 15) * 4);
}

static __always_inline void read_v6(struct rec_drop *rec, const struct packet *p)
{
	struct {
		u32 version_class_flow;
		u16 len;
		u8 next, hops;
		u8 src[16], dst[16];
	} ip;
	u32 at = p->at + sizeof(ip);
	bool later = false;
	u8 next;
	u64 i;

	if (!packet_read(p, p->at, &ip, sizeof(ip)) || (ip.version_class_flow >> 4 & 15) != 6)
		return;
	rec->ipver = 6;
	__builtin_memcpy(rec->src, ip.src, sizeof(ip.src));
	__builtin_memcpy(rec->dst, ip.dst, sizeof(ip.dst));
	next = ip.next;
	for (i = 0; i < EXTENSIONS_MAX; i++) {
		u8 ext[4];

		if (next != NEXT_HOPOPTS && next != NEXT_ROUTING && next != NEXT_FRAGMENT &&
		    next != NEXT_AH && next != NEXT_DSTOPTS)
			break;
		if (!packet_read(p, at, ext, sizeof(ext)))
			break;
		if (next == NEXT_FRAGMENT) {
			later = later || ext[2] || ext[3] & 0xf8; /* the offset's 13 bits */
			at += 8;
		} else {
			at += next == NEXT_AH ? (ext[1] + 2) * 4 : (ext[1] + 1) * 8;
		}
		next = ext[0];
	}
	rec->proto = next;
	if (!later)
		read_ports(rec, p, at);
}

static __always_inline bool is_drop(u32 reason)
{
	if (bpf_core_enum_value_exists(enum skb_drop_reason, SKB_CONSUMED) &&
	    reason == bpf_core_enum_value(enum skb_drop_reason, SKB_CONSUMED))
		return false;
	return !bpf_core_enum_value_exists(enum skb_drop_reason, SKB_NOT_DROPPED_YET) ||
	       reason != bpf_core_enum_value(enum skb_drop_reason, SKB_NOT_DROPPED_YET);
}

/* The record of an EVENT in whatever context CTX is; NULL when it is to be left out, or there is no room. */
static __always_inline struct rec_drop *begin_drop(void *ctx, u8 event, u64 *flags)
{
	u64 now = bpf_ktime_get_ns(), task = 0;
	struct rec_drop *rec;

	if (in_own_call(ctx) ? !whose(STREAM_NW_DROP, &task) : !nobodys(STREAM_NW_DROP))
		return NULL;
	rec = reserve(STREAM_NW_DROP, sizeof(*rec), now, flags);
	if (!rec)
		return NULL;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->type = REC_DROP;
	rec->event = event;
	rec->ns = now;
	rec->task = task;
	return rec;
}

/* What netlink and AF_UNIX throw away has no protocol, and is no packet. */
static __always_inline int dropped(void *ctx, u64 skb, bool has_reason, u32 reason, u64 sk)
{
	u16 protocol = swap16(kread(skb, sk_buff, protocol));
	struct packet packet = {};
	struct rec_drop *rec;
	u64 flags;

	if (!protocol || (has_reason && !is_drop(reason)))
		return 0;
	rec = begin_drop(ctx, DROP_PACKET, &flags);
	if (!rec)
		return 0;
	rec->has_reason = has_reason;
	rec->reason = reason;
	rec->skb_len = kread(skb, sk_buff, len);
	packet.head = kread(skb, sk_buff, head);
	packet.at = (u16)kread(skb, sk_buff, network_header);
	packet.end = kread(skb, sk_buff, tail);
	if (packet.at && protocol == ETH_P_IP)
		read_v4(rec, &packet);
	else if (packet.at && protocol == ETH_P_IPV6)
		read_v6(rec, &packet);
	if (!sk)
		sk = kread(skb, sk_buff, sk);
	if (sk && rec->proto == PROTO_TCP)
		rec->tcp_state = kread(sk, sock, __sk_common.skc_state);
	bpf_ringbuf_submit(rec, flags);
	return 0;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_skb_drop, struct sk_buff *skb, void *location) /* until 5.16 */
{
	count_fired(HOOK_SKB_DROP);
	return dropped(ctx, (u64)skb, false, 0, 0);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_skb_drop_reason, struct sk_buff *skb, void *location, u32 reason)
{
	count_fired(HOOK_SKB_DROP);
	return dropped(ctx, (u64)skb, true, reason, 0);
}

PAIR("tp_btf/kfree_skb", on_skb_drop_socket, HOOK_SKB_DROP) /* since 6.11, with the socket as the last */
{
	return dropped(ctx, ctx[0], true, ctx[2], ctx[3]);
}

/* The packet that is sent again has no headers yet: the socket, or the request for one, knows. */
static __always_inline int retransmitted(void *ctx, u64 sk, u64 skb)
{
	struct rec_drop *rec;
	u64 flags;

	rec = begin_drop(ctx, DROP_RETRANSMIT, &flags);
	if (!rec)
		return 0;
	rec->proto = PROTO_TCP;
	rec->sport = kread(sk, sock, __sk_common.skc_num);
	rec->dport = swap16(kread(sk, sock, __sk_common.skc_dport));
	rec->tcp_state = kread(sk, sock, __sk_common.skc_state);
	if (skb)
		rec->skb_len = kread(skb, sk_buff, len);
	if (kread(sk, sock, __sk_common.skc_family) == AF_INET) {
		rec->ipver = 4;
		*(u32 *)rec->src = kread(sk, sock, __sk_common.skc_rcv_saddr);
		*(u32 *)rec->dst = kread(sk, sock, __sk_common.skc_daddr);
	} else {
		rec->ipver = 6;
		bpf_probe_read_kernel(rec->src, 16, (void *)kaddr(sk, sock, __sk_common.skc_v6_rcv_saddr));
		bpf_probe_read_kernel(rec->dst, 16, (void *)kaddr(sk, sock, __sk_common.skc_v6_daddr));
	}
	bpf_ringbuf_submit(rec, flags);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_tcp_retransmit, struct sock *sk, struct sk_buff *skb)
{
	count_fired(HOOK_TCP_RETRANSMIT);
	return retransmitted(ctx, (u64)sk, (u64)skb);
}

PAIR("tp_btf/tcp_retransmit_skb", on_tcp_retransmit_tried, HOOK_TCP_RETRANSMIT) /* since 6.17 or so */
{
	/* Told of also when nothing was sent: the last time's packet was still in the machine, say. */
	return (s32)ctx[2] ? 0 : retransmitted(ctx, ctx[0], ctx[1]);
}

PAIR("tp_btf/tcp_retransmit_synack", on_tcp_synack, HOOK_TCP_SYNACK)
{
	return retransmitted(ctx, ctx[1], 0);
}
