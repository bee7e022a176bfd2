// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/top_flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/groups.h"
#include "base/csv.h"
#include "rows/linux_numbers.h"

#define FLOWS_MAX 65536

struct flow_state {
	struct top_counts last, added;
	uint64_t look; /* the last refresh that found it */
	char name[TOP_FLOW_NAME_MAX];
};

struct top_flows {
	struct groups *groups; /* by both ends and the process; values are struct flow_state */
	uint64_t look, span_ns;
	int err;
};

int top_flows__new(struct top_flows **ret)
{
	const struct groups_config config = { .value_size = sizeof(struct flow_state),
					      .max_groups = FLOWS_MAX,
					      .max_bytes = SIZE_MAX };
	struct top_flows *f = calloc(1, sizeof(*f));

	if (f && groups__new(&f->groups, &config))
		f = top_flows__free(f);
	*ret = f;
	return f ? 0 : -ENOMEM;
}

struct top_flows *top_flows__free(struct top_flows *f)
{
	if (f)
		groups__free(f->groups);
	free(f);
	return NULL;
}

/* ADDRESS:PORT */
static char *name_end(char *p, uint16_t family, const uint8_t *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family == LINUX_AF_INET6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	p = csv__mem(p, text, strlen(text));
	*p++ = ':';
	return csv__u64(p, port);
}

/* A longer path is cut. */
#define PATH_SHOWN 64

static char *name_path(char *p, const char *path, size_t len)
{
	if (len && !path[0]) { /* an abstract name */
		*p++ = '@';
		path++;
		len--;
	}
	return csv__escape(p, path, strnlen(path, len < PATH_SHOWN ? len : PATH_SHOWN));
}

/* LOCAL - REMOTE. Several unix sockets may have the same path, or none: their inode numbers, which
 * ss prints too, distinguish them. */
static char *name_ends(char *p, const struct rec_flow *r)
{
	const struct conn_ends *ends = &r->ends;

	if (ends->family == LINUX_AF_UNIX) {
		p = csv__mem(p, "unix ", 5);
		p = name_path(p, ends->un.local, ends->has_local);
		*p++ = '#';
		p = csv__u64(p, r->socket);
		p = csv__mem(p, " - ", 3);
		return name_path(p, ends->un.remote, ends->has_remote);
	}
	if (r->proto != LINUX_IPPROTO_TCP)
		p = csv__mem(p, "udp ", 4);
	p = name_end(p, ends->family, ends->ip.local, ends->sport);
	p = csv__mem(p, " - ", 3);
	return ends->has_remote ? name_end(p, ends->family, ends->ip.remote, ends->dport) : p;
}

/* PID COMMAND LOCAL - REMOTE; returns the end. */
static char *name_flow(char *p, const struct rec_flow *r)
{
	if (r->pid) {
		p = csv__u64(p, r->pid);
		*p++ = ' ';
		p = csv__escape(p, r->comm, strnlen(r->comm, COMM_BYTES));
		*p++ = ' ';
	}
	return name_ends(p, r);
}

/* Whether NOW is from another connection than LAST: a later one may have the same ends as an
 * earlier one. */
static bool is_another(const struct top_counts *now, const struct top_counts *last)
{
	return now->calls < last->calls || now->read < last->read || now->written < last->written;
}

static void on_flow(void *arg, const void *record, size_t size)
{
	const struct rec_flow *r = record;
	struct top_flows *f = arg;
	char name[TOP_FLOW_NAME_MAX];
	size_t len = name_flow(name, r) - name;
	struct group *group;
	struct flow_state *s;
	struct top_counts now = { .calls = r->segments_sent + r->segments_received,
				  .errors = r->retransmits,
				  .read = r->bytes_received,
				  .written = r->bytes_sent };
	bool fresh;

	name[len] = '\0';
	group = groups__at(f->groups, name, len);
	if (!group) {
		f->err = -ENOMEM;
		return;
	}
	s = group->value;
	fresh = !s->look || is_another(&now, &s->last);
	group->weight = f->look;
	s->added = now;
	if (!fresh)
		top_counts__subtract(&s->added, &s->last);
	else if (r->duration > f->span_ns)
		s->added = (struct top_counts){ 0 };
	s->added.time_ns = r->srtt_us * UINT64_C(1000);
	s->added.timed = r->srtt_us > 0;
	s->last = now;
	s->look = f->look;
	memcpy(s->name, name, len + 1);
}

int top_flows__look(struct top_flows *f, struct engine *e, uint64_t span_ns)
{
	const struct sink sink = { .event = on_flow, .arg = f };
	int err;

	f->look++;
	f->span_ns = span_ns;
	err = engine__flows(e, FLOW_ROTATION, &sink);
	return err ?: f->err;
}

int top_flows__each(const struct top_flows *f,
		    int (*tell)(void *arg, const char *name, const struct top_counts *added),
		    void *arg)
{
	int err = 0;

	for (size_t i = 0; i < groups__count(f->groups) && !err; i++) {
		const struct flow_state *s = groups__get(f->groups, i)->value;

		if (s->look == f->look && (s->added.calls || s->added.read || s->added.written))
			err = tell(arg, s->name, &s->added);
	}
	return err;
}
