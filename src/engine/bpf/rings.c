// SPDX-License-Identifier: GPL-2.0-or-later
/* The rings and lanes that carry records. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"
#include "platform/macros.h"

/* A producer may be preempted between reserve and submit. This thread has a higher priority: it
 * sleeps, so that the producer can go on. */
#define DEFINITION_WAIT_NS (NSEC_PER_SEC / 2)
#define DEFINITION_PAUSE_NS 50000

/* Lanes (bpf/lane.h) need atomic counters and ordered stores. */
static void plan_lanes(struct bpf_engine *b)
{
	struct capture_config *cfg = &b->skel->rodata->cfg;

#ifdef __x86_64__
	if (!cfg->atomic_counters)
		cfg->lane_records = b->plan.lane_bytes / sizeof(struct rec_fs);
#endif
	if (cfg->lane_records)
		bpf_map__set_max_entries(b->skel->maps.lanes, b->n_cpus * cfg->lane_records);
}

int rings__make(struct bpf_engine *b, char *problem)
{
	b->skel->rodata->cfg.ring_bytes = b->plan.ring_bytes;
	plan_lanes(b);
	while (b->n_rings < b->plan.n_rings) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, b->plan.ring_bytes,
					NULL);

		if (fd < 0)
			return load__refused(problem, fd, "cannot make a BPF ring buffer");
		b->ring_fds[b->n_rings++] = fd;
	}
	return 0;
}

int rings__map(struct bpf_engine *b, char *problem)
{
	const struct capture_config *cfg = &b->skel->rodata->cfg;
	struct epoll_event event = { .events = EPOLLIN };
	int err;

	b->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (b->epoll_fd < 0)
		return engine__problem(problem, -errno, "epoll: %s", strerror(errno));
	err = ring__new(&b->definitions, bpf_map__fd(b->skel->maps.definitions),
			b->plan.definitions_bytes);
	if (!err &&
	    epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, bpf_map__fd(b->skel->maps.definitions), &event))
		err = -errno;
	for (uint32_t cpu = 0; !err && cpu < b->n_cpus; cpu++)
		err = bpf_map_update_elem(bpf_map__fd(b->skel->maps.rings), &cpu,
					  &b->ring_fds[cpu % b->n_rings], 0);
	for (size_t i = 0; !err && i < b->n_rings; i++) {
		err = ring__new(&b->rings[i], b->ring_fds[i], b->plan.ring_bytes);
		if (!err && epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, b->ring_fds[i], &event))
			err = -errno;
	}
	for (uint32_t i = 0; !err && cfg->lane_records && i < b->n_cpus; i++) {
		err = lane__new(&b->lanes[i], bpf_map__fd(b->skel->maps.lanes), i,
				cfg->lane_records, &b->skel->bss->slots[i].lane_put,
				&b->skel->bss->slots[i].lane_taken);
		b->n_lanes += !err;
	}
	return err ? engine__problem(problem, err, "cannot map the ring buffers: %s",
				     strerror(-err)) :
		     0;
}

void rings__free(struct bpf_engine *b)
{
	for (size_t i = 0; i < b->n_rings; i++) {
		ring__free(b->rings[i]);
		close(b->ring_fds[i]);
	}
	for (size_t i = 0; i < b->n_lanes; i++)
		lane__free(b->lanes[i]);
	ring__free(b->definitions);
	if (b->epoll_fd >= 0)
		close(b->epoll_fd);
}

/* ---- reading them ---- */

/* Under load all buffers are mapped, since they are read from end to end within this time. */
#define TRIM_NS (10 * NSEC_PER_SEC)

static void trim_all(struct bpf_engine *b)
{
	if (b->marked_ns - b->trimmed_ns < TRIM_NS)
		return;
	b->trimmed_ns = b->marked_ns;
	ring__trim(b->definitions);
	for (size_t i = 0; i < b->n_rings; i++)
		ring__trim(b->rings[i]);
	for (size_t i = 0; i < b->n_lanes; i++)
		lane__trim(b->lanes[i]);
}

void rings__mark(struct engine *e)
{
	struct bpf_engine *b = (struct bpf_engine *)e;

	b->marked_ns = clock__event_ns();
	trim_all(b);
	for (size_t i = 0; i < b->n_rings; i++)
		b->ends[i] = ring__end(b->rings[i]);
	for (size_t i = 0; i < b->n_lanes; i++)
		b->lane_ends[i] = lane__end(b->lanes[i]);
}

/* Drains all definitions that the marked events may use: a definition is submitted before any event
 * contains its id. */
static void drain_definitions(struct bpf_engine *b)
{
	const struct ring_sink to = { .record = b->sink->define,
				      .expect = b->sink->expect,
				      .arg = b->sink->arg };
	uint64_t end = ring__end(b->definitions), begun = 0;

	while (!ring__drain(b->definitions, end, &to)) {
		uint64_t now = clock__event_ns();

		if (!begun)
			begun = now;
		if (now - begun > DEFINITION_WAIT_NS)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = DEFINITION_PAUSE_NS }, NULL);
	}
}

void rings__define(struct bpf_engine *b, const struct sink *sink)
{
	b->sink = sink;
	drain_definitions(b);
	b->sink = NULL;
}

/* Drains the records up to NS in the lanes that belong to a ring; the lane of CPU belongs to ring
 * CPU % rings (rings__map()). */
static void drain_lanes(struct bpf_engine *b, uint64_t ns)
{
	const struct ring_sink to = { .record = b->sink->event,
				      .expect = b->sink->expect,
				      .arg = b->sink->arg };

	for (size_t i = b->draining; i < b->n_lanes; i += b->n_rings)
		lane__drain(b->lanes[i], b->lane_ends[i], ns, &to);
}

/* A CPU's records are in its lane or in its ring; earlier ones of the lane come first. */
static void on_ring_event(void *arg, const void *record, size_t size)
{
	struct bpf_engine *b = arg;

	drain_lanes(b, ((const struct rec_fs *)record)->ns);
	b->sink->event(b->sink->arg, record, size);
}

void rings__drain(struct engine *e, const struct sink *sink)
{
	struct bpf_engine *b = (struct bpf_engine *)e;
	const struct ring_sink to = { .record = on_ring_event, .arg = b };

	b->sink = sink;
	drain_definitions(b);
	for (b->draining = 0; b->draining < b->n_rings; b->draining++) {
		size_t i = b->draining;

		ring__drain(b->rings[i], b->ends[i], &to);
		/* Records later than the mark may have to wait for records that are beyond the
		 * ring's marked end. */
		drain_lanes(b, b->marked_ns);
	}
	b->sink = NULL;
}

void rings__wait(struct engine *e, int timeout_ms)
{
	struct epoll_event event;

	epoll_wait(((struct bpf_engine *)e)->epoll_fd, &event, 1, timeout_ms);
}

int rings__watch(struct engine *e, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(((struct bpf_engine *)e)->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno :
											  0;
}

static unsigned int more(unsigned int percent, size_t waiting, size_t size)
{
	unsigned int this = waiting * 100 / size;

	return this > percent ? this : percent;
}

struct engine_fill rings__fill(struct engine *e)
{
	struct bpf_engine *b = (struct bpf_engine *)e;
	struct engine_fill fill = {
		.definitions = more(0, ring__waiting(b->definitions), ring__size(b->definitions)),
	};

	for (size_t i = 0; i < b->n_rings; i++)
		fill.events =
			more(fill.events, ring__waiting(b->rings[i]), ring__size(b->rings[i]));
	for (size_t i = 0; i < b->n_lanes; i++)
		fill.events =
			more(fill.events, lane__waiting(b->lanes[i]), lane__size(b->lanes[i]));
	return fill;
}
