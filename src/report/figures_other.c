// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of the other streams. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform/macros.h"
#include "report/columns.h"
#include "report/figure_row.h"
#include "report/figures_streams.h"

/* ---- block ---- */

static int count_disk(struct figures *t, const struct row_field *f, const struct figure_row *row)
{
	const struct row_field *key = FIELD(f, BLOCK, device);
	struct group *g = figures__group(t, TABLE_DISKS, key->s, key->len, 1);
	struct device_group *disk;

	if (!g)
		return -ENOMEM;
	disk = g->value;
	totals__add(&disk->totals, row);
	return row->has_ns ? sketch__add(&disk->latency, row->ns, 1) : 0;
}

static void read_block(struct figure_row *row, const struct row_field *f)
{
	*row = (struct figure_row){ .channel = CHANNEL_BLOCK_OTHER };
	row->read = figures__is(FIELD(f, BLOCK, operation), "read");
	row->write = figures__is(FIELD(f, BLOCK, operation), "write");
	if (row->read || row->write)
		row->channel = row->read ? CHANNEL_BLOCK_READ : CHANNEL_BLOCK_WRITE;
	figures__number(FIELD(f, BLOCK, mono_ns), &row->mono_ns);
	figures__number(FIELD(f, BLOCK, pid), &row->pid);
	row->has_bytes = figures__number(FIELD(f, BLOCK, size), &row->bytes);
	row->has_at = figures__number(FIELD(f, BLOCK, sector), &row->at);
	row->has_ns = figures__millionths(FIELD(f, BLOCK, latency_ms), &row->ns);
	row->device = figures__device(FIELD(f, BLOCK, device));
	row->failed = memmem(FIELD(f, BLOCK, flags)->s, FIELD(f, BLOCK, flags)->len, "error=", 6);
}

int figures__block(struct figures *t, const struct row_field *f)
{
	struct figure_row row;
	uint64_t id = 0;
	unsigned int bin;
	int err;

	read_block(&row, f);
	figures__number(FIELD(f, BLOCK, request_id), &id);
	bin = figures__when(t, &row, 1);
	t->time.bins[bin][CHANNEL_BLOCK_FAILED] += row.failed;
	if (row.read || row.write) {
		t->time.bins[bin][row.read ? CHANNEL_BLOCK_BYTES_READ :
					     CHANNEL_BLOCK_BYTES_WRITTEN] += row.bytes;
		t->sizes[row.read ? SIZE_BLOCK_READ : SIZE_BLOCK_WRITE]
			[row.bytes ? 64 - __builtin_clzll(row.bytes) : 0]++;
	}
	err = figures__sample(t, SAMPLE_BLOCK, &row, id);
	if (!err)
		err = figures__operation(t, STREAM_BLOCK, FIELD(f, BLOCK, operation), &row);
	if (!err && row.failed) {
		const struct row_field *flags = FIELD(f, BLOCK, flags);
		char *error = memmem(flags->s, flags->len, "error=", 6);
		struct row_field name = { error + 6, flags->s + flags->len - error - 6 };
		char *bar = memchr(name.s, '|', name.len);

		if (bar)
			name.len = bar - name.s;
		err = figures__error(t, FIELD(f, BLOCK, operation), &name, FIELD(f, BLOCK, command),
				     &row);
	}
	return err ? err : count_disk(t, f, &row);
}

/* ---- the network ---- */

static int count_peer(struct figures *t, const struct row_field *f, const struct figure_row *row)
{
	const struct row_field *type = FIELD(f, NW_CONN, event_type);
	const struct row_field *to = FIELD(f, NW_CONN, remote_addr);
	/* The port that identifies the service. */
	const struct row_field *port = row->channel == CHANNEL_CONN_ACCEPT ?
					       FIELD(f, NW_CONN, sport) :
					       FIELD(f, NW_CONN, dport);
	char key[512];
	int len = snprintf(key, sizeof(key), "%.*s/%.*s/%.*s", (int)type->len, type->s,
			   to->len < 400 ? (int)to->len : 400, to->s, (int)port->len, port->s);
	struct group *g = figures__group(t, TABLE_PEERS, key, len, 1);
	struct peer_group *p;

	if (!g)
		return -ENOMEM;
	p = g->value;
	if (!p->rows++ || row->mono_ns < p->first_ns) {
		p->first_ns = row->mono_ns;
		figures__text(p->command, sizeof(p->command), FIELD(f, NW_CONN, command));
	}
	p->failed += row->failed;
	p->ns += row->ns;
	if (row->ns > p->max_ns)
		p->max_ns = row->ns;
	return 0;
}

int figures__conn(struct figures *t, const struct row_field *f)
{
	const struct row_field *type = FIELD(f, NW_CONN, event_type);
	const struct row_field *result = FIELD(f, NW_CONN, return_value);
	struct figure_row row = { .channel = CHANNEL_CONN_OTHER };
	uint64_t tid = 0;
	int err;

	if (figures__is(type, "CONNECT") || figures__is(type, "ACCEPT"))
		row.channel =
			figures__is(type, "CONNECT") ? CHANNEL_CONN_CONNECT : CHANNEL_CONN_ACCEPT;
	figures__number(FIELD(f, NW_CONN, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, NW_CONN, pid), &row.pid);
	figures__number(FIELD(f, NW_CONN, tid), &tid);
	row.has_ns = figures__number(FIELD(f, NW_CONN, latency_ns), &row.ns);
	row.failed = result->len && *result->s == '-';
	t->time.bins[figures__when(t, &row, 1)][CHANNEL_CONN_FAILED] += row.failed;
	err = figures__sample(t, SAMPLE_OTHER, &row, tid);
	if (!err)
		err = figures__operation(t, STREAM_NW_CONN, type, &row);
	return err || row.channel == CHANNEL_CONN_OTHER ? err : count_peer(t, f, &row);
}

/* A row with few values to count. */
static int count_row(struct figures *t, enum stream stream, struct figure_row *row, uint64_t n,
		     const struct row_field *type, uint64_t who)
{
	int err;

	figures__when(t, row, n);
	err = figures__sample(t, SAMPLE_OTHER, row, who);
	return err ? err : figures__operation(t, stream, type, row);
}

int figures__epoll(struct figures *t, const struct row_field *f)
{
	const struct row_field *type = FIELD(f, NW_EPOLL, event_type);
	struct figure_row row = { .channel = CHANNEL_EPOLL };
	uint64_t tid = 0;
	int err;

	figures__number(FIELD(f, NW_EPOLL, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, NW_EPOLL, pid), &row.pid);
	figures__number(FIELD(f, NW_EPOLL, tid), &tid);
	row.has_ns = figures__number(FIELD(f, NW_EPOLL, latency_ns), &row.ns);
	row.failed = FIELD(f, NW_EPOLL, errno)->len;
	err = count_row(t, STREAM_NW_EPOLL, &row, 1, type, tid);
	return err || !row.failed ? err :
				    figures__error(t, type, FIELD(f, NW_EPOLL, errno),
						   FIELD(f, NW_EPOLL, command), &row);
}

int figures__sockopt(struct figures *t, const struct row_field *f)
{
	const struct row_field *type = FIELD(f, NW_SOCKOPT, event_type);
	struct figure_row row = { .channel = CHANNEL_SOCKOPT };
	uint64_t tid = 0;
	int err;

	figures__number(FIELD(f, NW_SOCKOPT, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, NW_SOCKOPT, pid), &row.pid);
	figures__number(FIELD(f, NW_SOCKOPT, tid), &tid);
	row.failed = FIELD(f, NW_SOCKOPT, errno)->len;
	err = count_row(t, STREAM_NW_SOCKOPT, &row, 1, type, tid);
	return err || !row.failed ? err :
				    figures__error(t, type, FIELD(f, NW_SOCKOPT, errno),
						   FIELD(f, NW_SOCKOPT, command), &row);
}

int figures__drop(struct figures *t, const struct row_field *f)
{
	const struct row_field *type = FIELD(f, NW_DROP, event_type);
	struct figure_row row = { .channel = CHANNEL_DROP };

	if (figures__is(type, "TCP_RETRANSMIT"))
		row.channel = CHANNEL_RETRANSMIT;
	figures__number(FIELD(f, NW_DROP, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, NW_DROP, pid), &row.pid);
	figures__number(FIELD(f, NW_DROP, skb_len), &row.bytes);
	return count_row(t, STREAM_NW_DROP, &row, 1, type, row.pid);
}

/* ---- the page cache ---- */

static enum channel cache_channel(const struct row_field *type)
{
	static const struct {
		const char *name;
		enum channel channel;
	} types[] = {
		{ "HIT", CHANNEL_CACHE_HIT },
		{ "MISS", CHANNEL_CACHE_MISS },
		{ "MISS_WRITE", CHANNEL_CACHE_NEW },
		{ "DIRTY", CHANNEL_CACHE_DIRTY },
		{ "WRITEBACK_START", CHANNEL_CACHE_WRITEBACK },
		{ "READAHEAD", CHANNEL_CACHE_READAHEAD },
		{ "EVICT", CHANNEL_CACHE_EVICT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (figures__is(type, types[i].name))
			return types[i].channel;
	return CHANNEL_CACHE_OTHER;
}

int figures__cache(struct figures *t, const struct row_field *f)
{
	const struct row_field *type = FIELD(f, CACHE, event_type);
	struct figure_row row = { .channel = cache_channel(type), .bytes = 1 };
	uint64_t device = 0, cpu = 0;

	figures__number(FIELD(f, CACHE, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, CACHE, pid), &row.pid);
	figures__number(FIELD(f, CACHE, cpu_id), &cpu);
	figures__number(FIELD(f, CACHE, count), &row.bytes);
	figures__number(FIELD(f, CACHE, device_id), &device);
	row.device = device;
	return count_row(t, STREAM_CACHE, &row, row.bytes, type, cpu);
}

int figures__pagefault(struct figures *t, const struct row_field *f)
{
	const struct row_field *severity = FIELD(f, PAGEFAULT, severity);
	struct figure_row row = { .channel = CHANNEL_FAULT_MINOR };
	uint64_t tid = 0;

	if (figures__is(severity, "MAJOR"))
		row.channel = CHANNEL_FAULT_MAJOR;
	figures__number(FIELD(f, PAGEFAULT, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, PAGEFAULT, pid), &row.pid);
	figures__number(FIELD(f, PAGEFAULT, tid), &tid);
	return count_row(t, STREAM_PAGEFAULT, &row, 1, severity, tid);
}

/* ---- losses, and snapshots of processes ---- */

int figures__lost(struct figures *t, const struct row_field *f)
{
	struct figure_row row = { .channel = CHANNEL_LOST };
	uint64_t count = 0;

	/* Less compression loses no rows. */
	if (figures__is(FIELD(f, LOST, cause), "compression"))
		return 0;
	figures__number(FIELD(f, LOST, mono_ns), &row.mono_ns);
	figures__number(FIELD(f, LOST, count), &count);
	figures__when(t, &row, count);
	t->lost_spans++;
	return 0;
}

int figures__process(struct figures *t, const struct row_field *f)
{
	struct process_group *p;
	struct group *g;
	uint64_t pid, mono_ns = 0;

	if (!figures__number(FIELD(f, PROCESS, pid), &pid))
		return 0;
	figures__number(FIELD(f, PROCESS, mono_ns), &mono_ns);
	g = figures__group(t, TABLE_PROCESSES, (const char *)&pid, sizeof(pid), 0);
	if (!g)
		return -ENOMEM;
	p = g->value;
	if (!*p->command)
		figures__text(p->command, sizeof(p->command), FIELD(f, PROCESS, name));
	if (!*p->cmdline)
		figures__text(p->cmdline, sizeof(p->cmdline), FIELD(f, PROCESS, cmdline));
	return 0;
}
