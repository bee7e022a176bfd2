// SPDX-License-Identifier: GPL-2.0-or-later
/* Oracle: zstd(1), on the files on the disk. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "dataset/writer.h"
#include "root.h"
#include "schema/schema.h"

static char dir[64];
static int dir_fd;
static uint64_t next_ns;
static uint32_t seed = 1;

static struct {
	unsigned files;
	uint64_t rows, raw_bytes, compressed_bytes, first_ns[64], last_ns[64];
	char path[64][128];
} finished;

static void on_finished(void *arg, const struct file_facts *facts)
{
	unsigned i = finished.files++ % 64;

	(void)arg;
	finished.rows += facts->rows;
	finished.raw_bytes += facts->raw_bytes;
	finished.compressed_bytes += facts->compressed_bytes;
	finished.first_ns[i] = facts->first_mono_ns;
	finished.last_ns[i] = facts->last_mono_ns;
	snprintf(finished.path[i], sizeof(finished.path[i]), "%s", facts->path);
}

static void setup(void)
{
	strcpy(dir, "/tmp/iotrc-writer-XXXXXX");
	cr_assert(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(dir_fd, 0);
}

static void teardown(void)
{
	char cmd[128];

	close(dir_fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(writer, .init = setup, .fini = teardown, .timeout = 60);

static struct writer_config config(void)
{
	return (struct writer_config){ .session_fd = dir_fd,
				       .level = 1,
				       .queue_chunks = 64,
				       .uid = -1,
				       .gid = -1,
				       .finished = on_finished };
}

static struct writer *start(const struct writer_config *c)
{
	struct writer *w;

	cr_assert_eq(writer__new(&w, c), 0);
	return w;
}

/* Rows of 100 bytes that hardly compress, each with its number at the end. */
static void fill(struct chunk *c, unsigned rows)
{
	c->first_ns = next_ns + 1;
	for (; rows && c->len + 100 <= CHUNK_SIZE; rows--) {
		char *p = c->data + c->len;

		for (int i = 0; i < 79; i++) {
			seed = seed * 1664525 + 1013904223;
			p[i] = 48 + (seed >> 26);
		}
		sprintf(p + 79, ",%019lu", (unsigned long)++next_ns);
		p[99] = '\n';
		c->len += 100;
		c->rows++;
	}
	c->last_ns = next_ns;
}

static struct chunk *get(struct writer *w, enum stream stream)
{
	struct chunk *c;

	while (!(c = writer__get_chunk(w, stream)))
		usleep(200);
	cr_assert_eq(c->stream, stream);
	cr_assert(!c->len && !c->rows);
	return c;
}

static void put_rows(struct writer *w, enum stream stream, unsigned rows)
{
	struct chunk *c = get(w, stream);

	fill(c, rows);
	cr_assert_eq(c->rows, rows);
	writer__put_chunk(w, c, true);
}

/* Waits until the writer has processed that many rows of the stream. */
static struct writer_stream_stats wait_for(struct writer *w, enum stream stream, uint64_t rows)
{
	struct writer_stream_stats s;

	do {
		usleep(1000);
		writer__stats(w, stream, &s);
	} while (s.written_rows + s.lost_disk_rows < rows);
	return s;
}

static long shell(const char *fmt)
{
	char cmd[512];
	long n = -1;
	FILE *p;

	snprintf(cmd, sizeof(cmd), "cd %s && { %s; }", dir, fmt);
	p = popen(cmd, "r");
	cr_assert(p);
	cr_assert_eq(fscanf(p, "%ld", &n), 1, "%s", cmd);
	cr_assert_eq(pclose(p), 0);
	return n;
}

/* According to zstd(1): the number of files that it cannot read, and of rows without the
 * headers. */
static void assert_disk(uint64_t rows, unsigned files)
{
	cr_assert_eq(shell("find . -name '*.csv.zst' | wc -l"), (long)files);
	cr_assert_eq(shell("find . -name '*.csv.zst' | xargs -r zstd -tq 2>&1 | wc -l"), 0);
	cr_assert_eq(shell("for f in $(find . -name '*.csv.zst'); do zstd -dcq $f | tail -n +2; "
			   "done | wc -l"),
		     (long)rows);
}

Test(writer, nothing_written)
{
	struct writer_config c = config();
	struct writer *w = start(&c);

	writer__put_chunk(w, get(w, STREAM_FS), true);
	writer__rotate(w);
	cr_assert_eq(writer__close(w), 0);
	cr_assert_eq(writer__close(w), 0);
	cr_assert_eq(shell("ls | wc -l"), 0);
	cr_assert_null(writer__free(w));
	cr_assert_null(writer__free(NULL));
}

Test(writer, streams_have_files_of_their_own)
{
	struct writer_config c = config();
	struct writer *w = start(&c);
	struct writer_stream_stats s;
	uint64_t raw = 0, compressed = 0;

	for (int i = 0; i < 10; i++) {
		put_rows(w, STREAM_FS, 1000);
		put_rows(w, STREAM_BLOCK, 7);
	}
	cr_assert_eq(writer__close(w), 0);
	assert_disk(10070, 2);
	cr_assert_eq(shell("zstd -dcq fs/fs_*_0001.csv.zst | tail -n +2 | wc -l"), 10000);
	cr_assert_eq(shell("zstd -dcq block/block_*_0001.csv.zst | tail -n +2 | wc -l"), 70);
	for (int i = 0; i < STREAM_COUNT; i++) {
		writer__stats(w, i, &s);
		cr_assert_eq(s.written_rows, i == STREAM_FS ? 10000 : i == STREAM_BLOCK ? 70 : 0);
		cr_assert_eq(s.lost_disk_rows, 0);
		raw += s.raw_bytes;
		compressed += s.compressed_bytes;
	}
	cr_assert_eq((long)raw, shell("zstd -dcq */*.zst | wc -c"));
	cr_assert_eq((long)compressed, shell("cat */*.zst | wc -c"));
	cr_assert_eq(finished.rows, 10070);
	cr_assert_eq(finished.raw_bytes, raw);
	cr_assert_eq(finished.compressed_bytes, compressed);
	writer__free(w);
}

Test(writer, rotates_by_rows)
{
	struct writer_config c = config();
	struct writer *w;

	c.rotate_rows = 1000;
	w = start(&c);
	for (int i = 0; i < 10; i++)
		put_rows(w, STREAM_FS, 300);
	cr_assert_eq(writer__close(w), 0);
	/* At chunk boundaries: 1200, 1200, 600; each file continues where the last one stopped. */
	assert_disk(3000, 3);
	cr_assert_eq(finished.files, 3);
	for (int i = 0; i < 3; i++) {
		char cmd[256], seq[32];

		snprintf(seq, sizeof(seq), "_%04d.csv.zst", i + 1);
		cr_assert(strstr(finished.path[i], seq), "%s", finished.path[i]);
		cr_assert_eq(finished.first_ns[i], 1 + 1200 * (uint64_t)i);
		cr_assert_eq(finished.last_ns[i], i < 2 ? 1200 * ((uint64_t)i + 1) : 3000);
		snprintf(cmd, sizeof(cmd), "zstd -dcq %s | tail -n 1 | sed 's/.*,0*//'",
			 finished.path[i]);
		cr_assert_eq(shell(cmd), (long)finished.last_ns[i]);
	}
	writer__free(w);
}

Test(writer, rotates_by_size)
{
	struct writer_config c = config();
	struct writer *w;

	c.rotate_bytes = 200000;
	w = start(&c);
	for (int i = 0; i < 10; i++)
		put_rows(w, STREAM_BLOCK, 1000); /* some 65 kB */
	cr_assert_eq(writer__close(w), 0);
	assert_disk(10000, 3);
	cr_assert_eq(shell("find . -size -200000c -name '*.zst' | wc -l"), 1);
	cr_assert_eq(shell("find . -size +280000c -name '*.zst' | wc -l"), 0);
	writer__free(w);
}

Test(writer, rotates_by_age_and_on_request)
{
	struct writer_config c = config();
	struct writer *w;

	c.rotate_age_s = 1;
	w = start(&c);
	put_rows(w, STREAM_FS, 10);
	wait_for(w, STREAM_FS, 10);
	usleep(500000);
	cr_assert_eq(shell("ls fs/*.part | wc -l"), 1);
	usleep(1000000);
	assert_disk(10, 1); /* of an idle stream, too */
	put_rows(w, STREAM_FS, 10);
	wait_for(w, STREAM_FS, 20);
	writer__rotate(w);
	usleep(300000);
	assert_disk(20, 2);
	cr_assert_eq(writer__close(w), 0);
	assert_disk(20, 2);
	writer__free(w);
}

Test(writer, queue_is_bounded)
{
	struct writer_config c = config();
	struct chunk *held[3], *few;
	struct writer *w;

	c.queue_chunks = 3;
	w = start(&c);
	for (int i = 0; i < 3; i++)
		held[i] = get(w, STREAM_FS);
	cr_assert_null(writer__get_chunk(w, STREAM_FS));
	/* A flood in one stream leaves room for streams with few rows. */
	few = writer__get_chunk(w, STREAM_BLOCK);
	cr_assert(few);
	writer__put_chunk(w, few, true);
	writer__put_chunk(w, held[0], true);
	held[0] = writer__get_chunk(w, STREAM_BLOCK);
	cr_assert(held[0]);
	cr_assert_null(writer__get_chunk(w, STREAM_FS));
	for (int i = 0; i < 3; i++) {
		fill(held[i], 5);
		writer__put_chunk(w, held[i], true);
	}
	writer__put_chunk(w, get(w, STREAM_FS), true);
	cr_assert_eq(writer__close(w), 0);
	assert_disk(15, 2);
	writer__free(w);
}

/* Chunks that are in no hurry wait for others: for three more, for one that is in a hurry, and
 * until no more chunks can be had. */
Test(writer, some_wait_for_others)
{
	struct writer_config c = config();
	struct writer_stream_stats s;
	struct writer *w;
	int i;

	c.queue_chunks = 6;
	w = start(&c);
	for (i = 0; i < 4; i++) {
		struct chunk *chunk = get(w, STREAM_FS);

		usleep(20000); /* it would be written by then */
		writer__stats(w, STREAM_FS, &s);
		cr_assert_eq(s.written_rows, 0);
		fill(chunk, 5);
		cr_assert_eq(writer__put_chunk(w, chunk, false), i == 3);
	}
	wait_for(w, STREAM_FS, 20);
	for (i = 0; i < 2; i++) {
		struct chunk *chunk = get(w, i ? STREAM_BLOCK : STREAM_FS);

		fill(chunk, 5);
		cr_assert_eq(writer__put_chunk(w, chunk, i == 1), i == 1);
	}
	wait_for(w, STREAM_FS, 25);
	wait_for(w, STREAM_BLOCK, 5);
	{
		struct chunk *held[5], *chunk = get(w, STREAM_FS);

		for (i = 0; i < 5; i++)
			held[i] = get(w, STREAM_FS);
		fill(chunk, 5);
		cr_assert_not(writer__put_chunk(w, chunk, false));
		cr_assert_null(writer__get_chunk(w, STREAM_FS));
		wait_for(w, STREAM_FS, 30);
		for (i = 0; i < 5; i++)
			writer__put_chunk(w, held[i], false);
	}
	cr_assert_eq(writer__close(w), 0);
	writer__free(w);
}

/* Killed at any moment: what is there decodes to complete rows, and no row that was counted as
 * written is missing. */
Test(writer, killed)
{
	for (int round = 0; round < 5; round++) {
		static char in[1 << 25], out[1 << 26];
		char header[SCHEMA_HEADER_MAX];
		struct writer_config c = config();
		uint64_t written = 0, rows = 0;
		int pipefd[2], fd, status;
		char name[80];
		ZSTD_DCtx *d = ZSTD_createDCtx();
		ZSTD_inBuffer zin = { in, 0, 0 };
		ZSTD_outBuffer zout = { out, sizeof(out), 0 };
		size_t at;
		pid_t pid;

		cr_assert_eq(pipe(pipefd), 0);
		pid = fork();
		if (!pid) {
			struct writer *w = start(&c);

			for (;;) {
				struct writer_stream_stats s;

				put_rows(w, STREAM_FS, 1000);
				writer__stats(w, STREAM_FS, &s);
				if (write(pipefd[1], &s.written_rows, 8) != 8)
					_exit(1);
			}
		}
		close(pipefd[1]);
		while (!written)
			cr_assert_eq(read(pipefd[0], &written, 8), 8);
		usleep(20000 + 13700 * round);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		while (read(pipefd[0], &written, 8) == 8)
			;
		close(pipefd[0]);

		cr_assert_eq(shell("ls fs/*.part | wc -l"), 1);
		cr_assert_eq(shell("mv fs/*.part killed; ls fs | wc -l"), 0);
		snprintf(name, sizeof(name), "%s/killed", dir);
		fd = open(name, O_RDONLY);
		zin.size = read(fd, in, sizeof(in));
		close(fd);
		cr_assert_lt(zin.size, sizeof(in));
		while (zin.pos < zin.size) {
			size_t before = zin.pos + zout.pos;

			cr_assert(!ZSTD_isError(ZSTD_decompressStream(d, &zout, &zin)));
			cr_assert_neq(zin.pos + zout.pos, before);
		}
		ZSTD_freeDCtx(d);
		at = schema__header(STREAM_FS, header);
		cr_assert_arr_eq(out, header, at);
		for (; at < zout.pos; at += 100) {
			cr_assert_eq(strtoul(out + at + 80, NULL, 10), ++rows);
			cr_assert_eq(out[at + 99], '\n');
		}
		cr_assert_eq(at, zout.pos, "it ends within a row");
		cr_assert_geq(rows, written);
	}
}

static void fill_disk(const char *path)
{
	static char buf[1 << 16];
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT, 0600);

	while (write(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

/* A disk that is full for a while, twice: only rows of that time are counted as lost. */
Test(writer, disk_full)
{
	struct writer_config c;
	struct writer_stream_stats s, later;
	struct writer *w;
	uint64_t produced = 0;

	root__tmpfs(dir, "size=4m");
	close(dir_fd);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	c = config();
	w = start(&c);

	for (int round = 0; round < 2; round++) {
		uint64_t lost;
		struct timespec pause = { .tv_nsec = 200000000 };

		writer__stats(w, STREAM_FS, &s);
		lost = s.lost_disk_rows;
		put_rows(w, STREAM_FS, 1000);
		s = wait_for(w, STREAM_FS, produced += 1000);
		cr_assert_eq(s.lost_disk_rows, lost);

		fill_disk("filler");
		do {
			put_rows(w, STREAM_FS, 1000);
			s = wait_for(w, STREAM_FS, produced += 1000);
		} while (s.lost_disk_rows == lost);
		/* Draining continues, and a stream without rows does not block it. */
		for (int i = 0; i < 8; i++) {
			put_rows(w, STREAM_FS, 1000);
			put_rows(w, STREAM_BLOCK, 10);
			nanosleep(&pause, NULL);
		}
		later = wait_for(w, STREAM_FS, produced += 8000);
		cr_assert_eq(later.lost_disk_rows, s.lost_disk_rows + 8000);
		cr_assert_eq(later.written_rows, s.written_rows);
		cr_assert_eq(writer__error(w), -ENOSPC);
		cr_assert_eq(shell("find . -name '*.part' | wc -l"), 0);

		cr_assert_eq(unlinkat(dir_fd, "filler", 0), 0);
		usleep(1100000);
		put_rows(w, STREAM_FS, 1000);
		s = wait_for(w, STREAM_FS, produced += 1000);
		cr_assert_eq(s.written_rows, later.written_rows + 1000, "it resumes by itself");
	}
	cr_assert_eq(writer__close(w), -ENOSPC);
	writer__stats(w, STREAM_FS, &s);
	writer__stats(w, STREAM_BLOCK, &later);
	cr_assert_eq(s.written_rows + s.lost_disk_rows, produced);
	cr_assert_eq(later.written_rows + later.lost_disk_rows, 160);
	cr_assert_eq(finished.rows, s.written_rows + later.written_rows);
	assert_disk(s.written_rows + later.written_rows, finished.files);
	cr_assert_eq(shell("ls fs/*_0003.csv.zst | wc -l"), 1, "numbers have no gaps");
	writer__free(w);
	close(dir_fd);
	umount(dir);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
}

/* The session's directory was removed: all rows are lost and counted, nothing waits. */
Test(writer, no_directory)
{
	struct writer_config c = config();
	struct writer_stream_stats s;
	struct writer *w;

	cr_assert_eq(rmdir(dir), 0);
	w = start(&c);
	for (int i = 0; i < 500; i++)
		put_rows(w, STREAM_FS, 10);
	cr_assert_eq(writer__close(w), -ENOENT);
	writer__stats(w, STREAM_FS, &s);
	cr_assert_eq(s.written_rows, 0);
	cr_assert_eq(s.lost_disk_rows, 5000);
	cr_assert_eq(s.raw_bytes + s.compressed_bytes, 0);
	writer__free(w);
}

static void *produce(void *arg)
{
	struct writer *w = arg;

	for (int i = 0; i < 50; i++) {
		struct chunk *c = get(w, i % 3);

		memset(c->data, 'x', 100);
		c->data[99] = '\n';
		c->len = 100;
		c->rows = 1;
		c->first_ns = c->last_ns = 1 + i;
		writer__put_chunk(w, c, true);
		if (i % 10 == 0)
			writer__rotate(w);
	}
	return NULL;
}

Test(writer, several_producers)
{
	struct writer_config c = config();
	pthread_t threads[4];
	struct writer *w;

	c.queue_chunks = 4;
	w = start(&c);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, produce, w);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(writer__close(w), 0);
	assert_disk(200, finished.files);
	writer__free(w);
}

static atomic_bool held, let_go, ended;

/* Stops the thread wherever it is, as a debugger or a page that is not resident does. */
static void on_hold(int signal)
{
	atomic_store(&held, true);
	while (!atomic_load(&let_go))
		sched_yield();
	atomic_store(&let_go, false);
}

static void *use_queue(void *arg)
{
	while (!atomic_load(&ended))
		writer__put_chunk(arg, get(arg, STREAM_FS), true);
	return NULL;
}

/* It is reported even then. */
Test(writer, stats_while_a_producer_is_held, .timeout = 30)
{
	struct writer_config c = config();
	struct writer *w = start(&c);
	struct writer_stream_stats s;
	pthread_t thread;

	signal(SIGUSR2, on_hold);
	pthread_create(&thread, NULL, use_queue, w);
	for (int i = 0; i < 500; i++) {
		cr_assert_eq(pthread_kill(thread, SIGUSR2), 0);
		while (!atomic_load(&held))
			sched_yield();
		writer__stats(w, STREAM_FS, &s);
		atomic_store(&held, false);
		atomic_store(&let_go, true);
		while (atomic_load(&let_go))
			sched_yield();
	}
	atomic_store(&ended, true);
	pthread_join(thread, NULL);
	writer__free(w);
}
