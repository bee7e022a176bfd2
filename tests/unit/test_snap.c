// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of snapshots: sorting, spooling, the order of paths, the choice of mounts, CPU time
 * over windows. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/macros.h"
#include "platform/mountinfo.h"
#include "snappers/entry.h"
#include "snappers/mount_list.h"
#include "snappers/process.h"
#include "snappers/run.h"
#include "snappers/snap_sorter.h"
#include "snappers/spool.h"

#define SECOND UINT64_C(1000000000)

static char dir[64];
static int dir_fd;
static uint32_t seed;

static uint32_t some(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void setup(void)
{
	strcpy(dir, "/tmp/iotrc-snap-XXXXXX");
	cr_assert(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(dir_fd, 0);
	seed = 1;
}

static void teardown(void)
{
	char cmd[128];

	close(dir_fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(snap, .init = setup, .fini = teardown);

/* ---- sorter, run, spool ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int by_pointed(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool never(void *arg)
{
	return false;
}

static bool always(void *arg)
{
	return true;
}

static void sorts(size_t n, size_t memory)
{
	char **list = calloc(n, sizeof(*list)), text[64];
	struct snap_sorter *s;
	const void *record;
	uint32_t len;

	cr_assert_eq(snap_sorter__new(&s, by_text, dir_fd, never, NULL, memory), 0);
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%0*u", (int)some(30), some(1000000));
		list[i] = strdup(text);
		cr_assert_eq(snap_sorter__add(s, text, strlen(text) + 1), 0);
	}
	qsort(list, n, sizeof(*list), by_pointed);
	for (size_t i = 0; i < n; i++) {
		cr_assert_eq(snap_sorter__next(s, &record, &len), 1);
		cr_assert_eq(len, strlen(list[i]) + 1);
		cr_assert_str_eq(record, list[i]);
		free(list[i]);
	}
	cr_assert_eq(snap_sorter__next(s, &record, &len), 0);
	snap_sorter__free(s);
	free(list);
}

Test(snap, sorter_in_memory)
{
	sorts(0, 0);
	sorts(1, 0);
	sorts(10007, 0);
}

/* 4 KiB hold some 64 records: hundreds of runs, merged in two passes. */
Test(snap, sorter_on_disk)
{
	sorts(100, 4096);
	sorts(20011, 4096);
}

Test(snap, sorter_stops)
{
	struct snap_sorter *s;
	const void *record;
	uint32_t len;

	cr_assert_eq(snap_sorter__new(&s, by_text, dir_fd, always, NULL, 0), 0);
	cr_assert_eq(snap_sorter__add(s, "x", 2), 0);
	cr_assert_eq(snap_sorter__next(s, &record, &len), -EINTR);
	snap_sorter__free(s);
}

Test(snap, run_notices_what_is_missing)
{
	int fd = openat(dir_fd, "run", O_RDWR | O_CREAT, 0600);
	struct run_writer *w;
	struct run_reader *r;
	const void *record;
	struct stat st;
	uint32_t len;
	char big[100000], byte;
	int got, n;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = some(256);
	cr_assert_eq(run_writer__new(&w, fd), 0);
	for (n = 0; n < 20; n++)
		cr_assert_eq(run_writer__add(w, big, n * 5000), 0);
	cr_assert_eq(run_writer__end(w), 0);
	run_writer__free(w);

	cr_assert_eq(run_reader__new(&r, fd), 0);
	for (n = 0; (got = run_reader__next(r, &record, &len)) > 0; n++) {
		cr_assert_eq(len, (uint32_t)n * 5000);
		cr_assert_eq(memcmp(record, big, len), 0);
	}
	cr_assert_eq(got, 0);
	cr_assert_eq(n, 20);
	run_reader__free(r);

	/* Truncated anywhere, or with a byte changed: the end is not reached. */
	cr_assert_eq(fstat(fd, &st), 0);
	for (off_t cut = st.st_size - 1; cut >= 0; cut -= 1 + cut / 7) {
		cr_assert_eq(ftruncate(fd, cut), 0);
		cr_assert_eq(run_reader__new(&r, fd), 0);
		while ((got = run_reader__next(r, &record, &len)) > 0)
			;
		cr_assert_eq(got, -EBADMSG, "cut at %ld", (long)cut);
		run_reader__free(r);
	}
	byte = 0;
	cr_assert_eq(pwrite(fd, &byte, 1, 0), 1);
	close(fd);
}

Test(snap, spool_is_a_queue)
{
	struct spool *s;
	const void *record;
	uint32_t len;
	unsigned int in = 0, out = 0;
	char text[300];

	cr_assert_eq(spool__new(&s, dir_fd), 0);
	for (int round = 0; round < 50; round++) {
		for (uint32_t n = some(20000); n; n--, in++) {
			memset(text, 'x', sizeof(text));
			memcpy(text, &in, sizeof(in));
			cr_assert_eq(spool__put(s, text, 4 + in % 200), 0);
		}
		for (uint32_t n = some(22000); n; n--, out++) {
			int got = spool__take(s, &record, &len);

			if (out == in) {
				cr_assert_eq(got, 0);
				break;
			}
			cr_assert_eq(got, 1);
			cr_assert_eq(len, 4 + out % 200);
			cr_assert_eq(memcmp(record, &out, 4), 0);
		}
	}
	spool__free(s);
}

/* ---- the order of paths ---- */

/* The model: lists of components, compared one by one. */
static int model_order(const char *a, const char *b)
{
	while (*a == *b && *a) {
		a++;
		b++;
	}
	if (!*a || !*b)
		return (*a != 0) - (*b != 0);
	return (*a == '/' ? 0 : (unsigned char)*a) - (*b == '/' ? 0 : (unsigned char)*b);
}

Test(snap, order_keeps_trees_together)
{
	static const char *const ordered[] = {
		"/",      "/a",  "/a/b",   "/a/b/c", "/a/b\x01", "/a/b-c",
		"/a/b.d", "/a-", "/a.b/c", "/ab",    "/\xff",
	};
	size_t n = ARRAY_SIZE(ordered);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			int order = entry__order_paths(ordered[i], strlen(ordered[i]), ordered[k],
						       strlen(ordered[k]));

			cr_expect_eq((order > 0) - (order < 0), (i > k) - (i < k), "%s %s",
				     ordered[i], ordered[k]);
			cr_expect_eq(order < 0, model_order(ordered[i], ordered[k]) < 0);
		}
	cr_expect(entry__below("/a", 2, "/a", 2));
	cr_expect(entry__below("/a", 2, "/a/b", 4));
	cr_expect(!entry__below("/a", 2, "/ab", 3));
	cr_expect(entry__below("/", 1, "/ab", 3));
}

/* ---- mounts ---- */

/* Found by fuzzing: a backslash near the end of a field was read beyond it. */
Test(mountinfo, escapes)
{
	static const struct {
		const char *field, *is;
	} rows[] = {
		{ "/a\\040b", "/a b" },
		{ "\\134\\012", "\\\n" },
		{ "/a\\1", "/a\\1" },
		{ "/\\", "/\\" },
		{ "\\08", "\\08" },
		{ "\\777", "\377" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *field = strdup(rows[i].field);

		mountinfo__unescape(field);
		cr_expect_str_eq(field, rows[i].is, "%s", rows[i].field);
		free(field);
	}
}

/* mount("", "/x", "tmpfs", ...) has an empty source: two blanks follow each other. */
Test(mountinfo, fields)
{
	char text[] = "no line\n"
		      "22 1 0:20 / /x\\040y rw,a\\054b shared:1 master:2 - tmpfs  rw,size=1k\n"
		      "23 1 8:1 /sub /z rw - ext4 /dev/sda1 rw";
	FILE *f = fmemopen(text, strlen(text), "r");
	struct mountinfo m = { 0 };

	cr_assert(mountinfo__next(&m, f));
	cr_expect(m.id == 22 && m.parent == 1 && m.major == 0 && m.minor == 20);
	cr_expect_str_eq(m.root, "/");
	cr_expect_str_eq(m.path, "/x y");
	cr_expect_str_eq(m.options, "rw,a\\054b");
	cr_expect_str_eq(m.type, "tmpfs");
	cr_expect_str_eq(m.source, "");
	cr_expect_str_eq(m.own_options, "rw,size=1k");
	cr_assert(mountinfo__next(&m, f));
	cr_expect(m.id == 23 && m.major == 8 && m.minor == 1);
	cr_expect_str_eq(m.root, "/sub");
	cr_expect_str_eq(m.source, "/dev/sda1");
	cr_expect_str_eq(m.own_options, "rw");
	cr_expect(!mountinfo__next(&m, f));
	mountinfo__clear(&m);
	fclose(f);
}

static void choose(const char *text, bool network, struct mount_list *m)
{
	FILE *f = fmemopen((char *)text, strlen(text), "r");

	cr_assert_eq(mount_list__read(m, f, NULL, NULL), 0);
	fclose(f);
	mount_list__choose(m, network);
}

static void expect_chosen(const char *text, bool network, const char *paths)
{
	char list[512] = "";
	struct mount_list m;

	choose(text, network, &m);
	for (size_t i = 0; i < m.n; i++)
		if (m.list[i].chosen)
			strcat(strcat(list, m.list[i].path), " ");
	cr_expect_str_eq(list, paths);
	mount_list__clear(&m);
}

static void note_path(void *arg, const struct mount_info *m)
{
	strcat(strcat(arg, m->path), mount_list__is_wanted(m, false) ? " " : "! ");
}

Test(snap, mounts_beyond_the_list)
{
	char beyond[256] = "", *text;
	struct mount_list m;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (int i = 0; i < MOUNT_LIST_MAX; i++)
		fprintf(f, "%d 1 0:%d / /m%d rw - tmpfs tmpfs rw\n", 100 + i, i, i);
	fputs("9 1 8:2 / /disk rw - ext4 /dev/sda rw\n", f);
	fputs("10 1 0:9 / /far rw - nfs4 host:/x rw\n", f);
	fclose(f);
	f = fmemopen(text, len, "r");
	cr_assert_eq(mount_list__read(&m, f, note_path, beyond), 0);
	fclose(f);
	cr_expect_eq(m.n, MOUNT_LIST_MAX);
	cr_expect_str_eq(m.list[m.n - 1].path, "/m8191");
	cr_expect_str_eq(beyond, "/disk /far! ");
	mount_list__clear(&m);
	free(text);
}

#define ROOT "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"

Test(snap, mounts_to_walk)
{
	struct mount_list m;

	expect_chosen(ROOT "21 20 0:5 / /proc rw - proc proc rw\n"
			   "22 20 8:2 / /home rw - xfs /dev/sda2 rw\n"
			   "23 20 0:40 / /tmp rw - tmpfs tmpfs rw\n"
			   "24 20 0:41 / /net rw - nfs4 host:/x rw\n"
			   "25 20 0:42 / /far rw - fuse.sshfs a@b: rw\n"
			   "26 20 0:43 / /cgroup rw - cgroup2 cgroup2 rw\n",
		      false, "/ /home /tmp ");
	expect_chosen(ROOT "24 20 0:41 / /net rw - nfs4 host:/x rw\n"
			   "25 20 0:42 / /far rw - fuse.sshfs a@b: rw\n",
		      true, "/ /net /far ");
	/* Bind mounts: of a part of the filesystem, of the whole, of parts of parts. */
	expect_chosen(ROOT "21 20 8:1 /var /mnt rw - ext4 /dev/sda1 rw\n"
			   "22 20 8:1 / /again rw - ext4 /dev/sda1 rw\n",
		      false, "/ ");
	expect_chosen("20 1 0:30 / / rw - overlay overlay rw\n"
		      "21 20 8:3 /a/b /x rw - ext4 /dev/sdb rw\n"
		      "22 20 8:3 /a /y rw - ext4 /dev/sdb rw\n"
		      "23 20 8:3 /ab /z rw - ext4 /dev/sdb rw\n",
		      false, "/ /y /z ");
	/* Overlays of containers show the files of their layers. */
	expect_chosen(ROOT "21 20 0:50 / /var/lib/docker/x/merged rw - overlay overlay rw\n", false,
		      "/ ");
	/* Mounted over. */
	expect_chosen(ROOT "21 20 8:2 / /data rw - ext4 /dev/sdb rw\n"
			   "22 21 8:3 / /data rw - ext4 /dev/sdc rw\n"
			   "23 20 8:2 /old /old rw - ext4 /dev/sdb rw\n",
		      false, "/ /data /old ");

	choose("20 1 8:1 / /a\\040b\\134 rw,noatime - ext4 /dev/x rw,noatime,data=ordered\n", false,
	       &m);
	cr_expect_str_eq(m.list[0].path, "/a b\\");
	cr_expect_str_eq(m.list[0].options, "rw,noatime,data=ordered");
	mount_list__clear(&m);
}

/* ---- processes ---- */

static void put_process(unsigned int pid, const char *name, char state, unsigned long utime,
			unsigned long start)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%u", dir, pid);
	mkdir(path, 0755);
	strcat(path, "/stat");
	f = fopen(path, "w");
	cr_assert(f);
	fprintf(f,
		"%u (%s) %c 1 1 1 0 -1 4194560 1 2 3 4 %lu 0 0 0 20 0 1 0 %lu 10485760 256 1 0 0 0 0\n",
		pid, name, state, utime, start);
	fclose(f);
	*strrchr(path, '/') = 0;
	strcat(path, "/cmdline");
	f = fopen(path, "w");
	fwrite("a\0b c\0", 1, 6, f);
	fclose(f);
}

static void remove_process(unsigned int pid)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -r %s/%u", dir, pid);
	cr_assert_eq(system(cmd), 0);
}

static char rows_text[65536];

/* The rows of a snapshot, without wall times. */
static const char *snapshot(struct processes *p, uint64_t now)
{
	static struct snap_rows_counts counts;
	struct snap_rows_config config = { .stream = STREAM_PROCESS,
					   .stamp = "s",
					   .session_fd = dir_fd,
					   .uid = -1,
					   .gid = -1,
					   .counts = &counts };
	static unsigned int n;
	struct clock *clock;
	struct snap_rows *rows;
	char cmd[256];
	size_t len;
	FILE *f;

	cr_assert_eq(clock__new(&clock), 0);
	cr_assert_eq(snap_rows__new(&rows, &config, ++n), 0);
	cr_assert_eq(processes__pass(p, now, rows, clock, NULL), 0);
	cr_assert_eq(snap_rows__end(rows, NULL), 0);
	snap_rows__free(rows);
	clock__free(clock);
	snprintf(cmd, sizeof(cmd),
		 "zstd -dc %s/process/process_s_%04u.csv.zst | tail -n +2 | "
		 "cut -d, -f2-6,8-11 | sort -n",
		 dir, n);
	f = popen(cmd, "r");
	len = fread(rows_text, 1, sizeof(rows_text) - 1, f);
	rows_text[len] = 0;
	cr_assert_eq(pclose(f), 0);
	return rows_text;
}

static uint64_t boot_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * sysconf(_SC_CLK_TCK);
}

Test(snap, cpu_over_windows)
{
	uint64_t tick = sysconf(_SC_CLK_TCK), now = clock__mono_ns(), start = boot_ticks();
	struct processes *p;

	cr_assert_eq(processes__new(&p, dir), 0);
	put_process(10, "old", 'S', 100 * tick, 1);
	cr_expect_str_eq(snapshot(p, now), "10,old,a b c,10240,1024,,,,sleeping\n");
	/* 60 s later: 6 s of CPU for the first, all 3 s of its life for the other. */
	put_process(10, "o) d", 'R', 106 * tick, 1);
	put_process(20, "new", 'Z', 3 * tick, start + 50 * tick);
	cr_expect_str_eq(snapshot(p, now + 60 * SECOND),
			 "10,o) d,a b c,10240,1024,10.00,10.00,10.00,running\n"
			 "20,new,a b c,10240,1024,5.00,5.00,5.00,zombie\n");
	/* 5 s later, all of them used; then another process with the same pid. */
	put_process(10, "old", 'D', 111 * tick, 1);
	cr_expect_str_eq(snapshot(p, now + 65 * SECOND),
			 "10,old,a b c,10240,1024,100.00,16.92,16.92,disk-sleep\n"
			 "20,new,a b c,10240,1024,0.00,4.61,4.61,zombie\n");
	put_process(20, "reused", 'I', 1 * tick, start + 69 * tick);
	remove_process(10);
	cr_expect_str_eq(snapshot(p, now + 70 * SECOND),
			 "20,reused,a b c,10240,1024,20.00,1.42,1.42,idle\n");
	cr_expect_eq(processes__count(p), 1);
	processes__free(p);
}

/* An hour with passes every 5 s and every 60 s: the windows keep their lengths. */
Test(snap, windows_of_many_passes)
{
	uint64_t tick = sysconf(_SC_CLK_TCK), now = clock__mono_ns();
	unsigned int five, two, hour;
	struct processes *p;

	cr_assert_eq(processes__new(&p, dir), 0);
	/* Idle for an hour, then 10 % for an hour, then busy for a minute. */
	for (int t = 0; t <= 7260; t += 5) {
		unsigned long used = t <= 3600 ? 0 : t <= 7200 ? (t - 3600) / 10 : 360 + t - 7200;

		put_process(10, "x", 'S', used * tick, 1);
		if (t < 7260)
			cr_assert_eq(processes__pass(p, now + t * SECOND, NULL, NULL, NULL), 0);
	}
	cr_assert_eq(sscanf(snapshot(p, now + 7260 * SECOND),
			    "10,x,a b c,10240,1024,%u.%*u,%u.%*u,%u", &five, &two, &hour),
		     3, "%s", rows_text);
	cr_expect_eq(five, 100, "%u", five);
	cr_expect(two >= 50 && two <= 60, "%u", two);    /* 55 */
	cr_expect(hour >= 10 && hour <= 12, "%u", hour); /* 11.5 */
	processes__free(p);
}

Test(snap, passes_where_windows_begin)
{
	uint64_t minute = 60 * SECOND, at = 0;
	bool is_snapshot;
	unsigned int n = 0, snapshots = 0;

	/* Every 5 minutes: 2 minutes before, 5 seconds before, and then. */
	at = processes__next(0, 5 * minute, 0, &is_snapshot);
	cr_expect(at == 3 * minute && !is_snapshot);
	at = processes__next(0, 5 * minute, at, &is_snapshot);
	cr_expect(at == 5 * minute - 5 * SECOND && !is_snapshot);
	at = processes__next(0, 5 * minute, at, &is_snapshot);
	cr_expect(at == 5 * minute && is_snapshot);
	/* Any interval: a pass at the beginning of each window. */
	for (at = 0; at < 240 * minute; n++) {
		at = processes__next(0, 45 * minute, at, &is_snapshot);
		snapshots += is_snapshot;
	}
	cr_expect_eq(snapshots, 5);
	cr_expect_leq(n, 24);
	at = processes__next(1000, SECOND, 999, &is_snapshot);
	cr_expect(at > 999 && at <= 1000 + SECOND);
}
