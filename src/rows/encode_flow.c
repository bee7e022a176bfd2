// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "base/csv.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/encode_ends.h"
#include "rows/linux_numbers.h"
#include "rows/operation.h"

static char *flow_owner_columns(struct encoder *e, const struct rec_flow *r, char *p)
{
	COLUMN(p, "pid");
	if (r->pid)
		p = csv__u64(p, r->pid);
	COLUMN(p, "tid");
	if (r->pid)
		p = csv__u64(p, r->tid);
	COLUMN(p, "command");
	return r->pid ? encode__command(e, p, r->comm) : p;
}

enum flow_kind { KIND_TCP, KIND_DATAGRAMS, KIND_STREAM };

/* The kind decides which columns are filled. */
static enum flow_kind kind_of(const struct rec_flow *r)
{
	if (r->proto == LINUX_IPPROTO_TCP)
		return KIND_TCP;
	return r->proto || r->ends.sock_type != LINUX_SOCK_STREAM ? KIND_DATAGRAMS : KIND_STREAM;
}

static const char *protocol(const struct rec_flow *r)
{
	if (r->proto)
		return r->proto == LINUX_IPPROTO_TCP ? "TCP" : "UDP";
	switch (r->ends.sock_type) {
	case LINUX_SOCK_STREAM:
		return "UNIX_STREAM";
	case LINUX_SOCK_SEQPACKET:
		return "UNIX_SEQPACKET";
	default:
		return "UNIX_DGRAM";
	}
}

static char *end_columns(struct encoder *e, const struct rec_flow *r, char *p)
{
	const struct conn_ends *ends = &r->ends;

	COLUMN(p, "proto");
	p = encode__word(p, protocol(r));
	COLUMN(p, "ipver");
	if (ends__version(ends))
		p = csv__u64(p, ends__version(ends));
	COLUMN(p, "local_addr");
	p = ends__address(e, p, ends, false, false);
	COLUMN(p, "remote_addr");
	p = ends__address(e, p, ends, true, false);
	COLUMN(p, "sport");
	if (ends->sport)
		p = csv__u64(p, ends->sport);
	COLUMN(p, "dport");
	if (ends->dport)
		p = csv__u64(p, ends->dport);
	return p;
}

char *encode__flow(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_flow *r = record;
	enum flow_kind kind = kind_of(r);

	p = encode__begin(e, STREAM_NW_FLOW, r->ns, p);
	COLUMN(p, "event_type");
	p = encode__word(p, operation__name(STREAM_NW_FLOW, r->event));
	p = flow_owner_columns(e, r, p);
	p = end_columns(e, r, p);
	COLUMN(p, "bytes_sent");
	p = csv__u64(p, r->bytes_sent);
	COLUMN(p, "bytes_received");
	p = csv__u64(p, r->bytes_received);
	COLUMN(p, "segments_sent");
	if (kind != KIND_STREAM)
		p = csv__u64(p, r->segments_sent);
	COLUMN(p, "segments_received");
	if (kind != KIND_STREAM)
		p = csv__u64(p, r->segments_received);
	COLUMN(p, "retransmits");
	if (kind == KIND_TCP)
		p = csv__u64(p, r->retransmits);
	COLUMN(p, "srtt_us");
	if (r->srtt_us)
		p = csv__u64(p, r->srtt_us);
	COLUMN(p, "min_rtt_us");
	if (r->min_rtt_us != FLOW_NO_RTT)
		p = csv__u64(p, r->min_rtt_us);
	COLUMN(p, "duration_ns");
	if (r->duration != DURATION_UNKNOWN)
		p = csv__u64(p, r->duration);
	COLUMN(p, "state");
	if (kind == KIND_TCP)
		p = ends__tcp_state(p, r->state);
	COLUMN(p, "container_id");
	if (r->cgroup)
		p = csv__u64(p, r->cgroup);
	return encode__end(e, r->ns, p);
}
