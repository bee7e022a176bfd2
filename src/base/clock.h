/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From CLOCK_MONOTONIC, in which events are stamped, to wall time, in which rows begin. The clock
 * keeps a list of what to add to mono_ns, and from when on: it grows when the wall clock is set,
 * when the machine wakes from suspend, and when the UTC offset changes. The manifest carries the
 * list, so that a reader can redo the sum. */
#ifndef IOTRC_CLOCK_H
#define IOTRC_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CLOCK_OFFSETS_MAX 1024
#define CLOCK_WALL_LEN 26     /* YYYY-MM-DD HH:MM:SS.ffffff */
#define CLOCK_ISO8601_SIZE 40 /* YYYY-MM-DDTHH:MM:SS.mmm+HH:MM, with its NUL */

struct clock_offset {
	uint64_t from_mono_ns; /* holds from here until the next begins */
	int64_t offset_ns;     /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	int32_t utc_offset_s;  /* local time - UTC */
};

struct clock;

/* A clock with its first offset measured; 0, or -ENOMEM. The time zone is that of now: a later
 * change of TZ or /etc/localtime isn't seen. */
int clock__new(struct clock **ret);
struct clock *clock__free(struct clock *c);

/* The next functions belong to one thread, the one that formats rows. */

/* Measures anew when a millisecond has gone by since the last time. True when the list has grown.
 * NOW is a CLOCK_MONOTONIC time that the caller has at hand, in ns. When CLOCK_OFFSETS_MAX are
 * reached the last offset stays in force: rows and list go on agreeing, wall time is off. */
bool clock__poll(struct clock *c, uint64_t now);

/* A descriptor that can be read as soon as somebody sets the wall clock, so that poll is called
 * then; or a negative errno, without which a step is seen at the next poll. clock__noticed() makes
 * it wait again. */
int clock__watch(void);
void clock__noticed(int fd);

/* What poll does with its measurement: the offset was OFFSET_NS at MONO_NS, later than the mono_ns
 * of any row so far. */
bool clock__observe(struct clock *c, uint64_t mono_ns, int64_t offset_ns);

/* For rows that aren't of here and now: adds an offset to the list, the first call in the place
 * of what this machine's clock was. Nothing is measured any more. */
void clock__retell(struct clock *c, uint64_t mono_ns, int64_t offset_ns);

/* Writes CLOCK_WALL_LEN bytes, no NUL: MONO_NS as local wall time, by the offset in force then. */
void clock__wall(struct clock *c, uint64_t mono_ns, char out[CLOCK_WALL_LEN]);

/* The same from any thread, with the UTC offset that it was written by; slower. The newest offset
 * holds for what the caller has just measured. */
void clock__wall_shared(struct clock *c, uint64_t mono_ns, char out[CLOCK_WALL_LEN],
			int32_t *ret_utc_offset_s);

/* Any wall time, ns since 1970 and not before the year 1 nor after 9999, in the zone UTC_OFFSET_S:
 * CLOCK_WALL_LEN bytes, no NUL. False, and nothing written, when it is out of that range. */
bool clock__civil(int64_t second, uint32_t ns, int32_t utc_offset_s, char out[CLOCK_WALL_LEN]);

/* From any thread: copies the list into RET, room for CLOCK_OFFSETS_MAX; returns its length,
 * at least 1. */
size_t clock__offsets(struct clock *c, struct clock_offset *ret);

uint64_t clock__mono_ns(void);
uint64_t clock__real_ns(void);

/* Sleeps NS nanoseconds, or less when a signal comes. */
void clock__sleep(uint64_t ns);

/* CLOCK_MONOTONIC as events bear it, once a clock was made: the host's, which in a time namespace
 * isn't clock__mono_ns(). All that a row or an offset says is in this one. */
uint64_t clock__event_ns(void);

/* The same of a moment that clock__mono_ns() has told. */
uint64_t clock__to_event(uint64_t mono_ns);

/* Reads F, /proc/PID/timens_offsets (time_namespaces(7)), or NULL. False, and nothing written, when
 * it says nothing of CLOCK_MONOTONIC. */
bool clock__parse_namespace(FILE *f, int64_t *ret_ns);

/* The one of N offsets, ascending and at least one, that holds at MONO_NS of CLOCK_MONOTONIC. The
 * first one holds for what lies before it, too. */
const struct clock_offset *clock__offset_at(const struct clock_offset *offsets, size_t n,
					    uint64_t mono_ns);

/* Local time - UTC, in seconds, at SECOND since 1970. */
int32_t clock__utc_offset(int64_t second);

/* The same of '+HH:MM'. */
bool clock__parse_utc_offset(const char *s, int32_t *ret_s);

/* Wall time REAL_NS (ns since 1970) in local time with its zone, to the millisecond. */
void clock__iso8601(uint64_t real_ns, char buf[CLOCK_ISO8601_SIZE]);

#endif
