// SPDX-License-Identifier: GPL-2.0-or-later
/* Records in, rows out: each row has its stream's columns, and the record's values. Live tests
 * compare rows with the truth. */
#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "engine/bpf/request_names.h"
#include "rows/encode.h"
#include "schema/fs_ops.h"
#include "schema/schema.h"

#define FIELDS_MAX 32

static struct selection selection;
static struct clock *clk;
static struct encoder *enc;
static char row[ROW_MAX];
static char *fields[FIELDS_MAX];
static size_t field_ends[FIELDS_MAX];

static void setup(void)
{
	static struct memory_plan plan;
	static struct reqnames names;
	struct encoder_config config = { .selection = &selection,
					 .memory = &plan,
					 .request_names = &names };
	struct btf *btf = btf__load_vmlinux_btf();

	selection = (struct selection){
		.ops = ALL_OPS,
		.streams = 1u << STREAM_FS | 1u << STREAM_BLOCK | 1u << STREAM_NW_CONN,
	};
	memory__plan(&plan, 0, 1);
	cr_assert_eq(request_names__read(&names, btf), 0);
	btf__free(btf);
	cr_assert_eq(clock__new(&clk), 0);
	config.clock = clk;
	cr_assert_eq(encoder__new(&enc, &config), 0);
}

static void teardown(void)
{
	encoder__free(enc);
	clock__free(clk);
}

/* A parser for RFC 4180, written independently of src/base/csv.c. */
static size_t split(char *p, char *end)
{
	const char *begin = p;
	size_t n = 0;

	cr_assert_eq(end[-1], '\n');
	end[-1] = 0;
	for (;;) {
		char *to;

		cr_assert_lt(n, FIELDS_MAX);
		fields[n++] = to = p;
		if (*p == '"') {
			for (p++; *p != '"' || p[1] == '"'; p++) {
				cr_assert(*p, "an open quote");
				p += *p == '"';
				*to++ = *p;
			}
			p++;
		} else {
			while (*p && *p != ',')
				*to++ = *p++;
		}
		field_ends[n - 1] = p - begin;
		if (!*p) {
			*to = 0;
			return n;
		}
		cr_assert_eq(*p, ',');
		p++;
		*to = 0;
	}
}

static const char *field(enum stream stream, const char *column)
{
	for (size_t i = 0; i < schema_streams[stream].n_columns; i++)
		if (!strcmp(schema_streams[stream].columns[i].name, column))
			return fields[i];
	cr_assert_fail("no column %s", column);
	return NULL;
}

/* The marks of a row are the ends of these columns. */
static const char *const parts[ROW_PARTS] = {
	[PART_COMMAND] = "command",
	[PART_FILENAME] = "filename",
	[PART_SIZE] = "size",
	[PART_OFFSET] = "offset",
	[PART_BYTES] = "bytes_completed",
	[PART_INODE] = "inode",
	[PART_DEVICE] = "device",
	[PART_FLAGS] = "flags",
	[PART_DURATION] = "duration_ns",
	[PART_RETURN] = "return_value",
	[PART_ADDRESS] = "address",
	[PART_FS_TYPE] = "fs_type",
	[PART_MONO] = "mono_ns",
};

static void assert_marks(enum stream stream)
{
	for (int part = 0; part < ROW_PARTS && MARKED_STREAMS >> stream & 1; part++)
		for (size_t i = 0; i < schema_streams[stream].n_columns; i++)
			if (!strcmp(schema_streams[stream].columns[i].name, parts[part]))
				cr_assert_eq(enc->mark->end[part], (uint16_t)field_ends[i], "%s",
					     parts[part]);
}

static void encode_row(enum stream stream,
		       char *(*encode)(struct encoder *, const void *, size_t, char *),
		       const void *record, size_t size)
{
	char *end = encode(enc, record, size, row);

	cr_assert_not_null(end, "left out");
	cr_assert_eq(split(row, end), schema_streams[stream].n_columns);
	assert_marks(stream);
}

static void define_path(uint64_t id, const char *path, const char *type, uint32_t mode,
			uint32_t flags)
{
	size_t len = strlen(path);
	struct rec_path *r = calloc(1, sizeof(*r) + len);

	r->type = REC_PATH;
	r->kind = path[0] == '/' ? PATH_NAMED : PATH_SPECIAL;
	r->len = len;
	r->id = id;
	r->ino = 42;
	r->dev = 259 << 20 | 300;
	r->mode = mode;
	r->flags = flags;
	strcpy(r->fs_type, type);
	memcpy(r->path, path, len);
	encoder__define(enc, r, sizeof(*r) + len);
	free(r);
}

static void define_task(uint64_t id, const char *cmdline, size_t len)
{
	struct rec_task *r = calloc(1, sizeof(*r) + len);

	r->type = REC_TASK;
	r->len = len;
	r->pid = 10;
	r->tid = 11;
	r->ppid = 12;
	r->id = id;
	r->cgroup = 13;
	r->cmdline_cut = len == CMDLINE_BYTES;
	strcpy(r->comm, "a,b");
	memcpy(r->cmdline, cmdline, len);
	encoder__define(enc, r, sizeof(*r) + len);
	free(r);
}

static struct rec_fs an_fs_record(uint8_t op)
{
	return (struct rec_fs){
		.type = REC_FS,
		.op = op,
		.ns = clock__mono_ns(),
		.duration = 5,
		.task = 1,
		.path = 2,
	};
}

TestSuite(encode, .init = setup, .fini = teardown);

Test(encode, a_read)
{
	struct rec_fs r = an_fs_record(FS_READ);

	define_task(1, "cat\0/x y\0", 9);
	define_path(2, "/d/it\"s, \x01\\", "ext4", S_IFREG | 0644, PATH_DELETED);
	r.has = FS_HAS_SIZE | FS_HAS_OFFSET | FS_HAS_BYTES | FS_HAS_FILE_FLAGS;
	r.size = 4096;
	r.offset = 8192;
	r.ret = 100;
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_FS, "operation"), "read");
	cr_assert_str_eq(field(STREAM_FS, "pid"), "10");
	cr_assert_str_eq(field(STREAM_FS, "tid"), "11");
	cr_assert_str_eq(field(STREAM_FS, "command"), "a,b");
	cr_assert_str_eq(field(STREAM_FS, "filename"), "/d/it\"s, \\x01\\\\");
	cr_assert_str_eq(field(STREAM_FS, "size"), "4096");
	cr_assert_str_eq(field(STREAM_FS, "offset"), "8192");
	cr_assert_str_eq(field(STREAM_FS, "bytes_completed"), "100");
	cr_assert_str_eq(field(STREAM_FS, "inode"), "42");
	cr_assert_str_eq(field(STREAM_FS, "device"), "259:300");
	cr_assert_str_eq(field(STREAM_FS, "flags"), "O_RDONLY|DELETED");
	cr_assert_str_eq(field(STREAM_FS, "duration_ns"), "5");
	cr_assert_str_eq(field(STREAM_FS, "return_value"), "100");
	cr_assert_str_eq(field(STREAM_FS, "errno"), "");
	cr_assert_str_eq(field(STREAM_FS, "cmdline"), "cat /x y");
	cr_assert_str_eq(field(STREAM_FS, "ppid"), "12");
	cr_assert_str_eq(field(STREAM_FS, "container_id"), "13");
	cr_assert_str_eq(field(STREAM_FS, "fs_type"), "ext4");
	cr_assert_eq(strtoull(field(STREAM_FS, "mono_ns"), NULL, 10), r.ns);
}

Test(encode, a_failure_moves_nothing)
{
	struct rec_fs r = an_fs_record(FS_WRITE);

	define_path(2, "/f", "ext4", S_IFREG, 0);
	r.has = FS_HAS_BYTES;
	r.ret = -28;
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_FS, "return_value"), "-28");
	cr_assert_str_eq(field(STREAM_FS, "errno"), "ENOSPC");
	cr_assert_str_eq(field(STREAM_FS, "bytes_completed"), "");
}

Test(encode, a_long_command_line_says_so)
{
	struct rec_fs r = an_fs_record(FS_FSYNC);
	char args[CMDLINE_BYTES];
	const char *cmdline;

	memset(args, 'x', sizeof(args));
	define_task(1, args, sizeof(args));
	define_path(2, "/f", "ext4", S_IFREG, 0);
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cmdline = field(STREAM_FS, "cmdline");
	cr_assert_eq(strlen(cmdline), CMDLINE_BYTES + 3);
	cr_assert_str_eq(cmdline + CMDLINE_BYTES, "...");
}

static size_t requested(struct rec_fs_long *r, const char *one, const char *two)
{
	r->fs.type = REC_FS_LONG;
	r->fs.path = 0;
	r->has |= LONG_HAS_REQUESTED | (two ? LONG_HAS_REQUESTED2 : 0);
	r->len = strlen(one);
	r->len2 = two ? strlen(two) : 0;
	memcpy(r->requested, one, r->len);
	if (two)
		memcpy(r->requested + r->len, two, r->len2);
	return sizeof(*r) + r->len + r->len2;
}

Test(encode, requested_paths_are_made_absolute)
{
	union {
		struct rec_fs_long r;
		char capacity[1024];
	} u = { .r.fs = an_fs_record(FS_RENAME) };
	size_t size;

	define_path(3, "/home/u", "ext4", S_IFDIR, 0);
	u.r.base = u.r.base2 = 3;
	u.r.fs.ret = -2;
	size = requested(&u.r, "../a -> b", "/x/./y");
	encode_row(STREAM_FS, encode__fs, &u, size);
	cr_assert_str_eq(field(STREAM_FS, "filename"), "/home/a\\x20-> b -> /x/y");
	cr_assert_str_eq(field(STREAM_FS, "inode"), "");
	cr_assert_str_eq(field(STREAM_FS, "errno"), "ENOENT");
}

Test(encode, the_longest_paths_fit)
{
	static union {
		struct rec_fs_long r;
		char capacity[sizeof(struct rec_fs_long) + 2 * PATH_BYTES];
	} u;
	static char base[PATH_BYTES], worst[PATH_BYTES];
	size_t size;
	char *end;

	/* Each byte takes four bytes in a row, and quotes are doubled. */
	memset(base, 0x01, sizeof(base) - 1);
	base[0] = '/';
	memset(worst, '"', sizeof(worst) - 1);
	worst[1] = 0x02;
	define_path(3, base, "ext4", S_IFDIR, 0);
	u.r.fs = an_fs_record(FS_RENAME);
	u.r.base = u.r.base2 = 3;
	size = requested(&u.r, worst, worst);
	cr_assert_leq(size, sizeof(u));
	encode_row(STREAM_FS, encode__fs, &u, size);
	cr_assert_gt(strlen(field(STREAM_FS, "filename")), 2 * 4 * (size_t)(PATH_BYTES - 2));
	cr_assert_not(encode__is_short(enc, &record_kinds[REC_FS_LONG], &u));

	u.r.fs = an_fs_record(FS_GETATTR);
	u.r.has = 0;
	size = requested(&u.r, memset(worst, 0x01, sizeof(worst) - 1), NULL);
	cr_assert(encode__is_short(enc, &record_kinds[REC_FS_LONG], &u));
	end = encode__fs(enc, &u, size, row);
	cr_assert_gt(end - row, 4 * (2 * PATH_BYTES - 4));
	cr_assert_leq(end - row, ROW_SHORT_MAX);
}

Test(encode, scope_and_path_leave_out)
{
	struct rec_fs r = an_fs_record(FS_READ);

	define_path(2, "/dev/x", "devtmpfs", S_IFREG, 0);
	cr_assert_null(encode__fs(enc, &r, sizeof(r), row));
	define_path(2, "/a/b", "ext4", S_IFREG, 0);
	cr_assert_not_null(encode__fs(enc, &r, sizeof(r), row));
	selection.paths.n = 1;
	selection.paths.at[0] = (struct path_prefix){ "/a/bc", 5 };
	define_path(2, "/a/b", "ext4", S_IFREG, 0);
	cr_assert_null(encode__fs(enc, &r, sizeof(r), row));
	define_path(2, "/a/bc/d", "ext4", S_IFREG, 0);
	cr_assert_not_null(encode__fs(enc, &r, sizeof(r), row));
}

/* Found by fuzzing: a name that fills its buffer to the end (AddressSanitizer detects an
 * overrun). */
Test(encode, a_file_system_without_end)
{
	struct rec_path *path = calloc(1, sizeof(*path));
	struct rec_fs r = an_fs_record(FS_READ);

	path->type = REC_PATH;
	path->kind = PATH_SPECIAL;
	path->id = 2;
	path->ino = 42;
	path->mode = S_IFREG;
	memset(path->fs_type, 'x', sizeof(path->fs_type));
	cr_assert(encode__sound(path, sizeof(*path)));
	encoder__define(enc, path, sizeof(*path));
	free(path);
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_FS, "filename"), "xxxxxxxxxxxxxxx:[42]");
}

/* Found by fuzzing: a type that would split a row into two lines. */
Test(encode, a_file_system_that_no_kernel_has)
{
	struct rec_fs r = an_fs_record(FS_READ);

	define_path(2, "/a", "ab\nc", S_IFREG, 0);
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_FS, "filename"), "/a");
	cr_assert_str_eq(field(STREAM_FS, "fs_type"), "");
}

Test(encode, a_missing_definition_is_noticed)
{
	struct rec_fs r = an_fs_record(FS_READ);

	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_eq(enc->faults[FAULT_THREAD], 1);
	cr_assert_eq(enc->faults[FAULT_FILE], 1);
	cr_assert_eq(enc->faults[FAULT_RECORD], 0);
	cr_assert_str_eq(field(STREAM_FS, "filename"), "");
}

Test(encode, every_operation_has_all_columns)
{
	define_task(1, "x", 1);
	define_path(2, "/f", "ext4", S_IFREG, 0);
	for (int op = 1; op < FS_OP_COUNT; op++) {
		struct rec_fs_long r = { .fs = an_fs_record(op) };

		r.fs.type = REC_FS_LONG;
		r.fs.has = (u16)~0;
		r.has = ~(LONG_HAS_REQUESTED | LONG_HAS_REQUESTED2 | LONG_LINK_TARGET |
			  LONG_TWO_FILES);
		r.fs.flags = 0x00ffffff;
		r.aux = r.aux2 = 0xffffffff;
		r.address = 0x1000;
		encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	}
}

Test(encode, a_mapping)
{
	struct rec_fs_long r = { .fs = an_fs_record(FS_MMAP) };

	define_path(2, "/f", "ext4", S_IFREG, 0);
	r.fs.type = REC_FS_LONG;
	r.has = LONG_HAS_ADDRESS | LONG_HAS_PROT;
	r.address = 0x7f0000001000;
	r.aux = PROT_READ | PROT_EXEC;
	r.aux2 = MAP_PRIVATE | MAP_FIXED;
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_FS, "address"), "0x7f0000001000");
	cr_assert_str_eq(field(STREAM_FS, "mmap_prot"), "PROT_READ|PROT_EXEC");
	cr_assert_str_eq(field(STREAM_FS, "mmap_flags"), "MAP_PRIVATE|MAP_FIXED");
}

Test(encode, ends_of_processes)
{
	struct rec_fs r = an_fs_record(FS_PROCESS_EXIT);

	r.path = 0;
	r.flags = 3 << 8;
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_FS, "return_value"), "3");
	cr_assert_str_eq(field(STREAM_FS, "flags"), "");
	r.flags = 11 | 0x80;
	encode_row(STREAM_FS, encode__fs, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_FS, "return_value"), "139");
	cr_assert_str_eq(field(STREAM_FS, "flags"), "SIGSEGV|CORE_DUMPED");
}

Test(encode, a_block_request)
{
	struct rec_block r = {
		.type = REC_BLOCK,
		.cpu = 3,
		.bytes = 4096,
		.ns = 50000000,
		.insert_ns = 10000000,
		.issue_ns = 20000000,
		.task = 1,
		.sector = 8,
		.request_id = 9,
		.dev = 8 << 20,
		.cmd_flags = 1,
	};

	define_task(1, "x", 1);
	encode_row(STREAM_BLOCK, encode__block, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_BLOCK, "operation"), "write");
	cr_assert_str_eq(field(STREAM_BLOCK, "operation_code"), "REQ_OP_WRITE");
	cr_assert_str_eq(field(STREAM_BLOCK, "latency_ms"), "30.000000");
	cr_assert_str_eq(field(STREAM_BLOCK, "queue_latency_ms"), "10.000000");
	cr_assert_str_eq(field(STREAM_BLOCK, "sector"), "8");
	cr_assert_str_eq(field(STREAM_BLOCK, "device"), "8:0");
	cr_assert_str_eq(field(STREAM_BLOCK, "ppid"), "12");

	/* Found by fuzzing: an error whose negation overflows (UndefinedBehaviorSanitizer). */
	r.error = INT32_MIN;
	encode_row(STREAM_BLOCK, encode__block, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_BLOCK, "flags"), "error=EIO");
}

Test(encode, connections)
{
	struct rec_conn r = {
		.type = REC_CONN,
		.op = CONN_CONNECT,
		.fd = 4,
		.ns = clock__mono_ns(),
		.task = 1,
		.ends = { .family = AF_INET6,
			  .sock_type = SOCK_STREAM,
			  .sport = 1,
			  .dport = 2,
			  .has_local = 1,
			  .has_remote = 1 },
	};

	memcpy(r.ends.ip.local, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	memcpy(r.ends.ip.remote, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\2", 16);
	encode_row(STREAM_NW_CONN, encode__conn, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_NW_CONN, "ipver"), "4");
	cr_assert_str_eq(field(STREAM_NW_CONN, "local_addr"), "127.0.0.1");
	cr_assert_str_eq(field(STREAM_NW_CONN, "remote_addr"), "127.0.0.2");

	r.op = CONN_ACCEPT;
	r.ends = (struct conn_ends){ .family = AF_UNIX, .sock_type = SOCK_STREAM, .has_local = 5 };
	memcpy(r.ends.un.local, "\0a,\x01z", 5);
	encode_row(STREAM_NW_CONN, encode__conn, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_NW_CONN, "local_addr"), "@a,\\x01z");
	cr_assert_str_eq(field(STREAM_NW_CONN, "remote_addr"), "");
}

Test(encode, a_flow)
{
	struct rec_flow r = {
		.type = REC_FLOW,
		.event = FLOW_END,
		.proto = IPPROTO_TCP,
		.state = 1,
		.ns = clock__mono_ns(),
		.duration = 5,
		.bytes_sent = UINT64_MAX,
		.min_rtt_us = 7,
		.pid = 11,
		.tid = 12,
		.cgroup = 13,
		.comm = "a,b",
		.ends = { .family = AF_INET,
			  .sport = 1,
			  .dport = 2,
			  .has_local = 1,
			  .has_remote = 1,
			  .ip = { .local = { 127, 0, 0, 1 }, .remote = { 127, 0, 0, 2 } } },
	};

	cr_assert(encode__sound(&r, sizeof(r)));
	encode_row(STREAM_NW_FLOW, encode__flow, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_NW_FLOW, "event_type"), "END");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "tid"), "12");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "remote_addr"), "127.0.0.2");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "bytes_sent"), "18446744073709551615");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "srtt_us"), "");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "min_rtt_us"), "7");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "duration_ns"), "5");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "state"), "TCP_ESTABLISHED");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "container_id"), "13");

	r.duration = DURATION_UNKNOWN;
	r.min_rtt_us = FLOW_NO_RTT;
	r.pid = 0;
	encode_row(STREAM_NW_FLOW, encode__flow, &r, sizeof(r));
	for (const char *const *name = (const char *const[]){ "pid", "tid", "command", "min_rtt_us",
							      "duration_ns", NULL };
	     *name; name++)
		cr_assert_str_eq(field(STREAM_NW_FLOW, *name), "");

	r.proto = 0;
	r.ends = (struct conn_ends){ .family = AF_UNIX, .sock_type = SOCK_STREAM, .has_remote = 3 };
	memcpy(r.ends.un.remote, "\0a,", 3);
	cr_assert(encode__sound(&r, sizeof(r)));
	encode_row(STREAM_NW_FLOW, encode__flow, &r, sizeof(r));
	cr_assert_str_eq(field(STREAM_NW_FLOW, "proto"), "UNIX_STREAM");
	cr_assert_str_eq(field(STREAM_NW_FLOW, "remote_addr"), "@a,");
	for (const char *const *name =
		     (const char *const[]){ "segments_sent", "retransmits", "state", NULL };
	     *name; name++)
		cr_assert_str_eq(field(STREAM_NW_FLOW, *name), "");

	/* No socket has such ends. */
	r.ends.has_remote = UNIX_PATH_BYTES + 1;
	cr_assert_not(encode__sound(&r, sizeof(r)));
	r.ends.has_remote = 0;
	r.ends.given = AF_INET6;
	cr_assert_not(encode__sound(&r, sizeof(r)));
}
