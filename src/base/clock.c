// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/csv.h"
#include "platform/clock_step.h"
#include "platform/macros.h"

#define POLL_NS (1000 * 1000)
#define STEP_NS (500 * 1000)
/* UTC offsets change on a quarter of an hour, in UTC as well as in local time. */
#define QUARTER_S 900
/* Number of seconds whose text is cached: rows of different CPUs arrive slightly out of order. */
#define SECONDS 2
/* 0001-01-01 00:00:00 and 9999-12-31 23:59:59, in seconds since 1970. */
#define CIVIL_FIRST_S INT64_C(-62135596800)
#define CIVIL_LAST_S INT64_C(253402300799)

struct clock {
	pthread_mutex_t lock; /* held to change the list, and by other threads to read it */
	size_t n;
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];
	uint64_t polled_ns;
	bool retold;

	struct {
		uint64_t from_ns; /* since 1970; the text is that of the second from there on */
		char text[20];    /* up to the dot; empty at first */
	} cache[SECONDS];
	unsigned int oldest;
	int64_t quarter; /* the seconds are those of the zone with this offset */
	int32_t utc_offset_s;
};

static uint64_t read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* The offset of CLOCK_MONOTONIC in this process's time namespace. Events carry the host's time, as
 * bpf_ktime_get_ns() ignores namespaces. Set once, with the first clock. */
static int64_t namespace_ns;

uint64_t clock__mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

void clock__sleep(uint64_t ns)
{
	struct timespec t = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	nanosleep(&t, NULL);
}

uint64_t clock__to_event(uint64_t mono_ns)
{
	return mono_ns - namespace_ns;
}

uint64_t clock__event_ns(void)
{
	return clock__to_event(clock__mono_ns());
}

bool clock__parse_namespace(FILE *f, int64_t *ret_ns)
{
	long long s, ns;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "monotonic %lld %lld", &s, &ns) == 2) {
			*ret_ns = s * (int64_t)NSEC_PER_SEC + ns;
			return true;
		}
	return false;
}

/* The file describes the namespace that children get. That is the namespace of the process itself,
 * except between unshare() and fork(). */
static void look_up_namespace(void)
{
	char own[64] = "", children[64] = "";
	FILE *f;

	if (readlink("/proc/self/ns/time", own, sizeof(own) - 1) < 0 ||
	    readlink("/proc/self/ns/time_for_children", children, sizeof(children) - 1) < 0 ||
	    strcmp(own, children))
		return;
	f = fopen("/proc/self/timens_offsets", "re");
	clock__parse_namespace(f, &namespace_ns);
	if (f)
		fclose(f);
}

uint64_t clock__real_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

/* Reads both clocks several times and keeps the reading that took the least time. */
static int64_t measure(uint64_t *ret_mono_ns)
{
	uint64_t best = UINT64_MAX, mono = 0;
	int64_t offset = 0;

	for (int i = 0; i < 5; i++) {
		uint64_t before = clock__event_ns(), real = clock__real_ns();
		uint64_t after = clock__event_ns();

		if (after - before < best) {
			best = after - before;
			mono = after;
			offset = real - (before + best / 2);
		}
	}
	*ret_mono_ns = mono;
	return offset;
}

int32_t clock__utc_offset(int64_t second)
{
	time_t t = second;
	struct tm tm;

	return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

bool clock__parse_utc_offset(const char *s, int32_t *ret_s)
{
	unsigned int hours, minutes;

	if (strlen(s) != 6 || strspn(s, "+-") != 1 || strspn(s + 1, "0123456789") != 2 ||
	    strspn(s + 4, "0123456789") != 2 || sscanf(s + 1, "%u:%u", &hours, &minutes) != 2)
		return false;
	*ret_s = (hours * 60 + minutes) * (*s == '-' ? -60 : 60);
	return true;
}

static int32_t quarter_utc_offset(struct clock *c, int64_t second)
{
	int64_t quarter = second / QUARTER_S;

	if (quarter != c->quarter) {
		c->utc_offset_s = clock__utc_offset(quarter * QUARTER_S);
		c->quarter = quarter;
	}
	return c->utc_offset_s;
}

static int64_t real_second(uint64_t mono_ns, int64_t offset_ns)
{
	return (mono_ns + offset_ns) / NSEC_PER_SEC;
}

static bool append_offset(struct clock *c, uint64_t from, int64_t offset, int32_t utc_offset)
{
	if (c->n == CLOCK_OFFSETS_MAX)
		return false;
	pthread_mutex_lock(&c->lock);
	c->offsets[c->n++] = (struct clock_offset){ from, offset, utc_offset };
	pthread_mutex_unlock(&c->lock);
	return true;
}

/* Lists the changes of the UTC offset until MONO_NS, each from its exact second on, since rows of
 * that time have been written already. */
static bool follow_zone(struct clock *c, uint64_t mono_ns)
{
	const struct clock_offset *last = &c->offsets[c->n - 1];
	int64_t quarter = real_second(last->from_mono_ns, last->offset_ns) / QUARTER_S + 1;
	int64_t end = real_second(mono_ns, last->offset_ns) / QUARTER_S;
	bool grown = false;

	if (quarter_utc_offset(c, end * QUARTER_S) == last->utc_offset_s)
		return false;
	for (; quarter <= end; quarter++) {
		int32_t utc_offset = clock__utc_offset(quarter * QUARTER_S);

		last = &c->offsets[c->n - 1];
		if (utc_offset != last->utc_offset_s)
			grown |= append_offset(c,
					       quarter * QUARTER_S * NSEC_PER_SEC - last->offset_ns,
					       last->offset_ns, utc_offset);
	}
	return grown;
}

bool clock__observe(struct clock *c, uint64_t mono_ns, int64_t offset_ns)
{
	bool grown = c->n && follow_zone(c, mono_ns);

	/* Linux slews both clocks together (one timekeeper), so a difference larger than noise
	 * means that the wall clock was set. The comparison is with the list and not with the last
	 * measurement, so that small differences add up to an entry rather than to an error. */
	if (c->n && llabs(offset_ns - c->offsets[c->n - 1].offset_ns) <= STEP_NS)
		return grown;
	return append_offset(c, mono_ns, offset_ns,
			     clock__utc_offset(real_second(mono_ns, offset_ns))) ||
	       grown;
}

bool clock__poll(struct clock *c, uint64_t now)
{
	int64_t offset;
	uint64_t mono;

	if (c->retold || now - c->polled_ns < POLL_NS)
		return false;
	c->polled_ns = now;
	offset = measure(&mono);
	return clock__observe(c, mono, offset);
}

void clock__retell(struct clock *c, uint64_t mono_ns, int64_t offset_ns)
{
	struct clock_offset o = { mono_ns, offset_ns,
				  clock__utc_offset(real_second(mono_ns, offset_ns)) };

	pthread_mutex_lock(&c->lock);
	if (!c->retold)
		c->n = 0;
	if (c->n < CLOCK_OFFSETS_MAX)
		c->offsets[c->n++] = o;
	c->retold = true;
	pthread_mutex_unlock(&c->lock);
}

int clock__watch(void)
{
	return clock_step__watch();
}

void clock__noticed(int fd)
{
	clock_step__noticed(fd);
}

void clock__wake(int fd)
{
	clock_step__wake(fd);
}

int clock__new(struct clock **ret)
{
	struct clock *c = calloc(1, sizeof(*c));
	int64_t offset;

	if (!c)
		return -ENOMEM;
	tzset();
	look_up_namespace();
	pthread_mutex_init(&c->lock, NULL);
	c->quarter = INT64_MIN;
	offset = measure(&c->polled_ns);
	clock__observe(c, c->polled_ns, offset);
	*ret = c;
	return 0;
}

struct clock *clock__free(struct clock *c)
{
	if (c)
		pthread_mutex_destroy(&c->lock);
	free(c);
	return NULL;
}

size_t clock__offsets(struct clock *c, struct clock_offset *ret)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = c->n;
	memcpy(ret, c->offsets, n * sizeof(*ret));
	pthread_mutex_unlock(&c->lock);
	return n;
}

/* Writes the 19 bytes of 'YYYY-MM-DD HH:MM:SS' for SECONDS since 1970 in local time. Years start on
 * 1 March, so that the leap day is the last day of a year; (153 * month + 2) / 5 days precede a
 * month then, counted from March. There are 719468 days between 0000-03-01 and 1970. */
static void put_civil(int64_t seconds, char out[19])
{
	int64_t days = seconds / 86400 - (seconds % 86400 < 0);
	uint32_t of_day = seconds - days * 86400;
	uint64_t z = days + 719468;
	uint32_t era = z / 146097, of_era = z % 146097;
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint32_t month = (5 * of_year + 2) / 153;
	uint32_t day = of_year - (153 * month + 2) / 5 + 1;
	uint32_t values[] = { year + 400 * era + (month >= 10),
			      month < 10 ? month + 3 : month - 9,
			      day,
			      of_day / 3600,
			      of_day / 60 % 60,
			      of_day % 60 };

	out = csv__padded(out, values[0], 4);
	for (int i = 1; i < 6; i++) {
		*out++ = "-- ::"[i - 1];
		out = csv__padded(out, values[i], 2);
	}
}

static void put_second(struct clock *c, int64_t second, unsigned int k)
{
	c->cache[k].from_ns = second * NSEC_PER_SEC;
	put_civil(second + quarter_utc_offset(c, second), c->cache[k].text);
	c->cache[k].text[19] = '.';
}

void clock__wall(struct clock *c, uint64_t mono_ns, char out[CLOCK_WALL_LEN])
{
	size_t i = c->n - 1;
	unsigned int k = 0;
	uint64_t real;

	while (i && mono_ns < c->offsets[i].from_mono_ns)
		i--;
	real = mono_ns + c->offsets[i].offset_ns;
	while (k < SECONDS && (real - c->cache[k].from_ns >= NSEC_PER_SEC || !*c->cache[k].text))
		k++;
	if (k == SECONDS) {
		k = c->oldest;
		c->oldest = (k + 1) % SECONDS;
		put_second(c, real / NSEC_PER_SEC, k);
	}
	/* Two zeroes, then the microseconds. */
	csv__eight(out + 18, (uint32_t)(real - c->cache[k].from_ns) / 1000);
	memcpy(out, c->cache[k].text, sizeof(c->cache[k].text));
}

bool clock__civil(int64_t second, uint32_t ns, int32_t utc_offset_s, char out[CLOCK_WALL_LEN])
{
	second += utc_offset_s;
	if (second < CIVIL_FIRST_S || second > CIVIL_LAST_S)
		return false;
	put_civil(second, out);
	out[19] = '.';
	csv__padded(out + 20, ns / 1000, 6);
	return true;
}

void clock__wall_shared(struct clock *c, uint64_t mono_ns, char out[CLOCK_WALL_LEN],
			int32_t *ret_utc_offset_s)
{
	uint64_t real;
	size_t i;

	pthread_mutex_lock(&c->lock);
	for (i = c->n - 1; i && mono_ns < c->offsets[i].from_mono_ns; i--)
		;
	real = mono_ns + c->offsets[i].offset_ns;
	pthread_mutex_unlock(&c->lock);
	*ret_utc_offset_s = clock__utc_offset(real / NSEC_PER_SEC);
	clock__civil(real / NSEC_PER_SEC, real % NSEC_PER_SEC, *ret_utc_offset_s, out);
}

void clock__iso8601(uint64_t real_ns, char buf[CLOCK_ISO8601_SIZE])
{
	int64_t second = real_ns / NSEC_PER_SEC;
	int32_t utc_offset = clock__utc_offset(second);
	int32_t minutes = abs(utc_offset) / 60;
	char text[19];

	put_civil(second + utc_offset, text);
	text[10] = 'T';
	snprintf(buf, CLOCK_ISO8601_SIZE, "%.19s.%03u%c%02d:%02d", text,
		 (unsigned int)(real_ns % NSEC_PER_SEC / 1000000), utc_offset < 0 ? '-' : '+',
		 minutes / 60, minutes % 60);
}

const struct clock_offset *clock__offset_at(const struct clock_offset *offsets, size_t n,
					    uint64_t mono_ns)
{
	size_t first = 0, last = n - 1;

	while (first < last) {
		size_t middle = last - (last - first) / 2;

		if (mono_ns < offsets[middle].from_mono_ns)
			last = middle - 1;
		else
			first = middle;
	}
	return &offsets[first];
}
