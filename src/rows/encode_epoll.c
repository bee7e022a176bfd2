// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/csv.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/operation.h"

/* Only epoll calls have an instance, and create() only if it succeeds. */
static bool has_instance(const struct rec_epoll *r)
{
	return r->op == POLL_CTL || r->op == POLL_WAIT || (r->op == POLL_CREATE && r->ret >= 0);
}

static char *timeout(char *p, int64_t ns)
{
	if (ns == TIMEOUT_NEVER)
		return encode__word(p, "-1");
	return ns < 0 ? p : csv__millis(p, ns);
}

char *encode__epoll(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_epoll *r = record;
	const struct task_entry *task = encode__task(e, r->task, r->ns);
	bool waits = r->op >= POLL_WAIT;

	p = encode__begin(e, STREAM_NW_EPOLL, r->ns, p);
	COLUMN(p, "event_type");
	p = encode__word(p, operation__name(STREAM_NW_EPOLL, r->op));
	COLUMN(p, "pid", "tid", "command");
	p = csv__mem(p, task->text, task->who_len);
	COLUMN(p, "epoll_fd");
	if (has_instance(r))
		p = csv__i64(p, r->fd);
	COLUMN(p, "target_fd");
	if (r->op == POLL_CTL)
		p = csv__i64(p, r->target);
	COLUMN(p, "operation");
	if (r->op == POLL_CTL && names__word(&names_epoll_ctl, r->operation))
		p = encode__word(p, names__word(&names_epoll_ctl, r->operation));
	COLUMN(p, "event_mask");
	if (r->has_events)
		p = encode__flags(e, &names_epoll, r->events, p);
	COLUMN(p, "max_events");
	if (waits && !r->no_args)
		p = csv__i64(p, r->max);
	COLUMN(p, "ready_count");
	if (waits && r->ret >= 0)
		p = csv__i64(p, r->ret);
	COLUMN(p, "timeout_ms");
	if (waits)
		p = timeout(p, r->timeout_ns);
	COLUMN(p, "latency_ns");
	if (r->duration != DURATION_UNKNOWN)
		p = csv__u64(p, r->duration);
	COLUMN(p, "return_value");
	p = csv__i64(p, r->ret);
	COLUMN(p, "errno");
	p = encode__errno(r->ret, p);
	COLUMN(p, "flags");
	p = encode__late(p, r->late);
	return encode__end(e, r->ns, p);
}
