/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Converts CLOCK_MONOTONIC, the time of events, to wall time, the first column of rows. The clock
 * keeps a list of offsets to add to mono_ns, each with the time from which it applies. The list
 * grows when the wall clock is set, when the machine resumes from suspend, and when the UTC offset
 * changes. The manifest contains the list, so that readers can compute the same times. */
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
	uint64_t from_mono_ns; /* in force from here until the next entry */
	int64_t offset_ns;     /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	int32_t utc_offset_s;  /* local time - UTC */
};

struct clock;

/* Makes a clock and measures its first offset; 0, or -ENOMEM. The time zone is the current one;
 * later changes of TZ or /etc/localtime have no effect. */
int clock__new(struct clock **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct clock *clock__free(struct clock *c);

/* The next functions must be called by one thread only, the one that formats rows. */

/* Measures again if the last measurement is a millisecond old. Returns true if the list has grown.
 * NOW: the current CLOCK_MONOTONIC time in ns, as the caller has read it. After CLOCK_OFFSETS_MAX
 * entries the last offset remains in force: rows still agree with the list, but wall times may be
 * wrong. */
bool clock__poll(struct clock *c, uint64_t now);

/* Returns a descriptor that becomes readable when the wall clock is set, so that the caller can
 * call clock__poll() at once. Or a negative errno: a step is then noticed at the next poll. */
int clock__watch(void);
/* Rearms FD, a descriptor of clock__watch() that has become readable. */
void clock__noticed(int fd);
/* Makes FD, which may be negative, readable at once and for the last time, to end a wait for it.
 * From any thread. */
void clock__wake(int fd);

/* Used by clock__poll(): takes the measurement that the offset was OFFSET_NS at MONO_NS, which is
 * later than mono_ns of all rows so far. */
bool clock__observe(struct clock *c, uint64_t mono_ns, int64_t offset_ns);

/* For records of earlier or of another machine: appends an offset to the list. The first call
 * replaces this machine's offsets and ends measuring. */
void clock__retell(struct clock *c, uint64_t mono_ns, int64_t offset_ns);

/* Writes CLOCK_WALL_LEN bytes, no NUL: MONO_NS as local wall time, by the offset in force then. */
void clock__wall(struct clock *c, uint64_t mono_ns, char out[CLOCK_WALL_LEN]);

/* Like clock__wall(), from any thread, but slower. Also returns the UTC offset used. The newest
 * offset is used for times later than the last measurement. */
void clock__wall_shared(struct clock *c, uint64_t mono_ns, char out[CLOCK_WALL_LEN],
			int32_t *ret_utc_offset_s);

/* Writes wall time (ns since 1970, between the years 1 and 9999) in the zone UTC_OFFSET_S:
 * CLOCK_WALL_LEN bytes, no NUL. Returns false and writes nothing if it is out of that range. */
bool clock__civil(int64_t second, uint32_t ns, int32_t utc_offset_s, char out[CLOCK_WALL_LEN]);

/* From any thread: copies the list to RET, which has CLOCK_OFFSETS_MAX entries; returns its length,
 * at least 1. */
size_t clock__offsets(struct clock *c, struct clock_offset *ret);

/* CLOCK_MONOTONIC and CLOCK_REALTIME, in ns. */
uint64_t clock__mono_ns(void);
uint64_t clock__real_ns(void);

/* Sleeps for NS nanoseconds, or less if a signal arrives. */
void clock__sleep(uint64_t ns);

/* CLOCK_MONOTONIC as in events, in ns, once a clock has been made: the host's, which differs from
 * clock__mono_ns() in a time namespace. All times in rows and offsets use this clock. */
uint64_t clock__event_ns(void);

/* Converts a time of clock__mono_ns() to the clock of events. */
uint64_t clock__to_event(uint64_t mono_ns);

/* Parses F, /proc/PID/timens_offsets (time_namespaces(7)); F may be NULL. Returns false and writes
 * nothing if F has no offset of CLOCK_MONOTONIC. */
bool clock__parse_namespace(FILE *f, int64_t *ret_ns);

/* Returns the offset in force at MONO_NS, of N offsets in ascending order (at least one). The first
 * one also applies to earlier times. */
const struct clock_offset *clock__offset_at(const struct clock_offset *offsets, size_t n,
					    uint64_t mono_ns);

/* Local time - UTC, in seconds, at SECOND since 1970. */
int32_t clock__utc_offset(int64_t second);

/* Parses a UTC offset '+HH:MM'; false if S is not one. */
bool clock__parse_utc_offset(const char *s, int32_t *ret_s);

/* Wall time REAL_NS (ns since 1970) in local time with its zone, to the millisecond. */
void clock__iso8601(uint64_t real_ns, char buf[CLOCK_ISO8601_SIZE]);

#endif
