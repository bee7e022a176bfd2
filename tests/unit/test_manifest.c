// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "dataset/manifest.h"
#include "platform/macros.h"
#include "root.h"
#include "schema/schema.h"

static char dir[64];
static int dir_fd;

static void setup(void)
{
	strcpy(dir, "/tmp/iotrc-manifest-XXXXXX");
	cr_assert(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(dir_fd, 0);
	setenv("TZ", "IST-5:30", 1);
	tzset();
}

static void teardown(void)
{
	char cmd[128];

	close(dir_fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(manifest, .init = setup, .fini = teardown, .timeout = 60);

static struct manifest *new_manifest(const char *command_line)
{
	struct manifest_info info = { .machine_id = "0123456789ABCDEF",
				      .session_id = "linux_v1/0123456789ABCDEF/20260131_120000_000",
				      .command_line = command_line,
				      .engine = "bpf",
				      .enabled = 1 << STREAM_FS | 1 << STREAM_NW_CONN,
				      .anonymized = true,
				      .uid = -1,
				      .gid = -1 };
	struct manifest *m;

	cr_assert_eq(manifest__new(&m, &info), 0);
	return m;
}

static json_t *load(void)
{
	char path[128];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof(path), "%s/manifest.json", dir);
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	cr_assert(root, "%s", error.text);
	return root;
}

/* The value at a path of keys separated by dots; fails if there is none. */
static json_t *at(json_t *o, const char *path)
{
	char copy[128], *save, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	for (key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
		o = json_is_array(o) ? json_array_get(o, atoi(key)) : json_object_get(o, key);
		cr_assert(o, "no %s", path);
	}
	return o;
}

static const char *str(json_t *o, const char *path)
{
	cr_assert(json_is_string(at(o, path)), "%s is no string", path);
	return json_string_value(at(o, path));
}

static long long num(json_t *o, const char *path)
{
	cr_assert(json_is_integer(at(o, path)), "%s is no integer", path);
	return json_integer_value(at(o, path));
}

/* Seconds since 1970, computed in another way than by the writer. */
static double parse_iso8601(const char *s)
{
	int y, mo, d, h, mi, ms, zh, zm;
	struct tm tm;
	char sign;
	int sec, n = 0;

	cr_assert_eq(sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d.%3d%c%2d:%2d%n", &y, &mo, &d, &h, &mi, &sec,
			    &ms, &sign, &zh, &zm, &n),
		     10, "%s", s);
	cr_assert_eq((size_t)n, strlen(s));
	tm = (struct tm){ .tm_year = y - 1900,
			  .tm_mon = mo - 1,
			  .tm_mday = d,
			  .tm_hour = h,
			  .tm_min = mi,
			  .tm_sec = sec };
	return timegm(&tm) - (sign == '-' ? -1 : 1) * (zh * 3600 + zm * 60) + ms / 1000.0;
}

Test(manifest, keys_of_the_contract)
{
	static const char *const session_strings[] = {
		"schema_version",      "tracer.version", "tracer.commit",     "tracer.engine",
		"tracer.command_line", "machine_id",     "host.platform",     "host.kernel",
		"csv.escape",          "csv.null",       "clock.wall_clock",  "clock.mono_clock",
		"clock.utc_offset",    "session.state",  "session.started_at"
	};
	struct clock_offset offsets[] = { { 100, 1700000000000000000, -12600 },
					  { 900, 1700000000000000007, -12600 } };
	struct manifest *m = new_manifest("iotrc -d 5s \"x\"");
	struct utsname uts;
	json_t *root;

	manifest__set_offsets(m, offsets, 1);
	manifest__set_offsets(m, offsets, 2);
	cr_assert_eq(manifest__write(m, dir_fd), 0);
	root = load();
	for (size_t i = 0; i < ARRAY_SIZE(session_strings); i++)
		cr_assert(*str(root, session_strings[i]), "%s", session_strings[i]);
	cr_assert_str_eq(str(root, "schema_version"), SCHEMA_VERSION);
	cr_assert_str_eq(str(root, "tracer.version"), IOTRC_VERSION);
	cr_assert_str_eq(str(root, "tracer.engine"), "bpf");
	cr_assert_str_eq(str(root, "tracer.command_line"), "iotrc -d 5s \"x\"");
	cr_assert_str_eq(str(root, "machine_id"), "0123456789ABCDEF");
	cr_assert_str_eq(str(root, "session_id"), "linux_v1/0123456789ABCDEF/20260131_120000_000");
	cr_assert(json_is_null(at(root, "boot_id")));
	uname(&uts);
	cr_assert_str_eq(str(root, "host.platform"), uts.sysname);
	cr_assert_str_eq(str(root, "host.kernel"), uts.release);

	cr_assert_str_eq(str(root, "clock.utc_offset"), "-03:30");
	cr_assert_eq(num(root, "clock.mono_to_real_offset_ns"), 1700000000000000000);
	cr_assert_eq(json_array_size(at(root, "clock.offsets")), 2);
	cr_assert_eq(num(root, "clock.offsets.1.from_mono_ns"), 900);
	cr_assert_eq(num(root, "clock.offsets.1.mono_to_real_offset_ns"), 1700000000000000007);

	cr_assert_str_eq(str(root, "session.state"), "running");
	cr_assert(json_is_null(at(root, "session.stopped_at")));
	cr_assert(json_is_real(at(root, "session.duration_seconds")));
	cr_assert(json_is_true(at(root, "session.anonymized")));
	cr_assert_eq(json_array_size(at(root, "files")), 0);
	cr_assert_eq(json_array_size(at(root, "diagnostics.hooks")), 0);
	json_decref(root);
	manifest__free(m);
}

Test(manifest, streams_are_the_schema)
{
	struct manifest *m = new_manifest("iotrc");
	json_t *root;

	cr_assert_eq(manifest__write(m, dir_fd), 0);
	root = load();
	cr_assert_eq(json_object_size(at(root, "streams")), STREAM_COUNT);
	cr_assert_eq(json_object_size(at(root, "diagnostics.streams")), STREAM_COUNT);
	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct stream_schema *schema = &schema_streams[i];
		json_t *s = json_object_get(at(root, "streams"), schema->key), *c;
		char header[SCHEMA_HEADER_MAX], names[SCHEMA_HEADER_MAX] = "";
		size_t k;

		cr_assert_str_eq(str(s, "subdir"), schema->subdir);
		cr_assert_str_eq(str(s, "filename_prefix"), schema->prefix);
		cr_assert(*str(s, "description"));
		cr_assert_str_eq(str(s, "wall_clock"), schema->wall_clock);
		cr_assert_eq(json_is_true(at(s, "enabled")), i == STREAM_FS || i == STREAM_NW_CONN);
		cr_assert(json_is_array(at(s, "hooks")));
		json_array_foreach(at(s, "columns"), k, c) {
			cr_assert(*str(c, "name") && *str(c, "type") && *str(c, "description"));
			cr_assert(json_is_string(at(c, "unit")));
			sprintf(names + strlen(names), "%s%s", k ? "," : "", str(c, "name"));
		}
		header[schema__header(i, header) - 1] = 0;
		cr_assert_str_eq(names, header);
	}
	/* "a b" of the table is a list here. */
	cr_assert_str_eq(str(root, "streams.nw_conn.columns.7.words.0"), "4");
	cr_assert_str_eq(str(root, "streams.nw_conn.columns.7.words.1"), "6");
	/* The sum of requested sizes means nothing, that of transferred bytes does; names have no
	 * sum. */
	cr_assert(json_is_null(at(root, "streams.fs.columns.6.sum")));
	cr_assert_str_eq(str(root, "streams.fs.columns.8.sum"), "bytes moved");
	cr_assert_null(json_object_get(at(root, "streams.fs.columns.5"), "sum"));
	json_decref(root);
	manifest__free(m);
}

Test(manifest, what_changes)
{
	struct manifest *m = new_manifest("iotrc");
	struct row_counts counts = { .seen = 21,
				     .written = 6,
				     .filtered = 5,
				     .lost[LOST_RING] = 4,
				     .lost[LOST_QUEUE] = 3,
				     .lost[LOST_DISK] = 3 };
	struct manifest_hook hooks[] = {
		{ "tp_btf/sys_exit", 1 << STREAM_FS | 1 << STREAM_NW_CONN, true, 1000, 2, NULL },
		{ "tp_btf/block_rq_issue", 1 << STREAM_BLOCK, false, 0, 0, "rows" },
	};
	struct file_facts facts = { .path = "fs/a.csv.zst",
				    .stream = STREAM_FS,
				    .rows = 6,
				    .raw_bytes = 600,
				    .compressed_bytes = 60,
				    .first_mono_ns = 7,
				    .last_mono_ns = INT64_MAX,
				    .sha256 = "abcd" };
	double now = time(NULL), started;
	json_t *root;

	cr_assert_eq(manifest__write(m, dir_fd), 0);
	manifest__set_counts(m, STREAM_FS, &counts);
	manifest__set_hooks(m, hooks, 2);
	manifest__set_hooks(m, hooks, 2);
	manifest__add_file(m, &facts);
	usleep(30000);
	manifest__set_state(m, "complete");
	cr_assert_eq(manifest__write(m, dir_fd), 0);

	root = load();
	cr_assert_str_eq(str(root, "session.state"), "complete");
	started = parse_iso8601(str(root, "session.started_at"));
	cr_assert_float_eq(started, now, 2);
	cr_assert(strstr(str(root, "session.started_at"), "+05:30"));
	cr_assert_float_eq(parse_iso8601(str(root, "session.stopped_at")) - started,
			   json_real_value(at(root, "session.duration_seconds")), 0.01);
	cr_assert_geq(json_real_value(at(root, "session.duration_seconds")), 0.03);

	cr_assert_str_eq(str(root, "files.0.path"), "fs/a.csv.zst");
	cr_assert_str_eq(str(root, "files.0.stream"), "fs");
	cr_assert_str_eq(str(root, "files.0.sha256"), "abcd");
	cr_assert_eq(num(root, "files.0.rows"), 6);
	cr_assert_eq(num(root, "files.0.raw_bytes"), 600);
	cr_assert_eq(num(root, "files.0.compressed_bytes"), 60);
	cr_assert_eq(num(root, "files.0.first_mono_ns"), 7);
	cr_assert_eq(num(root, "files.0.last_mono_ns"), INT64_MAX);

	cr_assert_eq(num(root, "diagnostics.streams.fs.seen"), 21);
	cr_assert_eq(num(root, "diagnostics.streams.fs.written"), 6);
	cr_assert_eq(num(root, "diagnostics.streams.fs.filtered"), 5);
	cr_assert_eq(num(root, "diagnostics.streams.fs.lost.ring"), 4);
	cr_assert_eq(num(root, "diagnostics.streams.fs.lost.queue"), 3);
	cr_assert_eq(num(root, "diagnostics.streams.fs.lost.disk"), 3);
	cr_assert_eq(num(root, "diagnostics.streams.block.seen"), 0);

	cr_assert_eq(json_array_size(at(root, "diagnostics.hooks")), 2);
	cr_assert_str_eq(str(root, "diagnostics.hooks.0.name"), "tp_btf/sys_exit");
	cr_assert(json_is_true(at(root, "diagnostics.hooks.0.attached")));
	cr_assert_eq(num(root, "diagnostics.hooks.0.fired"), 1000);
	cr_assert_eq(num(root, "diagnostics.hooks.0.missed"), 2);
	cr_assert(json_is_false(at(root, "diagnostics.hooks.1.attached")));
	cr_assert_eq(json_array_size(at(root, "streams.fs.hooks")), 1);
	cr_assert_str_eq(str(root, "streams.nw_conn.hooks.0"), "tp_btf/sys_exit");
	cr_assert_eq(json_array_size(at(root, "streams.block.hooks")), 0, "it isn't attached");
	json_decref(root);
	manifest__free(m);
}

Test(manifest, on_disk)
{
	struct manifest *m = new_manifest("iotrc \xff\x01\\");
	mode_t mask = umask(0);
	struct stat st, first;
	json_t *root;

	umask(mask);
	cr_assert_eq(manifest__write(m, dir_fd), 0);
	cr_assert_eq(fstatat(dir_fd, "manifest.json", &first, AT_SYMLINK_NOFOLLOW), 0);
	cr_assert_eq(first.st_mode, S_IFREG | (0640 & ~mask));
	root = load();
	cr_assert_str_eq(str(root, "tracer.command_line"), "iotrc \\xff\\x01\\\\");
	json_decref(root);
	/* A reader that has the previous manifest open can read all of it: the new one is another
	 * file. */
	cr_assert_eq(manifest__write(m, dir_fd), 0);
	cr_assert_eq(fstatat(dir_fd, "manifest.json", &st, 0), 0);
	cr_assert_neq(st.st_ino, first.st_ino);
	/* Files left by a crash do no harm, and nothing remains at the end. */
	cr_assert_eq(symlinkat("/dev/null", dir_fd, ".manifest.json.temp"), 0);
	cr_assert_eq(manifest__write(m, dir_fd), 0);
	json_decref(load());
	manifest__set_state(m, "complete");
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(manifest__write(m, dir_fd), 0);
		root = load();
		cr_assert_str_eq(str(root, "session.state"), "complete");
		json_decref(root);
	}
	cr_assert_eq(fstatat(dir_fd, ".manifest.json.temp", &st, AT_SYMLINK_NOFOLLOW), -1);
	cr_assert_eq(fstatat(dir_fd, ".manifest.json.last", &st, AT_SYMLINK_NOFOLLOW), -1);
	cr_assert_eq(fstatat(dir_fd, "manifest.json", &st, 0), 0);
	cr_assert_leq((uint64_t)st.st_blocks * 512, (uint64_t)st.st_size + 65536);
	cr_assert_null(manifest__free(m));
	cr_assert_null(manifest__free(NULL));
}

Test(manifest, full_disk_does_not_stop_the_last_one)
{
	struct manifest *m;
	static char buf[1 << 12];
	json_t *root;
	int fd;

	root__tmpfs(dir, "size=1m");
	m = new_manifest("iotrc");
	close(dir_fd);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(manifest__write(m, dir_fd), 0);
	fd = openat(dir_fd, "filler", O_WRONLY | O_CREAT, 0600);
	while (write(fd, buf, sizeof(buf)) > 0)
		;
	cr_assert_eq(errno, ENOSPC);
	for (int i = 0; i < 20; i++) {
		manifest__add_file(m, &(struct file_facts){ .path = "fs/a.csv.zst" });
		cr_assert_eq(manifest__write(m, dir_fd), -ENOSPC);
		while (write(fd, buf, 1) > 0)
			;
	}
	root = load();
	cr_assert_eq(json_array_size(at(root, "files")), 0);
	json_decref(root);
	close(fd);
	manifest__set_state(m, "complete");
	cr_assert_eq(manifest__write(m, dir_fd), 0);
	root = load();
	cr_assert_eq(json_array_size(at(root, "files")), 20);
	json_decref(root);
	manifest__free(m);
	close(dir_fd);
	umount(dir);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
}

Test(manifest, write_that_fails)
{
	struct manifest *m = new_manifest("iotrc");

	cr_assert_eq(rmdir(dir), 0);
	cr_assert_eq(manifest__write(m, dir_fd), -ENOENT);
	manifest__free(m);
}

static void *add_and_write(void *arg)
{
	for (int i = 0; i < 20; i++) {
		manifest__add_file(arg, &(struct file_facts){ .path = "fs/a.csv.zst" });
		cr_assert_eq(manifest__write(arg, dir_fd), 0);
	}
	return NULL;
}

Test(manifest, two_threads)
{
	struct manifest *m = new_manifest("iotrc");
	pthread_t thread;
	json_t *root;

	pthread_create(&thread, NULL, add_and_write, m);
	add_and_write(m);
	pthread_join(thread, NULL);
	root = load();
	cr_assert_eq(json_array_size(at(root, "files")), 40);
	json_decref(root);
	manifest__free(m);
}
