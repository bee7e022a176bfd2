// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/memory.h"
#include "options/options.h"
#include "platform/macros.h"
#include "root.h"

static struct options o;
static char message[OPTIONS_MESSAGE_MAX];

/* Parses LINE, split at blanks. LINE is unchanged; o's strings point into a copy. */
static int parse(const char *line)
{
	static char copy[4096], *argv[64];
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	argv[argc++] = "iotrc";
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	memset(&o, 0xee, sizeof(o)); /* untouched on failure */
	message[0] = 0;
	return options__parse(&o, argc, argv, message);
}

static void accepts(const char *line)
{
	cr_assert_eq(parse(line), 0, "%s: %s", line, message);
}

static void refuses(const char *line, const char *why)
{
	struct options untouched;

	memset(&untouched, 0xee, sizeof(untouched));
	cr_expect_eq(parse(line), -EINVAL, "%s", line);
	cr_expect_str_eq(message, why, "%s: %s", line, message);
	cr_expect_eq(memcmp(&o, &untouched, sizeof(o)), 0, "%s: written to", line);
}

#define CACHE_STREAMS (1u << STREAM_CACHE | 1u << STREAM_PAGEFAULT)
/* The default of a small machine. */
#define DEFAULT_STREAMS (1u << STREAM_FS | 1u << STREAM_BLOCK | 1u << STREAM_NW_CONN)

Test(options, defaults)
{
	accepts("");
	cr_assert_eq(o.action, ACTION_RECORD);
	cr_assert_str_eq(o.output, "./iotrc-traces");
	cr_assert_eq(o.selection.streams & ~CACHE_STREAMS, DEFAULT_STREAMS);
	cr_assert_eq(o.duration_ns, 0);
	cr_assert_eq(o.rotate_age_s, 900);
	cr_assert_eq(o.rotate_bytes, 64 * 1024 * 1024);
	cr_assert_eq(o.rotate_rows, 0);
	cr_assert(!o.dev && !o.quiet && !o.verbose && !o.selection.scope_all && !o.bucket);
	cr_assert(!o.selection.n_pids && !o.selection.commands.n && !o.selection.paths.n &&
		  !o.selection.n_cgroups);
	for (int op = 1; op < FS_OP_COUNT; op++)
		cr_assert(selection__op(&o.selection, op));
	cr_assert(!selection__op(&o.selection, FS_NONE));
}

Test(options, actions_end_the_parsing)
{
	static const struct {
		const char *line;
		enum options_action action;
	} rows[] = {
		{ "-h", ACTION_HELP },
		{ "--help", ACTION_HELP },
		{ "-V", ACTION_VERSION },
		{ "--version", ACTION_VERSION },
		{ "--computer-id", ACTION_COMPUTER_ID },
		{ "dev -qh", ACTION_HELP },
		{ "-o x --help --nonsense", ACTION_HELP },
		{ "-Vz", ACTION_VERSION },
		{ "-h -V", ACTION_HELP },
		{ "--no-network --streams lost -h", ACTION_HELP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		accepts(rows[i].line);
		cr_expect_eq(o.action, rows[i].action, "%s", rows[i].line);
	}
}

Test(options, output_in_every_spelling)
{
	static const char *const lines[] = { "-o d/e",       "-od/e",  "--output d/e",
					     "--output=d/e", "-vod/e", "-o x -o d/e" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		accepts(lines[i]);
		cr_expect_str_eq(o.output, "d/e", "%s", lines[i]);
	}
	accepts("--output=a=b");
	cr_expect_str_eq(o.output, "a=b");
	refuses("--output=", "--output: '' is not a directory's name");
	refuses("-o", "--output: needs a value (DIR)");
}

Test(options, any_order_and_after_dev)
{
	static const char *const lines[] = {
		"dev -o out -d 5m --streams fs --trace-bucket b1 -v",
		"-o out -d 5m --streams fs --trace-bucket b1 -v dev",
		"-v --trace-bucket=b1 --streams=fs dev -d5m -oout",
		"--trace-bucket b1 -vd 5m -o out --streams fs -- dev",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		accepts(lines[i]);
		cr_expect(o.dev && o.verbose, "%s", lines[i]);
		cr_expect_str_eq(o.output, "out");
		cr_expect_str_eq(o.bucket, "b1");
		cr_expect_eq(o.duration_ns, UINT64_C(300000000000));
		cr_expect_eq(o.selection.streams, 1u << STREAM_FS);
	}
}

Test(options, times)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} rows[] = {
		{ "30s", UINT64_C(30000000000) },
		{ "5m", UINT64_C(300000000000) },
		{ "2h", UINT64_C(7200000000000) },
		{ "1d", UINT64_C(86400000000000) },
		{ "0.5s", 500000000 },
		{ "1.5h", UINT64_C(5400000000000) },
		{ "250ms", 250000000 },
		{ ".25s", 250000000 },
		{ "007s", UINT64_C(7000000000) },
	};
	static const char *const bad[] = {
		"x",    "5",          "0s",
		"0.0m", "-5s",        "+5s",
		"s",    ".s",         "1.2.3s",
		"5x",   "5sm",        "5S",
		"1e9s", "0x5s",       "infs",
		"nans", "999999999d", "99999999999999999999999999999999999999s",
		"5s,",
	};
	char line[128], why[128];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(line, sizeof(line), "-d %s", rows[i].text);
		accepts(line);
		cr_expect_eq(o.duration_ns, rows[i].ns, "%s", line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "--duration %s", bad[i]);
		snprintf(why, sizeof(why), "--duration: '%s' is not a time (30s, 5m, 2h)", bad[i]);
		refuses(line, why);
		snprintf(line, sizeof(line), "--rotate-age %s", bad[i]);
		snprintf(why, sizeof(why), "--rotate-age: '%s' is not a time (30s, 5m, 2h)",
			 bad[i]);
		refuses(line, why);
	}
}

Test(options, rotation)
{
	accepts("--rotate-age 90s --rotate-size 512K --rotate-rows 1000");
	cr_assert_eq(o.rotate_age_s, 90);
	cr_assert_eq(o.rotate_bytes, 512 * 1024);
	cr_assert_eq(o.rotate_rows, 1000);
	accepts("--rotate-age 100ms --rotate-size 3g --rotate-rows 0");
	cr_assert_eq(o.rotate_age_s, 1);
	cr_assert_eq(o.rotate_bytes, UINT64_C(3) << 30);
	cr_assert_eq(o.rotate_rows, 0);
	accepts("--rotate-age 100000d --rotate-size 4096 --rotate-rows 18446744073709551615");
	cr_assert_eq(o.rotate_age_s, UINT32_MAX); /* not wrapped */
	cr_assert_eq(o.rotate_bytes, 4096);
	cr_assert_eq(o.rotate_rows, UINT64_MAX);

	refuses("--rotate-size 0", "--rotate-size: '0' is not a size (512K, 64M, 1G)");
	refuses("--rotate-size 5_", "--rotate-size: '5_' is not a size (512K, 64M, 1G)");
	refuses("--rotate-size 64MB", "--rotate-size: '64MB' is not a size (512K, 64M, 1G)");
	refuses("--rotate-size -1", "--rotate-size: '-1' is not a size (512K, 64M, 1G)");
	refuses("--rotate-size=", "--rotate-size: '' is not a size (512K, 64M, 1G)");
	refuses("--rotate-size 18014398509481984K",
		"--rotate-size: '18014398509481984K' is not a size (512K, 64M, 1G)");
	refuses("--rotate-rows 1K", "--rotate-rows: '1K' is not a number of rows (0: never)");
	refuses("--rotate-rows 18446744073709551616",
		"--rotate-rows: '18446744073709551616' is not a number of rows (0: never)");
}

Test(options, a_blank_is_no_suffix)
{
	char *argv[] = { "iotrc", "--rotate-size", "5 ", NULL };

	cr_assert_eq(options__parse(&o, 3, argv, message), -EINVAL);
}

Test(options, streams)
{
	accepts("--streams block,fs");
	cr_assert_eq(o.selection.streams, 1u << STREAM_FS | 1u << STREAM_BLOCK);
	accepts("--streams nw_conn,lost");
	cr_assert_eq(o.selection.streams, 1u << STREAM_NW_CONN);
	cr_assert(selection__stream(&o.selection, STREAM_NW_CONN) &&
		  !selection__stream(&o.selection, STREAM_FS));
	accepts("--streams fs --streams block");
	cr_assert_eq(o.selection.streams, 1u << STREAM_BLOCK);
	accepts("--no-network");
	cr_assert_eq(o.selection.streams, 1u << STREAM_FS | 1u << STREAM_BLOCK);
	accepts("--no-network --streams fs,nw_conn");
	cr_assert_eq(o.selection.streams, 1u << STREAM_FS | 1u << STREAM_NW_CONN);
	accepts("--no-cache --no-upload");
	cr_assert_eq(o.selection.streams & ~CACHE_STREAMS, DEFAULT_STREAMS);

	refuses("--streams fs,bogus",
		"--streams: no such stream: 'bogus' (fs, block, nw_conn, nw_epoll, nw_sockopt, nw_drop, nw_flow, cache, pagefault, extent)");
	refuses("--streams=",
		"--streams: no such stream: '' (fs, block, nw_conn, nw_epoll, nw_sockopt, nw_drop, nw_flow, cache, pagefault, extent)");
	refuses("--streams fs,",
		"--streams: no such stream: '' (fs, block, nw_conn, nw_epoll, nw_sockopt, nw_drop, nw_flow, cache, pagefault, extent)");
	refuses("--streams FS",
		"--streams: no such stream: 'FS' (fs, block, nw_conn, nw_epoll, nw_sockopt, nw_drop, nw_flow, cache, pagefault, extent)");
	refuses("--streams lost", "no stream is left to record");
	refuses("--streams nw_conn --no-network", "no stream is left to record");
}

Test(options, lineage)
{
	accepts("");
	cr_assert_not(o.selection.streams >> STREAM_EXTENT & 1);
	accepts("--lineage --no-cache");
	cr_assert_eq(o.selection.streams, DEFAULT_STREAMS | 1u << STREAM_EXTENT);
	accepts("--streams nw_conn --lineage"); /* its rows join those of block */
	cr_assert_eq(o.selection.streams,
		     1u << STREAM_NW_CONN | 1u << STREAM_BLOCK | 1u << STREAM_EXTENT);
}

Test(options, cache)
{
	accepts("--cache");
	cr_assert_eq(o.selection.streams, DEFAULT_STREAMS | CACHE_STREAMS);
	accepts("--no-cache");
	cr_assert_eq(o.selection.streams, DEFAULT_STREAMS);
	accepts("--streams pagefault,nw_drop");
	cr_assert_eq(o.selection.streams, 1u << STREAM_PAGEFAULT | 1u << STREAM_NW_DROP);
	accepts("--cache --cache-sample 64");
	cr_assert_eq(o.selection.cache_sample, 64);
	refuses("--no-cache --cache-sample 2", "--cache-sample: only with the cache stream");
	refuses("--cache --cache-sample 0",
		"--cache-sample: '0' is not a number of pages (1 to 1024K)");
	cr_assert(options__cache_affordable(8, UINT64_C(16) << 30));
	cr_assert_not(options__cache_affordable(7, UINT64_C(64) << 30));
	cr_assert_not(options__cache_affordable(64, UINT64_C(8) << 30));
}

Test(options, streams_of_other_versions)
{
	static const char *const keys[] = { "process", "filesystem_snapshot" };
	char line[64], why[64];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(line, sizeof(line), "--streams fs,%s", keys[i]);
		snprintf(why, sizeof(why), "--streams: %s: not in this build", keys[i]);
		refuses(line, why);
	}
}

Test(options, operations)
{
	accepts("--ops open,process_exit,rename");
	cr_assert_eq(o.selection.ops, UINT64_C(1) << FS_OPEN | UINT64_C(1) << FS_PROCESS_EXIT |
					      UINT64_C(1) << FS_RENAME);
	refuses("--ops open,opn", "--ops: no such operation: 'opn' (open, read, ...)");
	refuses("--ops=", "--ops: no such operation: '' (open, read, ...)");
	refuses("--ops read --streams block", "--ops: only with the fs stream");
	refuses("--streams block --path /a", "--path: only with the fs stream");
	refuses("--streams nw_conn --scope all", "--scope: only with the fs stream");
}

Test(options, scope)
{
	accepts("--scope all");
	cr_assert(o.selection.scope_all);
	accepts("--scope all --scope files");
	cr_assert(!o.selection.scope_all);
	refuses("--scope some", "--scope: 'some' is neither files nor all");
}

Test(options, attach)
{
	accepts("");
	cr_assert_eq(o.selection.attach, ATTACH_AUTO);
	accepts("--attach raw");
	cr_assert_eq(o.selection.attach, ATTACH_RAW);
	accepts("--attach=classic");
	cr_assert_eq(o.selection.attach, ATTACH_CLASSIC);
	accepts("--attach functions");
	cr_assert_eq(o.selection.attach, ATTACH_FUNCTIONS);
	accepts("--attach raw --attach auto");
	cr_assert_eq(o.selection.attach, ATTACH_AUTO);
	refuses("--attach fentry", "--attach: 'fentry' is not auto, raw, classic or functions");
	refuses("--attach=", "--attach: '' is not auto, raw, classic or functions");
}

Test(options, pids)
{
	accepts("--pid 1,4194304 --pid 77");
	cr_assert_eq(o.selection.n_pids, 3);
	cr_assert(o.selection.pids[0] == 1 && o.selection.pids[1] == 4194304 &&
		  o.selection.pids[2] == 77);
	accepts("--pid 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16");
	cr_assert_eq(o.selection.n_pids, 16);
	refuses("--pid 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "--pid: more than 16");
	refuses("--pid 0", "--pid: '0' is not a process id");
	refuses("--pid -1", "--pid: '-1' is not a process id");
	refuses("--pid 4194305", "--pid: '4194305' is not a process id");
	refuses("--pid self", "--pid: 'self' is not a process id");
	refuses("--pid 1,,2", "--pid: '' is not a process id");
}

Test(options, commands)
{
	accepts("--command dd,123456789012345 --command git");
	cr_assert_eq(o.selection.commands.n, 3);
	cr_assert_str_eq(o.selection.commands.names[0], "dd");
	cr_assert_str_eq(o.selection.commands.names[1], "123456789012345");
	cr_assert_str_eq(o.selection.commands.names[2], "git");
	for (size_t i = 2; i < sizeof(o.selection.commands.names[0]); i++)
		cr_assert_eq(o.selection.commands.names[0][i], 0, "compared whole in the kernel");
	accepts("--command a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p");
	refuses("--command a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "--command: more than 16");
	refuses("--command 1234567890123456",
		"--command: '1234567890123456' has more than the 15 bytes that the kernel keeps of "
		"a name");
	refuses("--command=", "--command: an empty name");
	refuses("--command a,,b", "--command: an empty name");
}

Test(options, paths)
{
	accepts("--path /home/ --path /a/..b/.c --path /");
	cr_assert_eq(o.selection.paths.n, 3);
	cr_assert(o.selection.paths.at[0].len == 5 &&
		  !strncmp(o.selection.paths.at[0].text, "/home", 5));
	cr_assert_eq(o.selection.paths.at[1].len, strlen("/a/..b/.c"));
	cr_assert_eq(o.selection.paths.at[2].len, 0);

	static const struct {
		const char *given, *absolute;
	} normalized[] = {
		{ "home", "/usr/home" }, { "./x", "/usr/x" },  { "../etc/", "/etc" },
		{ ".", "/usr" },         { "/a/../b", "/b" },  { "/a/./b", "/a/b" },
		{ "/a/..", "" },         { "/a//b/", "/a/b" }, { "/..", "" },
	};
	char line[64];

	cr_assert_eq(chdir("/usr"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(normalized); i++) {
		snprintf(line, sizeof(line), "--exclude-path=%s", normalized[i].given);
		accepts(line);
		cr_expect_eq(o.selection.excluded_paths.at[0].len, strlen(normalized[i].absolute));
		cr_expect(!strncmp(o.selection.excluded_paths.at[0].text, normalized[i].absolute,
				   strlen(normalized[i].absolute)));
		options__done(&o);
	}
	refuses("--path=", "--path: '' is not an absolute path free of //, . and ..");
	char many[256] = "";

	for (int i = 0; i < 17; i++)
		strcat(many, "--path /a ");
	refuses(many, "--path: more than 16");
}

Test(options, records_in_files)
{
	accepts("dev --keep-records f");
	cr_assert_str_eq(o.keep_records, "f");
	accepts("dev --replay f");
	cr_assert_str_eq(o.replay, "f");
	cr_assert(!o.snapshots.process_interval_ns && !o.snapshots.fs_interval_ns &&
		  !o.snapshots.system_spec);
	refuses("--keep-records f", "--keep-records: only with dev");
	refuses("--replay f", "--replay: only with dev");
	refuses("dev --replay=", "--replay: '' is not a file's name");
	refuses("dev --replay f --keep-records g", "--keep-records: not with --replay");
	refuses("dev -a --keep-records g", "--keep-records: not with --anonymize");
}

Test(options, trace_bucket)
{
	refuses("--trace-bucket b", "--trace-bucket: only with dev");
	refuses("dev --trace-bucket a/b",
		"--trace-bucket: 'a/b' is not a name (letters, digits, ._-)");
	refuses("dev --trace-bucket ..",
		"--trace-bucket: '..' is not a name (letters, digits, ._-)");
	refuses("dev --trace-bucket=", "--trace-bucket: '' is not a name (letters, digits, ._-)");
}

Test(options, verbose_and_quiet)
{
	accepts("-v");
	cr_assert(o.verbose && !o.quiet);
	accepts("-vq");
	cr_assert(!o.verbose && o.quiet);
	accepts("--quiet --verbose");
	cr_assert(o.verbose && !o.quiet);
	refuses("--quiet=1", "--quiet: takes no value");
}

Test(options, capacity)
{
	accepts("");
	cr_assert_eq(o.min_free, 1ull << 30);
	cr_assert_eq(o.min_free_percent, 5);
	cr_assert_eq(o.max_disk, 0);
	accepts("--min-free 300M --max-disk 10G");
	cr_assert_eq(o.min_free, 300ull << 20);
	cr_assert_eq(o.min_free_percent, 100);
	cr_assert_eq(o.max_disk, 10ull << 30);
	accepts("--min-free 7%");
	cr_assert_eq(o.min_free, UINT64_MAX);
	cr_assert_eq(o.min_free_percent, 7);
	accepts("--min-free off");
	cr_assert_eq(o.min_free, 0);
	refuses("--min-free 101%", "--min-free: '101%' is not a size (1G), a share (5%) or off");
	refuses("--min-free %", "--min-free: '%' is not a size (1G), a share (5%) or off");
	refuses("--min-free 1X", "--min-free: '1X' is not a size (1G), a share (5%) or off");
	refuses("--max-disk 15M", "--max-disk: '15M' is not a size from 16M on (512M, 10G)");
	refuses("--max-disk 1%", "--max-disk: '1%' is not a size from 16M on (512M, 10G)");
}

Test(options, on_overload)
{
	accepts("");
	cr_assert(!o.shed);
	accepts("--on-overload=lighten");
	cr_assert(o.shed);
	accepts("--on-overload=lighten --on-overload count");
	cr_assert(!o.shed);
	refuses("--on-overload=stop", "--on-overload: 'stop' is neither count nor lighten");
	refuses("--on-overload", "--on-overload: needs a value (count|lighten)");
}

Test(options, memory)
{
	uint64_t least = memory__least(memory__cpus()); /* depends on the machine */
	char line[64], why[96];

	refuses("--memory", "--memory: needs a value (SIZE)");
	refuses("--memory=lots", "--memory: 'lots' is not a size (128M, 1G)");
	refuses("--memory=", "--memory: '' is not a size (128M, 1G)");
	accepts("");
	cr_assert_eq(o.memory, 0);
	accepts("--memory 8G");
	cr_assert_eq(o.memory, UINT64_C(8) << 30);
	snprintf(line, sizeof(line), "--memory %llu", (unsigned long long)least);
	accepts(line);
	cr_assert_eq(o.memory, least);
	snprintf(why, sizeof(why), "--memory: '8M' is too little: at least %lluM on this machine",
		 (unsigned long long)((least + (1 << 20) - 1) >> 20));
	refuses("--memory 8M", why);
}

Test(options, anonymisation)
{
	static const char *const plain[] = { "-a",          "-va",
					     "-av",         "--anonymize",
					     "--anonimize", "--anonymize=keep-system --anonymize" };

	accepts("");
	cr_assert(!o.anonymize && !o.state);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		accepts(plain[i]);
		cr_expect(o.anonymize && !o.anonymize_keep_system, "%s", plain[i]);
	}
	accepts("-a --anonymize=keep-system --state /x");
	cr_expect(o.anonymize && o.anonymize_keep_system);
	cr_expect_str_eq(o.state, "/x");
	accepts("--anonimize=keep-system");
	cr_expect(o.anonymize_keep_system);
	refuses("--anonymize=all", "--anonymize: 'all' is not keep-system");
	refuses("--anonymize keep-system", "'keep-system': no such command, see iotrc --help");
	refuses("--state=", "--state: '' is not a directory's name");
}

Test(options, snapshots)
{
	accepts("");
	cr_assert_eq(o.snapshots.process_interval_ns, UINT64_C(300000000000));
	cr_assert_eq(o.snapshots.fs_interval_ns, UINT64_C(3600000000000));
	cr_assert(o.snapshots.system_spec && !o.snapshots.full && !o.snapshots.network_mounts);
	cr_assert_eq(o.snapshots.busy_percent, 40);
	accepts("--process-interval 1s --fs-interval 2d --fs-full --fs-busy 100 --network-mounts");
	cr_assert_eq(o.snapshots.process_interval_ns, 1000000000);
	cr_assert_eq(o.snapshots.fs_interval_ns, UINT64_C(172800000000000));
	cr_assert(o.snapshots.full && o.snapshots.network_mounts);
	cr_assert_eq(o.snapshots.busy_percent, 100);
	accepts("--process-interval off --fs-interval=off");
	cr_assert(!o.snapshots.process_interval_ns && !o.snapshots.fs_interval_ns &&
		  o.snapshots.system_spec);
	accepts("--no-snapshots");
	cr_assert(!o.snapshots.process_interval_ns && !o.snapshots.fs_interval_ns &&
		  !o.snapshots.system_spec);
	accepts("--no-snapshots --fs-interval 1h");
	cr_assert(o.snapshots.fs_interval_ns && !o.snapshots.process_interval_ns);
	refuses("--process-interval 500ms",
		"--process-interval: '500ms' is not a time from 1s on (30s, 5m), or off");
	refuses("--fs-interval never",
		"--fs-interval: 'never' is not a time from 1s on (30m, 2h), or off");
	refuses("--fs-busy 0", "--fs-busy: '0' is not a percentage (1 to 100)");
	refuses("--fs-busy 101", "--fs-busy: '101' is not a percentage (1 to 100)");
}

Test(options, commands_among_options)
{
	refuses("-q verify x", "verify: comes before its options");
	refuses("verfy x", "'verfy': no such command, did you mean verify?");
	refuses("uploda", "'uploda': no such command, did you mean upload?");
}

Test(options, unknown)
{
	refuses("--duratoin 5s", "--duratoin: no such option (--duration?), see iotrc --help");
	refuses("--strems=fs", "--strems: no such option (--streams?), see iotrc --help");
	refuses("--bogus", "--bogus: no such option, see iotrc --help");
	refuses("--x", "--x: no such option, see iotrc --help");
	refuses("--=x", "--: no such option, see iotrc --help");
	refuses("-z", "-z: no such option, see iotrc --help");
	refuses("-vz", "-z: no such option, see iotrc --help");
	refuses("frobnicate", "'frobnicate': no such command, see iotrc --help");
	refuses("-", "'-': no such command, see iotrc --help");
	refuses("-- -v", "'-v': no such command, see iotrc --help");
	refuses("--duration", "--duration: needs a value (TIME)");
}

Test(options, messages_are_one_line_whatever_the_argument)
{
	char *argv[] = { "iotrc", "a\nb\x1b[2J\x7f", NULL };
	char *huge = calloc(1, 200001), *argv2[] = { "iotrc", "-d", huge, NULL };

	cr_assert_eq(options__parse(&o, 2, argv, message), -EINVAL);
	cr_assert_str_eq(message, "'a?b?[2J?': no such command, see iotrc --help");
	memset(huge, '9', 200000);
	cr_assert_eq(options__parse(&o, 3, argv2, message), -EINVAL);
	cr_assert(strlen(message) < 200);
	cr_assert(strstr(message, "is not a time"));
	free(huge);
}

Test(options, long_items_do_not_fit_anything)
{
	char line[700];

	snprintf(line, sizeof(line), "--streams fs%0500d", 0);
	cr_assert_eq(parse(line), -EINVAL);
	snprintf(line, sizeof(line), "--pid %0500d", 1);
	cr_assert_eq(parse(line), -EINVAL);
}

Test(options, ops_less_some)
{
	accepts("--ops !getattr,access");
	cr_assert_eq(o.selection.ops,
		     ALL_OPS & ~(UINT64_C(1) << FS_GETATTR | UINT64_C(1) << FS_ACCESS));
	cr_assert(!o.selection.ops_listed, "those left out can match nothing");
	accepts("--ops read");
	cr_assert(o.selection.ops_listed);
	refuses("--ops !", "--ops: no such operation: '' (open, read, ...)");
	refuses("--ops read,!write", "--ops: no such operation: '!write' (open, read, ...)");
}

Test(options, users)
{
	accepts("--uid root,65534 --uid 7");
	cr_assert_eq(o.selection.n_uids, 3);
	cr_assert(o.selection.uids[0] == 0 && o.selection.uids[1] == 65534 &&
		  o.selection.uids[2] == 7);
	refuses("--uid nobody-of-that-name",
		"--uid: 'nobody-of-that-name' is not a user's name or number");
	refuses("--uid 4294967295", "--uid: '4294967295' is not a user's name or number");
	refuses("--uid=", "--uid: '' is not a user's name or number");
}

Test(options, results)
{
	accepts("--errors --slow 10ms");
	cr_assert(o.selection.errors && o.selection.slow_ns == 10000000);
	refuses("--slow fast", "--slow: 'fast' is not a time (10ms, 1s)");
	refuses("--streams block --exclude-path /x", "--exclude-path: only with the fs stream");
}

Test(options, cgroup_by_id)
{
	accepts("--cgroup 4242");
	cr_assert_eq(o.selection.cgroups[0], 4242);
	refuses("--cgroup 0", "--cgroup: no such cgroup (v2): '0'");
	refuses("--cgroup 99999999999999999999",
		"--cgroup: no such cgroup (v2): '99999999999999999999'");
}

/* The oracle is name_to_handle_at(2), whose kernfs handle is the cgroup id. */
Test(options, cgroup_by_path)
{
	char dir[] = "/tmp/iotrc-test-XXXXXX", line[128], path[64];
	struct {
		struct file_handle h;
		uint64_t id;
	} handle = { .h.handle_bytes = 8 };
	int mount_id;

	cr_assert(mkdtemp(dir));
	snprintf(line, sizeof(line), "--cgroup %s", dir);
	cr_expect_eq(parse(line), -EINVAL, "not a cgroup");
	if (mount("none", dir, "cgroup2", 0, NULL)) {
		int err = errno;

		rmdir(dir);
		errno = err;
		root__expect(false, "mount cgroup v2");
	}
	snprintf(path, sizeof(path), "%s/iotrc-unit-test", dir);
	if (!mkdir(path, 0755)) {
		uint64_t id;

		cr_expect_eq(name_to_handle_at(-1, path, &handle.h, &mount_id, 0), 0);
		memcpy(&id, handle.h.f_handle, sizeof(id));
		snprintf(line, sizeof(line), "--cgroup %s", path);
		cr_expect_eq(parse(line), 0, "%s", message);
		cr_expect_eq(o.selection.cgroups[0], id);
		cr_expect_eq(parse("--cgroup /iotrc-unit-test"), 0, "%s", message);
		cr_expect_eq(o.selection.cgroups[0], id);
		cr_expect_eq(parse("--cgroup iotrc-unit-test"), 0, "%s", message);
		cr_expect_eq(o.selection.cgroups[0], id);
		cr_expect_eq(parse("--cgroup iotrc-unit-test/none"), -EINVAL);
		cr_expect_eq(parse("--cgroup iotrc-unit-test/cgroup.procs"), -EINVAL);
		rmdir(path);
	}
	umount(dir);
	rmdir(dir);
}

Test(options, help_names_what_is_there_and_nothing_else)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	static const char *const there[] = {
		"-o, --output DIR",
		"-d, --duration TIME",
		"--streams LIST",
		"--no-network",
		"--no-cache",
		"--no-upload",
		"--cache",
		"--lineage",
		"--network",
		"--cache-sample N",
		"--rotate-age",
		"--rotate-size",
		"--rotate-rows",
		"--ops",
		"--pid",
		"--command",
		"--cgroup",
		"--path",
		"--scope",
		"-v, --verbose",
		"-q, --quiet",
		"--trace-bucket",
		"--keep-records FILE",
		"--replay FILE",
		"--dtrace PROGRAM",
		"-h, --help",
		"-V, --version",
		"--computer-id",
		"EXAMPLES:",
		"Exit codes:",
		"dev",
		"verify",
		"-a, --anonymize[=keep-system]",
		"--process-interval TIME|off",
		"--fs-interval TIME|off",
		"--no-snapshots",
		"--memory SIZE",
		"--on-overload count|lighten",
		"--upload-rate SIZE",
		"--upload URL",
		"--keep-uploaded[=yes|no]",
		"--reward",
		"upload DIR...",
	};
	static const char *const absent[] = { "--anonimize" };

	options__help(f);
	fclose(f);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		cr_expect(strstr(text, there[i]), "%s", there[i]);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		cr_expect(!strstr(text, absent[i]), "%s", absent[i]);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		cr_expect(strlen(line) < 80, "%s", line);
	free(text);
}

/* The unit tests run in the root of the tree. */
Test(options, the_manual_has_every_option)
{
	char *text, *manual = NULL, wanted[64];
	size_t len, n = 0;
	FILE *f = open_memstream(&text, &len), *page = fopen("man/iotrc.1", "r");

	cr_assert(page, "man/iotrc.1");
	cr_assert_gt(getdelim(&manual, &n, 0, page), 0);
	options__help(f);
	fclose(f);
	for (char *at = strstr(text, " --"); at; at = strstr(at + 3, " --")) {
		snprintf(wanted, sizeof(wanted), "Fl -%.*s", (int)strcspn(at + 3, " [\n"), at + 3);
		cr_expect(strstr(manual, wanted), "man/iotrc.1 lacks %s", wanted);
	}
	fclose(page);
	free(manual);
	free(text);
}

Test(options, upload)
{
	static const char *const urls[] = { "s3://b/p", "https://g", "file:///d" };
	char line[128];

	accepts("");
	cr_expect_null(o.upload.target.url);
	cr_expect(o.upload.keep);
	cr_expect_eq(o.upload.target.rate, 0);
	cr_expect_eq(o.upload.parallel, 2);
	cr_expect_eq(o.upload.timeout_ns, UINT64_C(30000000000));
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		snprintf(line, sizeof(line), "--upload %s", urls[i]);
		accepts(line);
		cr_expect_str_eq(o.upload.target.url, urls[i]);
	}
	accepts("--upload s3://b --no-upload");
	cr_expect_null(o.upload.target.url);
	accepts("--upload s3://b --s3-endpoint http://h --s3-region eu-1 --upload-credentials c "
		"--upload-ca a --upload-rate 2M --upload-parallel 16 --upload-timeout 5m "
		"--reward-code x");
	cr_expect_str_eq(o.upload.target.s3_endpoint, "http://h");
	cr_expect_str_eq(o.upload.target.s3_region, "eu-1");
	cr_expect_str_eq(o.upload.target.credentials, "c");
	cr_expect_str_eq(o.upload.target.ca_file, "a");
	cr_expect_eq(o.upload.target.rate, 2 << 20);
	cr_expect_eq(o.upload.parallel, 16);
	cr_expect_eq(o.upload.timeout_ns, UINT64_C(300000000000));
	cr_expect_str_eq(o.reward_code, "x");
	accepts("--telemetry");
	cr_expect(o.upload.telemetry);
	refuses("--telemetry=no", "--telemetry: takes no value");
	accepts("--keep-uploaded=no");
	cr_expect(!o.upload.keep);
	accepts("--keep-uploaded=no --keep-uploaded");
	cr_expect(o.upload.keep);
	refuses("--keep-uploaded=2", "--keep-uploaded: '2' is neither yes nor no");
	refuses("--upload=", "--upload: '' is not the URL of a target");
	refuses("--s3-region a/b", "--s3-region: 'a/b' is not a region (us-east-1)");
	refuses("--upload-rate 1",
		"--upload-rate: '1' is not bytes per second (from 1K on; 0: any)");
	refuses("--upload-parallel 0", "--upload-parallel: '0' is not a number of files (1 to 16)");
	refuses("--upload-parallel 17",
		"--upload-parallel: '17' is not a number of files (1 to 16)");
	refuses("--upload-timeout 0s", "--upload-timeout: '0s' is not a time (30s, 5m, 2h)");
	refuses("--test", "--test: only with upload");
	accepts("--reward --state /s");
	cr_expect_eq(o.action, ACTION_REWARD);
	cr_expect_str_eq(o.state, "/s");
}

Test(options, upload_command)
{
	accepts("upload a --upload file:///d b -- --c");
	cr_expect_eq(o.action, ACTION_UPLOAD);
	cr_assert_eq(o.n_dirs, 3);
	cr_expect_str_eq(o.dirs[0], "a");
	cr_expect_str_eq(o.dirs[1], "b");
	cr_expect_str_eq(o.dirs[2], "--c");
	options__done(&o);
	accepts("upload --test --upload file:///d");
	cr_expect(o.upload_test);
	accepts("upload --help");
	cr_expect_eq(o.action, ACTION_UPLOAD_HELP);
	refuses("upload a", "upload: no target; --upload URL, see iotrc upload --help");
	refuses("upload --upload file:///d", "upload: no DIR given, see iotrc upload --help");
	refuses("upload --upload file:///d --test x", "--test: takes no DIR");
	refuses("upload --upload file:///d --streams fs a",
		"--streams: not with upload, see iotrc upload --help");
	refuses("-q upload x", "upload: comes before its options");
}

/* As in the service's configuration. */
Test(options, upload_in_a_file)
{
	char path[] = "/tmp/iotrc-test-XXXXXX", line[128];
	static const char text[] = "upload = file:///d\nkeep-uploaded = no\nreward-code = a b\n";
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fd);
	snprintf(line, sizeof(line), "--config %s", path);
	accepts(line);
	cr_expect_str_eq(o.upload.target.url, "file:///d");
	cr_expect(!o.upload.keep);
	cr_expect_str_eq(o.reward_code, "a b");
	options__done(&o);
	snprintf(line, sizeof(line), "--config %s --keep-uploaded --no-upload", path);
	accepts(line);
	cr_expect(o.upload.keep && !o.upload.target.url);
	options__done(&o);
	snprintf(line, sizeof(line), "upload --config %s dir", path);
	accepts(line);
	cr_expect_eq(o.n_dirs, 1);
	cr_expect(!o.upload.keep);
	options__done(&o);
	unlink(path);
}

/* The file then also has the credentials, and is stored nowhere else. */
Test(options, secrets_in_a_file)
{
	char path[] = "/tmp/iotrc-test-XXXXXX", line[128];
	static const char text[] =
		"upload = s3://b\naws_access_key_id = K\naws_secret_access_key = hidden\n"
		"s3-region = eu-1\n";
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(fd);
	snprintf(line, sizeof(line), "--config %s", path);
	accepts(line);
	cr_expect_str_eq(o.upload.target.credentials, path);
	cr_expect_str_eq(o.upload.target.s3_region, "eu-1");
	cr_expect_null(memmem(o.config_text, sizeof(text), "hidden", 6));
	options__done(&o);
	snprintf(line, sizeof(line), "--config %s --upload-credentials other", path);
	accepts(line);
	cr_expect_str_eq(o.upload.target.credentials, "other");
	options__done(&o);
	unlink(path);
}
