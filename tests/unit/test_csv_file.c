// SPDX-License-Identifier: GPL-2.0-or-later
/* Oracles: zstd(1), sha256sum(1) and libzstd on the file on the disk. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "dataset/csv_file.h"
#include "dataset/frame.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define ROWS_MAX (1 << 21)

static char dir[64];
static int dir_fd;
static char expected[ROWS_MAX], got[ROWS_MAX + 1];
static size_t expected_len;
static uint32_t seed = 1;

static void setup(void)
{
	strcpy(dir, "/tmp/iotrc-csv-file-XXXXXX");
	cr_assert(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(dir_fd, 0);
	expected_len = schema__header(STREAM_FS, expected);
}

static void teardown(void)
{
	char cmd[128];

	close(dir_fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(csv_file, .init = setup, .fini = teardown);

/* Runs a command on a file of the session; returns its output, which is in got. */
static char *run(const char *cmd, const char *path, size_t *ret_len)
{
	char line[512];
	size_t len;
	FILE *p;

	snprintf(line, sizeof(line), "cd %s && %s %s 2>&1", dir, cmd, path);
	p = popen(line, "r");
	cr_assert(p);
	len = fread(got, 1, ROWS_MAX, p);
	got[len] = 0;
	if (ret_len)
		*ret_len = len;
	cr_assert_eq(pclose(p), 0, "%s: %s", line, got);
	return got;
}

static struct csv_file *new_file(const char *name, int level)
{
	struct csv_file_config config = { .session_fd = dir_fd,
					  .stream = STREAM_FS,
					  .name = name,
					  .level = level,
					  .uid = -1,
					  .gid = -1 };
	struct csv_file *f;

	cr_assert_eq(csv_file__new(&f, &config), 0);
	return f;
}

/* Rows whose statistics change within a block, so that a compressor tends to split it. */
static size_t make_rows(char *buf, size_t size, uint64_t *ret_rows)
{
	size_t len = 0;
	uint64_t rows = 0;

	while (len + 100 < size) {
		const char *letters = len < size / 2 ? "0123456789abcdef" : "GHIJKLMNOPQRSTUV";

		for (int i = 0; i < 20; i++) {
			seed = seed * 1664525 + 1013904223;
			if (len < size / 2)
				buf[len++] = letters[seed >> 28];
			else
				for (unsigned n = seed >> 27; n > 29; n--)
					buf[len++] = letters[seed >> 24 & 15];
		}
		len += sprintf(buf + len, ",read,/usr/lib,%u\n", seed >> 25);
		rows++;
	}
	*ret_rows = rows;
	return len;
}

static int append(struct csv_file *f, size_t size)
{
	static char buf[CSV_FILE_BLOCK];
	uint64_t rows;
	size_t len = make_rows(buf, size, &rows);
	int err = csv_file__append(
		f, &(struct csv_rows){ buf, len, rows, 100 + expected_len, 200 + expected_len });

	if (!err) {
		memcpy(expected + expected_len, buf, len);
		expected_len += len;
	}
	return err;
}

/* Decodes the first LEN bytes of an unfinished file. */
static size_t decode_part(const char *path, size_t len)
{
	static char buf[ROWS_MAX];
	int fd = openat(dir_fd, path, O_RDONLY);
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_outBuffer out = { got, ROWS_MAX, 0 };
	ZSTD_inBuffer in = { buf, read(fd, buf, len), 0 };

	cr_assert_eq(in.size, len);
	cr_assert(!ZSTD_isError(ZSTD_decompressStream(d, &out, &in)));
	cr_assert_eq(in.pos, in.size);
	ZSTD_freeDCtx(d);
	close(fd);
	return out.pos;
}

static void assert_content(size_t len)
{
	cr_assert_eq(len, expected_len, "%zu bytes, not %zu", len, expected_len);
	cr_assert_arr_eq(got, expected, len);
}

static void assert_whole(const struct file_facts *facts)
{
	struct stat st;
	size_t len;

	run("zstd -tq", facts->path, NULL);
	run("zstd -dcq", facts->path, &len);
	assert_content(len);
	cr_assert(!strncmp(run("sha256sum", facts->path, NULL), facts->sha256, 64));
	cr_assert(strstr(run("zstd -lv", facts->path, NULL), "XXH64"), "%s", got);
	cr_assert(strstr(got, "Frames: 1"), "%s", got);
	cr_assert_eq(fstatat(dir_fd, facts->path, &st, 0), 0);
	cr_assert_eq((uint64_t)st.st_size, facts->compressed_bytes);
	cr_assert_eq(facts->raw_bytes, expected_len);
}

/* From now on writing beyond SIZE bytes of a file fails (EFBIG), after the part that fits. */
static void limit(off_t size)
{
	struct rlimit r;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = size < 0 ? r.rlim_max : (rlim_t)size;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static off_t size_of(const char *path)
{
	struct stat st;

	cr_assert_eq(fstatat(dir_fd, path, &st, 0), 0);
	return st.st_size;
}

Test(csv_file, life)
{
	struct csv_file *f = new_file("fs_a_0001", 1);
	struct stat st;
	mode_t mask = umask(0);

	umask(mask);
	cr_assert_eq(fstatat(dir_fd, "fs", &st, 0), 0);
	cr_assert_eq(st.st_mode & 07777, 0750 & ~mask);
	cr_assert_eq(fstatat(dir_fd, "fs/fs_a_0001.csv.zst.part", &st, 0), 0);
	cr_assert_eq(st.st_mode & 07777, 0640 & ~mask);
	cr_assert_eq(csv_file__append(f, &(struct csv_rows){ "b\n", 2, 1, 50, 50 }), 0);
	cr_assert_eq(csv_file__append(f, &(struct csv_rows){ "a\nc\n", 4, 2, 40, 60 }), 0);
	expected_len += sprintf(expected + expected_len, "b\na\nc\n");
	cr_assert_eq(csv_file__facts(f)->rows, 3);
	cr_assert_eq(csv_file__facts(f)->first_mono_ns, 40);
	cr_assert_eq(csv_file__facts(f)->last_mono_ns, 60);
	cr_assert_eq(csv_file__finish(f, NULL), 0);
	cr_assert_str_eq(csv_file__facts(f)->path, "fs/fs_a_0001.csv.zst");
	assert_whole(csv_file__facts(f));
	cr_assert_neq(faccessat(dir_fd, "fs/fs_a_0001.csv.zst.part", F_OK, 0), 0);
	cr_assert_eq(csv_file__append(f, &(struct csv_rows){ "d\n", 2, 1, 70, 70 }), -EBADF);
	csv_file__free(f);
}

Test(csv_file, other_name_at_the_end)
{
	struct csv_file *f = new_file("fs_a_0003", 1);

	append(f, 1000);
	cr_assert_eq(csv_file__finish(f, "fs_a_0003_complete_parts3"), 0);
	cr_assert_str_eq(csv_file__facts(f)->path, "fs/fs_a_0003_complete_parts3.csv.zst");
	assert_whole(csv_file__facts(f));
	csv_file__free(f);
}

Test(csv_file, name)
{
	char name[CSV_FILE_NAME_MAX];
	unsigned day, time, ms, seq;
	int n = 0;

	csv_file__name(name, STREAM_NW_CONN, 7);
	cr_assert_eq(sscanf(name, "nw_conn_%8u_%6u_%3u_%4u%n", &day, &time, &ms, &seq, &n), 4);
	cr_assert_eq((size_t)n, strlen(name));
	cr_assert_eq(strlen(name), strlen("nw_conn_20260101_000000_000_0007"));
	cr_assert_eq(seq, 7);
}

Test(csv_file, abandoned)
{
	struct csv_file *a = new_file("fs_a_0001", 1), *b = new_file("fs_a_0002", 1);

	append(a, 1000);
	csv_file__abandon(a);
	cr_assert_neq(faccessat(dir_fd, "fs/fs_a_0001.csv.zst.part", F_OK, 0), 0);
	cr_assert_eq(faccessat(dir_fd, "fs/fs_a_0002.csv.zst.part", F_OK, 0), 0);
	csv_file__abandon(b);
	cr_assert_neq(faccessat(dir_fd, "fs", F_OK, 0), 0);
	cr_assert_null(csv_file__abandon(NULL));
	cr_assert_null(csv_file__free(NULL));
}

Test(csv_file, refusals)
{
	struct csv_file_config config = {
		.session_fd = dir_fd, .stream = STREAM_FS, .name = "fs_a_0001", .uid = -1, .gid = -1
	};
	struct csv_file *f = new_file("fs_a_0001", 1), *other;
	static char big[CSV_FILE_BLOCK + 1];

	cr_assert_eq(csv_file__new(&other, &config), -EEXIST);
	cr_assert_eq(csv_file__append(f, &(struct csv_rows){ big, sizeof(big), 1, 1, 1 }), -E2BIG);
	cr_assert_eq(append(f, 1000), 0);
	csv_file__abandon(f);

	limit(5);
	cr_assert_eq(csv_file__new(&other, &config), -EFBIG);
	cr_assert_neq(faccessat(dir_fd, "fs", F_OK, 0), 0);

	/* A planted symlink is not followed. */
	limit(-1);
	cr_assert_eq(symlinkat("/tmp", dir_fd, "fs"), 0);
	cr_assert_eq(csv_file__new(&other, &config), -ELOOP);
	cr_assert_eq(unlinkat(dir_fd, "fs", 0), 0);
}

/* Decodes the first LEN bytes with zstd(1), which reports the missing end. */
static size_t cat_part(const char *path, size_t len)
{
	char cmd[128];
	size_t got_len;

	snprintf(cmd, sizeof(cmd), "{ head -c %zu | zstd -dcq 2>/dev/null || true; } <", len);
	run(cmd, path, &got_len);
	return got_len;
}

/* Cut after any block: the rest decodes to complete rows. Each append is one block with an empty
 * one after it, and then zstd(1) decodes all of it. */
static void assert_blocks(const char *path, size_t appends)
{
	static unsigned char buf[ROWS_MAX];
	int fd = openat(dir_fd, path, O_RDONLY);
	size_t len, at, blocks = 0;
	bool last = false;

	len = read(fd, buf, sizeof(buf));
	close(fd);
	/* No dictionary, content size unknown: magic, descriptor, window (RFC 8878, 3.1.1.1). */
	cr_assert_eq(buf[4], 0x04, "frame header descriptor %#x", buf[4]);
	for (at = 6; !last; blocks++) {
		unsigned head = buf[at] | buf[at + 1] << 8 | buf[at + 2] << 16;
		size_t n;

		last = head & 1;
		at += 3 + ((head >> 1 & 3) == 1 ? 1 : head >> 3);
		cr_assert_leq(at, len);
		n = decode_part(path, at);
		cr_assert(n && got[n - 1] == '\n' && !memcmp(got, expected, n), "block %zu",
			  blocks);
		if (blocks % 2)
			cr_assert_eq(cat_part(path, at), n, "block %zu", blocks);
	}
	cr_assert_eq(at + 4, len);                   /* the checksum */
	cr_assert_eq(blocks, 2 * (appends + 1) + 1); /* header row; empty last block */
}

Test(csv_file, blocks_end_on_rows, .timeout = 120)
{
	static const int levels[] = { 0, -5, 1, 3, 9, 13, 19 };

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		char name[32];
		struct csv_file *f;

		snprintf(name, sizeof(name), "fs_a_%04zu", i);
		expected_len = schema__header(STREAM_FS, expected);
		f = new_file(name, levels[i]);
		cr_assert_eq(append(f, 300), 0);
		cr_assert_eq(append(f, CSV_FILE_BLOCK), 0);
		cr_assert_eq(append(f, 50000), 0);
		cr_assert_eq(append(f, CSV_FILE_BLOCK), 0);
		cr_assert_eq(csv_file__finish(f, NULL), 0);
		assert_whole(csv_file__facts(f));
		assert_blocks(csv_file__facts(f)->path, 4);
		csv_file__free(f);
	}
}

/* The failing write wrote a part of its block, which is truncated again; the file can be
 * finished. */
Test(csv_file, broken_off)
{
	const char *part = "fs/fs_a_0001.csv.zst.part";
	struct csv_file *f = new_file("fs_a_0001", 1);
	off_t whole;

	for (int i = 0; i < 5; i++)
		cr_assert_eq(append(f, CSV_FILE_BLOCK), 0);
	whole = size_of(part);
	limit(whole + 1000);
	cr_assert_eq(append(f, CSV_FILE_BLOCK), -EFBIG);
	cr_assert_eq(size_of(part), whole);
	assert_content(decode_part(part, whole));
	limit(-1);
	cr_assert_eq(append(f, 1000), -EFBIG, "a frame that broke off takes no more");
	limit(whole + 3);
	cr_assert_eq(csv_file__finish(f, NULL), -EFBIG);
	cr_assert_eq(size_of(part), whole);
	limit(-1);
	cr_assert_eq(csv_file__finish(f, NULL), 0);
	cr_assert_eq(size_of("fs/fs_a_0001.csv.zst"), whole + FRAME_TAIL_SIZE);
	assert_whole(csv_file__facts(f));
	csv_file__free(f);
}

/* Likewise if the end itself does not fit, or only the header row is there. */
Test(csv_file, end_does_not_fit)
{
	for (int i = 0; i < 2; i++) {
		struct csv_file *f = new_file(i ? "fs_a_0001" : "fs_a_0000", 1);
		off_t whole;

		expected_len = schema__header(STREAM_FS, expected);
		if (i)
			cr_assert_eq(append(f, 3000), 0);
		whole = csv_file__facts(f)->compressed_bytes;
		limit(whole + 2);
		cr_assert_eq(csv_file__finish(f, NULL), -EFBIG);
		cr_assert_eq(size_of(i ? "fs/fs_a_0001.csv.zst.part" : "fs/fs_a_0000.csv.zst.part"),
			     whole);
		limit(-1);
		cr_assert_eq(csv_file__finish(f, NULL), 0);
		assert_whole(csv_file__facts(f));
		csv_file__free(f);
	}
}

struct rows_seen {
	size_t len, limit;
};

static bool take_rows(void *arg, const char *content, size_t len)
{
	struct rows_seen *seen = arg;

	if (seen->len + len > seen->limit)
		return false;
	cr_assert_arr_eq(content, expected + seen->len, len);
	seen->len += len;
	return true;
}

/* Truncated at any byte: what is recovered is a prefix of the rows, and with the tail a complete
 * file. */
Test(csv_file, end_of_what_broke_off)
{
	static char bytes[ROWS_MAX];
	struct rows_seen seen = { 0, SIZE_MAX };
	struct csv_file *f = new_file("fs_a_0001", 1);
	struct frame_end end;
	size_t len, last = 0;
	int fd;

	for (int i = 0; i < 4; i++)
		append(f, 700);
	append(f, CSV_FILE_BLOCK);
	cr_assert_eq(csv_file__finish(f, NULL), 0);
	fd = openat(dir_fd, csv_file__facts(f)->path, O_RDWR);
	len = read(fd, bytes, sizeof(bytes));
	cr_assert_eq(len, csv_file__facts(f)->compressed_bytes);
	cr_assert_eq(frame__find_end(fd, len, take_rows, &seen, &end), 0);
	cr_assert(end.whole);
	cr_assert_eq(seen.len, expected_len);
	for (size_t n = 0; n < len; n += n < 3000 || len - n < 300 ? 1 : 211) {
		size_t shown;
		int r;

		seen.len = 0;
		r = frame__find_end(fd, n, take_rows, &seen, &end);
		cr_assert_eq(r, n < 6 ? -EBADMSG : 0, "%zu: %d", n, r);
		if (r)
			continue;
		cr_assert(!end.whole);
		cr_assert_leq(end.len, (off_t)n);
		cr_assert(seen.len >= last && (!seen.len || expected[seen.len - 1] == '\n'));
		if (seen.len != last || n + 1 == len) {
			int out = openat(dir_fd, "cut", O_WRONLY | O_CREAT | O_TRUNC, 0600);

			cr_assert_eq(write(out, bytes, end.len), end.len);
			cr_assert_eq(write(out, end.tail, FRAME_TAIL_SIZE), FRAME_TAIL_SIZE);
			close(out);
			run("zstd -dcq <", "cut", &shown);
			cr_assert_eq(shown, seen.len);
			cr_assert_arr_eq(got, expected, shown);
		}
		last = seen.len;
	}
	cr_assert_eq(last, expected_len);
	/* Refused blocks begin after the end. */
	seen = (struct rows_seen){ 0, expected_len - 1 };
	cr_assert_eq(frame__find_end(fd, len, take_rows, &seen, &end), 0);
	cr_assert(!end.whole);
	cr_assert_lt(seen.len, expected_len - 700);
	close(fd);
	csv_file__free(f);
}

/* A file system may leave zeroes behind: empty blocks without an end. */
Test(csv_file, end_of_what_does_not_decode)
{
	struct csv_file *f = new_file("fs_a_0001", 1);
	static const char zeroes[4099];
	struct frame_end end;
	off_t whole;
	int fd;

	append(f, 3000);
	whole = csv_file__facts(f)->compressed_bytes - FRAME_EMPTY_BLOCK_SIZE;
	fd = openat(dir_fd, "fs/fs_a_0001.csv.zst.part", O_RDWR);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pwrite(fd, zeroes, sizeof(zeroes), whole), (ssize_t)sizeof(zeroes));
	cr_assert_eq(frame__find_end(fd, whole + sizeof(zeroes), NULL, NULL, &end), 0);
	cr_assert_eq(end.len, whole);
	cr_assert_eq(frame__find_end(fd, 1 << 20, NULL, NULL, &end), 0, "shorter than told");
	cr_assert_eq(end.len, whole);
	cr_assert_eq(pwrite(fd, "XXXX", 4, 0), 4);
	cr_assert_eq(frame__find_end(fd, whole, NULL, NULL, &end), -EBADMSG);
	close(fd);
	csv_file__free(f);
}
