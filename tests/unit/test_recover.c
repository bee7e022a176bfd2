// SPDX-License-Identifier: GPL-2.0-or-later
/* Oracles: zstd(1), sha256sum(1), iotrc verify (which has tests of its own), and the rows that were
 * written. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands/verify.h"
#include "dataset/csv_file.h"
#include "dataset/manifest.h"
#include "dataset/recover.h"
#include "dataset/session_lock.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define OFFSET 1700000000000000000ll
#define STAMP "20240101_020000_000"

static char base[64];
static int base_fd;
static uint64_t next_ns;

static void setup(void)
{
	strcpy(base, "/tmp/iotrc-recover-XXXXXX");
	cr_assert(mkdtemp(base));
	base_fd = open(base, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(base_fd, 0);
	setenv("TZ", "UTC", 1);
	tzset();
	next_ns = 1000000000;
}

static char *shell(const char *command)
{
	static char out[65536], line[1024];
	size_t n;
	FILE *p;

	snprintf(line, sizeof(line), "cd %s && { %s; } 2>&1", base, command);
	p = popen(line, "r");
	cr_assert(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = 0;
	cr_assert_eq(pclose(p), 0, "%s: %s", line, out);
	return out;
}

static void teardown(void)
{
	shell("cd / && rm -rf $OLDPWD");
	close(base_fd);
}

TestSuite(recover, .init = setup, .fini = teardown, .timeout = 120);

static int make_session(void)
{
	int fd;

	cr_assert_eq(mkdirat(base_fd, STAMP, 0750), 0);
	fd = openat(base_fd, STAMP, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(fd, 0);
	return fd;
}

static struct manifest *make_manifest(void)
{
	struct manifest_info info = { .machine_id = "0123456789ABCDEF",
				      .session_id = "linux_v1/0123456789ABCDEF/20260131_120000_000",
				      .command_line = "iotrc",
				      .engine = "bpf",
				      .enabled = 1 << STREAM_FS | 1 << STREAM_LOST,
				      .anonymized = true,
				      .uid = -1,
				      .gid = -1 };
	struct clock_offset offset = { .from_mono_ns = 1, .offset_ns = OFFSET };
	struct manifest *m;

	cr_assert_eq(manifest__new(&m, &info), 0);
	manifest__set_offsets(m, &offset, 1);
	return m;
}

static char *add_wall(char *p, uint64_t ns)
{
	time_t t = (OFFSET + ns) / 1000000000;
	struct tm tm;

	p += strftime(p, 32, "%Y-%m-%d %H:%M:%S", gmtime_r(&t, &tm));
	return p + sprintf(p, ".%06llu", (unsigned long long)(OFFSET + ns) % 1000000000 / 1000);
}

static void add_rows(struct csv_file *f, enum stream stream, unsigned n)
{
	static char buf[CSV_FILE_BLOCK];
	uint64_t first = next_ns + 1;
	char *p = buf;

	for (unsigned i = 0; i < n; i++) {
		p = add_wall(p, ++next_ns);
		if (stream == STREAM_LOST)
			p += sprintf(p, ",fs,ring,3,1,2,0,%lu\n", (unsigned long)next_ns);
		else
			p += sprintf(
				p,
				",read,1,1,cat,\"/tmp/a,%u\",1,0,1,12,8:1,O_RDONLY,15,1,,,,,cat,1,7,"
				"ext4,%lu\n",
				i * 2654435761u, (unsigned long)next_ns);
	}
	cr_assert_eq(csv_file__append(f, &(struct csv_rows){ buf, p - buf, n, first, next_ns }), 0);
}

static struct csv_file *make_file(int session, enum stream stream, unsigned number)
{
	char name[64];
	struct csv_file_config config = {
		.session_fd = session, .stream = stream, .name = name, .uid = -1, .gid = -1
	};
	struct csv_file *f;

	sprintf(name, "%s_" STAMP "_%04u", schema_streams[stream].prefix, number);
	cr_assert_eq(csv_file__new(&f, &config), 0);
	return f;
}

/* One file that is listed, one that was finished after the last manifest, two that were not
 * finished: 1 + 10 + 200 rows of fs and 2 of lost, which report 6 lost rows. */
#define FS_ROWS 211
static void make_killed(void)
{
	struct row_counts counts = {
		.seen = 100, .written = 1, .filtered = 95, .lost[LOST_RING] = 4
	};
	int session = make_session();
	struct manifest *m = make_manifest();
	struct csv_file *f;

	manifest__write(m, session);
	f = make_file(session, STREAM_FS, 1);
	add_rows(f, STREAM_FS, 1);
	cr_assert_eq(csv_file__finish(f, NULL), 0);
	manifest__add_file(m, csv_file__facts(f));
	manifest__set_counts(m, STREAM_FS, &counts);
	manifest__set_hooks(m, &(struct manifest_hook){ "h", 1, true, 77, 0, NULL }, 1);
	cr_assert_eq(manifest__write(m, session), 0);
	csv_file__free(f);
	f = make_file(session, STREAM_FS, 2);
	add_rows(f, STREAM_FS, 10);
	cr_assert_eq(csv_file__finish(f, NULL), 0);
	csv_file__free(f);
	f = make_file(session, STREAM_FS, 3);
	for (int i = 0; i < 200; i++)
		add_rows(f, STREAM_FS, 1);
	csv_file__free(f);
	f = make_file(session, STREAM_LOST, 1);
	add_rows(f, STREAM_LOST, 2);
	csv_file__free(f);
	/* One leftover of each kind: the header alone, nothing at all, an unfinished manifest. */
	csv_file__free(make_file(session, STREAM_BLOCK, 1));
	shell("mkdir " STAMP "/nw_conn && touch " STAMP "/nw_conn/nw_conn_" STAMP
	      "_0001.csv.zst.part"
	      " " STAMP "/fs/.fs_" STAMP "_0003.copy &&"
	      "echo '{' > " STAMP "/.manifest.json.temp");
	manifest__free(m);
	close(session);
}

static int recover(struct recovered *ret)
{
	return recover__session(base_fd, STAMP, NULL, ret);
}

static uint64_t faults(void)
{
	FILE *out = fopen("/dev/null", "w");
	uint64_t n = verify__dir(base, out);

	fclose(out);
	if (n)
		verify__dir(base, stderr);
	shell("for f in $(find . -name '*.zst'); do zstd -tq $f; done");
	return n;
}

static json_t *load(void)
{
	char path[128];
	json_t *root;

	snprintf(path, sizeof(path), "%s/" STAMP "/manifest.json", base);
	root = json_load_file(path, 0, NULL);
	cr_assert(root);
	return root;
}

static long rows_on_disk(void)
{
	return atol(shell("for f in " STAMP
			  "/fs/*.csv.zst; do zstd -dcq $f | tail -n +2; done | wc -l"));
}

Test(recover, killed)
{
	struct recovered done;
	json_t *root, *o;
	char before[65536];

	make_killed();
	cr_assert_eq(recover(&done), RECOVER_DONE, "%s", done.why);
	cr_assert_eq(done.files, 4);
	cr_assert_eq(done.finished, 2);
	cr_assert_eq(done.rows, FS_ROWS + 2);
	cr_assert_eq(done.damaged, 0);
	cr_assert_eq(rows_on_disk(), FS_ROWS);
	cr_assert_eq(faults(), 0);
	cr_assert_str_eq(shell("find . -type f | sort"),
			 "./" STAMP "/fs/fs_" STAMP "_0001.csv.zst\n"
			 "./" STAMP "/fs/fs_" STAMP "_0002.csv.zst\n"
			 "./" STAMP "/fs/fs_" STAMP "_0003.csv.zst\n"
			 "./" STAMP "/lost/lost_" STAMP "_0001.csv.zst\n"
			 "./" STAMP "/manifest.json\n");
	cr_assert_str_eq(shell("ls -d " STAMP "/*/"), STAMP "/fs/\n" STAMP "/lost/\n");

	root = load();
	o = json_object_get(json_object_get(json_object_get(root, "diagnostics"), "streams"), "fs");
	cr_assert_null(json_object_get(o, "seen"));
	cr_assert_null(json_object_get(o, "lost"));
	cr_assert_eq(json_integer_value(json_object_get(o, "written")), FS_ROWS);
	cr_assert_eq(
		json_integer_value(json_object_get(json_object_get(o, "lost_at_least"), "ring")), 6,
		"4 by the manifest, 6 by the rows");
	o = json_object_get(json_object_get(root, "diagnostics"), "last_known");
	o = json_object_get(json_object_get(o, "streams"), "fs");
	cr_assert_eq(json_integer_value(json_object_get(o, "seen")), 100);
	o = json_array_get(json_object_get(json_object_get(root, "diagnostics"), "hooks"), 0);
	cr_assert(json_is_true(json_object_get(o, "attached")));
	cr_assert_null(json_object_get(o, "fired"));
	o = json_object_get(root, "session");
	cr_assert_str_eq(json_string_value(json_object_get(o, "state")), "recovered");
	cr_assert(json_is_true(json_object_get(o, "anonymized")));
	cr_assert(json_is_string(json_object_get(o, "stopped_at")));
	json_decref(root);

	/* A second run changes nothing. */
	strcpy(before, shell("find . -printf '%p %T@ %C@ %i\\n' | sort"));
	cr_assert_eq(recover(&done), RECOVER_NOTHING);
	cr_assert_str_eq(shell("find . -printf '%p %T@ %C@ %i\\n' | sort"), before);
}

/* Truncated anywhere, and with anything that a file system may leave after it. */
Test(recover, torn)
{
	static const char *const garbage[] = { ":", "head -c 5000 /dev/zero",
					       "head -c 70 /dev/urandom" };
	struct recovered done;
	char command[256];

	for (int cut = 0; cut < 30; cut++) {
		long before;

		make_killed();
		snprintf(command, sizeof(command),
			 "f=" STAMP "/fs/fs_" STAMP
			 "_0003.csv.zst.part; truncate -s -%d $f; %s >> $f;"
			 "zstd -dcq < $f 2>/dev/null | tail -n +2 | wc -l",
			 cut * 11, garbage[cut % 3]);
		before = atol(shell(command));
		cr_assert_eq(recover(&done), RECOVER_DONE, "%s", done.why);
		cr_assert_eq(faults(), 0);
		if (cut % 3 == 0)
			cr_assert_eq(rows_on_disk(), 11 + before);
		cr_assert(rows_on_disk() > FS_ROWS - 2 - cut * 11 / 8, "%d: %ld", cut,
			  rows_on_disk());
		shell("rm -r " STAMP);
	}
}

/* recover itself is killed again and again, after a time that grows until it succeeds: how long it
 * takes depends on the machine. */
Test(recover, killed_itself)
{
	unsigned int seed = 1;

	for (int round = 0; round < 40; round++) {
		unsigned int us = 200;
		struct recovered done;
		int status = -1;

		make_killed();
		do {
			pid_t pid = fork();

			if (!pid)
				_exit(recover(&done));
			usleep(rand_r(&seed) % us);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			us += us / 4;
		} while (!WIFEXITED(status));
		cr_assert(WEXITSTATUS(status) == RECOVER_DONE ||
			  WEXITSTATUS(status) == RECOVER_NOTHING);
		cr_assert_eq(recover(&done), RECOVER_NOTHING);
		cr_assert_eq(rows_on_disk(), FS_ROWS);
		cr_assert_eq(faults(), 0);
		cr_assert_str_eq(shell("find . -name '.*.*' -o -name '*.part'"), "");
		shell("rm -r " STAMP);
	}
}

Test(recover, stopped)
{
	atomic_bool stop = true;
	struct recovered done;

	make_killed();
	cr_assert_eq(recover__session(base_fd, STAMP, &stop, &done), -EINTR);
	cr_assert_eq(recover(&done), RECOVER_DONE);
	cr_assert_eq(rows_on_disk(), FS_ROWS);
	cr_assert_eq(faults(), 0);
}

/* Found by fuzzing: memory allocated for it was leaked (AddressSanitizer). */
Test(recover, a_stream_that_is_not_known)
{
	struct recovered done;

	make_killed();
	shell("sed -i 's/\"nw_drop\": {$/\"nw_dropped\": {/' " STAMP "/manifest.json");
	cr_assert_str_eq(
		shell("grep -c nw_dropped " STAMP "/manifest.json | sed 's/^[1-9].*/some/'"),
		"some\n");
	cr_assert_eq(recover(&done), RECOVER_DONE);
}

/* Found by fuzzing: times that overflow a sum (UndefinedBehaviorSanitizer). */
Test(recover, times_that_make_no_sense)
{
	static const char *const edits[] = {
		"s/\"started_at\": \"2/\"started_at\": \"0/",
		"s/\"duration_seconds\": .*,/\"duration_seconds\": 1e300,/",
		"s/\"mono_to_real_offset_ns\": .*,/\"mono_to_real_offset_ns\": -9223372036854775807,/",
	};
	struct recovered done;

	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		char command[256];

		make_killed();
		shell("cp " STAMP "/manifest.json before");
		snprintf(command, sizeof(command), "sed -i '%s' " STAMP "/manifest.json", edits[i]);
		shell(command);
		cr_assert_str_eq(shell("cmp -s before " STAMP "/manifest.json || echo changed"),
				 "changed\n", "%s", edits[i]);
		cr_assert_eq(recover(&done), RECOVER_DONE);
		shell("rm -r before " STAMP);
	}
}

Test(recover, in_use)
{
	struct recovered done;
	char before[65536];
	int fd, lock;

	make_killed();
	fd = openat(base_fd, STAMP, O_RDONLY | O_DIRECTORY);
	lock = session_lock__take(fd, SESSION_LOCK_ALL);
	cr_assert_geq(lock, 0);
	strcpy(before, shell("find . -printf '%p %T@ %C@ %i\\n' | sort"));
	cr_assert_eq(recover(&done), -EWOULDBLOCK);
	cr_assert_str_eq(done.why, "in use");
	cr_assert_str_eq(shell("find . -printf '%p %T@ %C@ %i\\n' | sort"), before);
	close(lock);
	close(fd);
	cr_assert_eq(recover(&done), RECOVER_DONE);
}

/* A full disk at the end of a recording leaves a file unfinished whose rows are counted: the counts
 * are exact, and kept. */
Test(recover, complete_but_for_a_file)
{
	struct row_counts counts = { .seen = 12, .written = 7, .filtered = 5 };
	int session = make_session();
	struct manifest *m = make_manifest();
	struct recovered done;
	struct csv_file *f;
	json_t *root, *o;

	f = make_file(session, STREAM_FS, 1);
	add_rows(f, STREAM_FS, 7);
	csv_file__free(f);
	manifest__set_counts(m, STREAM_FS, &counts);
	manifest__set_state(m, "complete");
	cr_assert_eq(manifest__write(m, session), 0);
	manifest__free(m);
	close(session);
	cr_assert_eq(recover(&done), RECOVER_DONE, "%s", done.why);
	cr_assert_eq(faults(), 0);
	root = load();
	o = json_object_get(json_object_get(json_object_get(root, "diagnostics"), "streams"), "fs");
	cr_assert_eq(json_integer_value(json_object_get(o, "seen")), 12);
	json_decref(root);
	cr_assert_eq(recover(&done), RECOVER_NOTHING);
}

/* Killed before there was a manifest: there is nothing to recover, and other files are left
 * alone. */
Test(recover, no_manifest)
{
	struct recovered done;

	close(make_session());
	shell("touch " STAMP "/.manifest.json.temp");
	cr_assert_eq(recover(&done), RECOVER_REMOVED);
	cr_assert_str_eq(shell("ls"), "");
	close(make_session());
	shell("echo mine > " STAMP "/notes");
	cr_assert_eq(recover(&done), -ENOENT);
	cr_assert_str_eq(shell("cat " STAMP "/notes"), "mine\n");
}

/* Nothing of ours has such a name: the file stays, and counts as damaged. */
Test(recover, names_that_are_too_long)
{
	struct recovered done;

	make_killed();
	shell("cd " STAMP "/fs; for end in csv.zst csv.zst.part text;"
	      " do echo mine | zstd -qc > $(printf 'x%.0s' $(seq 153)).$end; done");
	cr_assert_eq(recover(&done), RECOVER_DONE, "%s", done.why);
	cr_expect_eq(done.damaged, 2, "%u", done.damaged);
	cr_expect_str_eq(shell("zstdcat " STAMP "/fs/x*"), "mine\nmine\nmine\n");
	cr_assert_eq(faults(), 2);
}

/* Files that are not ours are not changed, whatever their names and wherever links lead. */
Test(recover, hostile)
{
	struct recovered done;

	make_killed();
	shell("echo secret > victim; f=" STAMP "/fs/fs_" STAMP
	      "; ln -s $PWD/victim ${f}_0008.csv.zst.part;"
	      "ln victim ${f}_0007.csv.zst.part; echo no rows > ${f}_0006.csv.zst.part;"
	      "mkdir ${f}_0005.csv.zst.part; mkfifo ${f}_0004.csv.zst.part;"
	      "head -c 900000 /dev/urandom > ${f}_0009.csv.zst; cp ${f}_0009.csv.zst ${f}_0010.csv.zst.part;"
	      "ln -f victim " STAMP "/.manifest.json.last");
	recover(&done);
	cr_assert_str_eq(shell("cat victim"), "secret\n");
	cr_assert_str_eq(shell("f=" STAMP "/fs/fs_" STAMP "; cat ${f}_0006.csv.zst.damaged;"
			       "cmp ${f}_0009.csv.zst ${f}_0010.csv.zst.damaged"),
			 "no rows\n");

	shell("rm -rf " STAMP);
	make_killed();
	shell("echo '{\"files\": [' > " STAMP "/manifest.json");
	cr_assert_eq(recover(&done), -EBADMSG);
	cr_assert(strstr(done.why, "manifest.json: line 2"), "%s", done.why);
	shell("echo '{\"files\": 7}' > " STAMP "/manifest.json");
	cr_assert_eq(recover(&done), -EBADMSG);
	cr_assert_str_eq(shell("find . -name '*.part' | wc -l"), "4\n");
}
