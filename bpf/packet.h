/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The headers of a network packet. */
#ifndef IOTRC_BPF_PACKET_H
#define IOTRC_BPF_PACKET_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "schema/records.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_DCCP 33
#define PROTO_SCTP 132
#define PROTO_UDPLITE 136

/* IPv6 extension headers (RFC 8200, RFC 4302). */
#define NEXT_HOPOPTS 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_AH 51
#define NEXT_DSTOPTS 60
#define EXTENSIONS_MAX 8

/* The bytes of a packet: from its network header to the end of the linear part of the buffer. */
struct packet {
	u64 head;
	u32 at, end;
};

static __always_inline bool packet_read(const struct packet *p, u32 at, void *to, u32 size)
{
	return at + size <= p->end && !bpf_probe_read_kernel(to, size, (void *)(p->head + at));
}

static __always_inline void read_ports(struct rec_drop *rec, const struct packet *p, u32 at)
{
	u16 ports[2];

	if (rec->proto != PROTO_TCP && rec->proto != PROTO_UDP && rec->proto != PROTO_DCCP &&
	    rec->proto != PROTO_SCTP && rec->proto != PROTO_UDPLITE)
		return;
	if (!packet_read(p, at, ports, sizeof(ports)))
		return;
	rec->sport = bpf_ntohs(ports[0]);
	rec->dport = bpf_ntohs(ports[1]);
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
	/* Only the first fragment has the ports. */
	if (!(bpf_ntohs(ip.fragment) & 0x1fff))
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
			/* The 13 bits of the fragment offset */
			later = later || ext[2] || ext[3] & 0xf8;
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

#endif
