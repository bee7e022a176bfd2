// SPDX-License-Identifier: GPL-2.0-or-later
/* Directory walks on an arbitrary tree: names of any bytes and up to 4,095 of them, files of all
 * types, any depth. The tree is a FUSE filesystem of this process (tests/treefs), in a mount
 * namespace of its own. The first byte selects the walk; then nodes follow: directory and type,
 * name, content. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/dir_names.h"
#include "base/reap.h"
#include "commands/recover.h"
#include "commands/verify.h"
#include "commands/verify_anonymous.h"
#include "fuzz.h"
#include "snappers/filesystem.h"
#include "tests/treefs/treefs.h"

static struct treefs tree;
static char point[96], words[96];
static sem_t mounted;

static const mode_t modes[] = { S_IFDIR | 0755, S_IFREG | 0644, S_IFDIR | 0755, S_IFREG | 0644,
				S_IFLNK | 0777, S_IFIFO | 0644, S_IFCHR | 0644, S_IFSOCK | 0644 };

/* Names and endings of names that have a meaning. */
static const char *const known[] = { "",
				     "manifest.json",
				     "fs",
				     "linux_v1",
				     "0123456789ABCDEF",
				     "20260131_120000_000",
				     ".csv.zst",
				     ".csv.zst.part",
				     ".json",
				     "system_spec",
				     ".upload.jsonl",
				     ".",
				     "fs_20260131_120000_000_0001.csv.zst",
				     "lost",
				     ".part",
				     "\xe2\x80\xae" };

/* ---- the filesystem ---- */

static void on_mounted(void *arg)
{
	sem_post(&mounted);
}

static void *serve(void *arg)
{
	if (treefs__serve(&tree, point, "bindfs", on_mounted, NULL))
		abort();
	return NULL;
}

static void put_line(const char *path, const char *line)
{
	FILE *f = fopen(path, "w");

	if (f) {
		fputs(line, f);
		fclose(f);
	}
}

/* A user without root becomes root of a user namespace. */
static void enter_namespace(void)
{
	char map[32];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)))
		abort();
	if (uid) {
		put_line("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		put_line("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		put_line("/proc/self/gid_map", map);
	}
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		abort();
}

static void begin(void)
{
	pthread_t thread;

	enter_namespace();
	fuzz__dir();
	snprintf(point, sizeof(point), "%s/tree", fuzz__path);
	snprintf(words, sizeof(words), "%s/words", fuzz__path);
	if (mkdir(point, 0755) || mkdirat(fuzz__dir(), "state", 0700))
		abort();
	put_line(words, "manifest\n");
	treefs__clear(&tree);
	sem_init(&mounted, 0, 0);
	if (pthread_create(&thread, NULL, serve, NULL))
		abort();
	sem_wait(&mounted);
}

/* Before fuzz__remove() removes the mount point. */
static void end(void)
{
	umount2(point, MNT_DETACH);
}

/* ---- the tree ---- */

struct input {
	const uint8_t *at, *end;
};

static size_t take(struct input *in, size_t bytes)
{
	size_t value = 0;

	while (bytes-- && in->at < in->end)
		value = value << 8 | *in->at++;
	return value;
}

static void add_node(struct input *in)
{
	static char name[TREEFS_NAME_MAX + 64];
	size_t what = take(in, 1), parent = take(in, 1) % tree.n,
	       len = take(in, 2) % (TREEFS_NAME_MAX + 1), size;
	const char *end = known[what >> 4];

	/* Long names repeat one byte, so that the input stays short. */
	memset(name, (int)take(in, 1), len);
	memcpy(name + len, end, strlen(end));
	size = take(in, 2);
	if (size > (size_t)(in->end - in->at))
		size = in->end - in->at;
	treefs__add(&tree, parent, modes[what & 7], name, len + strlen(end), (const char *)in->at,
		    size);
	in->at += size;
}

/* ---- the walks ---- */

static bool go_on(void *arg)
{
	return false;
}

static void on_finished(void *arg, const struct file_facts *facts)
{
}

static void remove_files(int dir, const char *subdir)
{
	int sub = openat(dir, subdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_names names;

	if (sub < 0 || dir_names__read(&names, sub))
		return;
	for (size_t i = 0; i < names.n; i++)
		unlinkat(sub, names.names[i], 0);
	dir_names__clear(&names);
	close(sub);
}

static void snapshot(void)
{
	static struct snap_rows_counts counts;
	static atomic_uint_least64_t seen, expected;
	static struct clock *clock;
	const struct path_prefix root = { .text = point, .len = strlen(point) };
	int session = fuzz__dir();
	struct filesystem_config config = {
		.rows = { .stream = STREAM_FILESYSTEM,
			  .stamp = "20260131_120000_000",
			  .session_fd = session,
			  .uid = -1,
			  .gid = -1,
			  .level = 1,
			  .counts = &counts,
			  .finished = on_finished },
		.dataset = "fuzz",
		.roots = &root,
		.n_roots = 1,
		.sort_bytes = 1 << 20,
		.pause = go_on,
		.seen = &seen,
		.expected = &expected,
	};
	struct filesystem_result result;

	if (!clock && clock__new(&clock))
		abort();
	config.clock = clock;
	config.state = openat(session, "state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	filesystem__snapshot(&config, "s/t", &result);
	close(config.state);
	remove_files(session, "filesystem_snapshot");
}

static void recover(void)
{
	char *argv[] = { "recover", point, NULL };
	pid_t pid;

	/* A child, because the command gives up rights that the next input needs. */
	pid = fork();
	if (!pid) {
		recover_command.main(2, argv);
		_exit(0);
	}
	/* libFuzzer's timer interrupts calls. */
	if (pid < 0 || reap(pid))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	static bool begun;
	size_t who;

	if (!begun) {
		begin();
		atexit(end);
		if (!freopen("/dev/null", "w", stdout))
			abort();
		begun = true;
	}
	who = take(&in, 1) & 3;
	treefs__clear(&tree);
	while (in.at < in.end)
		add_node(&in);
	switch (who) {
	case 0:
		verify__dir(point, fuzz__sink());
		break;
	case 1:
		verify_anonymous__dir(point, words, false, fuzz__sink());
		break;
	case 2:
		recover();
		break;
	case 3:
		snapshot();
	}
	return 0;
}
