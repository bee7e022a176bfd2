// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Packets that the kernel dropped, and segments that TCP retransmitted. */
#include "bpf/abi.h"
#include "bpf/context.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/packet.h"
#include "bpf/pair.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/socket.h"
#include "schema/records.h"
#include "schema/streams.h"

static __always_inline bool is_drop(u32 reason)
{
	if (bpf_core_enum_value_exists(enum skb_drop_reason, SKB_CONSUMED) &&
	    reason == bpf_core_enum_value(enum skb_drop_reason, SKB_CONSUMED))
		return false;
	return !bpf_core_enum_value_exists(enum skb_drop_reason, SKB_NOT_DROPPED_YET) ||
	       reason != bpf_core_enum_value(enum skb_drop_reason, SKB_NOT_DROPPED_YET);
}

/* Reserves the record of an EVENT; CTX is the context of the BPF program. NULL if it is left out or
 * there is no room: it has been counted then. */
static __always_inline struct rec_drop *begin_drop(void *ctx, u8 event, u64 *flags)
{
	u64 now = bpf_ktime_get_ns(), task = 0;
	struct rec_drop *rec;

	if (in_own_call(ctx) ? !keep_owned(STREAM_NW_DROP, &task) : !keep_unowned(STREAM_NW_DROP))
		return NULL;
	if (leave_out_instant(STREAM_NW_DROP))
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

/* Buffers of netlink and AF_UNIX have no protocol, and are not packets. */
static __always_inline int dropped(void *ctx, u64 skb, bool has_reason, u32 reason, u64 sk)
{
	u16 protocol = bpf_ntohs(kread(skb, sk_buff, protocol));
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
	deliver(rec, flags);
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

PAIR("tp_btf/kfree_skb", on_skb_drop_socket,
     HOOK_SKB_DROP) /* since 6.11, which also passes the socket */
{
	return dropped(ctx, ctx[0], true, ctx[2], ctx[3]);
}

/* A retransmitted packet has no headers yet: the addresses are those of the socket, or of the
 * connection request. */
static __always_inline int retransmitted(void *ctx, u64 sk, u64 skb)
{
	struct rec_drop *rec;
	u64 flags;

	rec = begin_drop(ctx, DROP_RETRANSMIT, &flags);
	if (!rec)
		return 0;
	rec->proto = PROTO_TCP;
	rec->sport = kread(sk, sock, __sk_common.skc_num);
	rec->dport = bpf_ntohs(kread(sk, sock, __sk_common.skc_dport));
	rec->tcp_state = kread(sk, sock, __sk_common.skc_state);
	if (skb)
		rec->skb_len = kread(skb, sk_buff, len);
	if (kread(sk, sock, __sk_common.skc_family) == AF_INET) {
		rec->ipver = 4;
		*(u32 *)rec->src = kread(sk, sock, __sk_common.skc_rcv_saddr);
		*(u32 *)rec->dst = kread(sk, sock, __sk_common.skc_daddr);
	} else {
		rec->ipver = 6;
		bpf_probe_read_kernel(rec->src, 16,
				      (void *)kaddr(sk, sock, __sk_common.skc_v6_rcv_saddr));
		bpf_probe_read_kernel(rec->dst, 16,
				      (void *)kaddr(sk, sock, __sk_common.skc_v6_daddr));
	}
	deliver(rec, flags);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_tcp_retransmit, struct sock *sk, struct sk_buff *skb)
{
	count_fired(HOOK_TCP_RETRANSMIT);
	return retransmitted(ctx, (u64)sk, (u64)skb);
}

PAIR("tp_btf/tcp_retransmit_skb", on_tcp_retransmit_tried,
     HOOK_TCP_RETRANSMIT) /* since 6.17 or so */
{
	/* The tracepoint fires even if nothing was sent, because the previous packet was still
	 * queued, say. */
	return (s32)ctx[2] ? 0 : retransmitted(ctx, ctx[0], ctx[1]);
}

PAIR("tp_btf/tcp_retransmit_synack", on_tcp_synack, HOOK_TCP_SYNACK)
{
	return retransmitted(ctx, ctx[1], 0);
}
