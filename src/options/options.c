// SPDX-License-Identifier: GPL-2.0-or-later
#include "options/options_table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "dataset/memory.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define STREAMS_NETWORK \
	(STREAM_BIT(STREAM_NW_CONN) | STREAM_BIT(STREAM_NW_EPOLL) | \
	 STREAM_BIT(STREAM_NW_SOCKOPT) | STREAM_BIT(STREAM_NW_DROP) | STREAM_BIT(STREAM_NW_FLOW))
#define STREAM_NAME(symbol, key, ...) ", " #key
#define STREAM_NAMES CAPTURED_STREAMS(STREAM_NAME) /* begins with ", " */

/* ---- setters shared by several options: the row has the member ---- */

static int set_flag(struct parse *p, const char *value)
{
	*(bool *)option__member(p) = true;
	return 0;
}

static int set_file(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > OPTIONS_PATH_MAX)
		return option__is_not(p, p->row->name, value, "a file's name");
	*(const char **)option__member(p) = value;
	return 0;
}

/* ---- the others ---- */

static int set_help(struct parse *p, const char *value)
{
	p->o.action = ACTION_HELP;
	return 0;
}

static int set_version(struct parse *p, const char *value)
{
	p->o.action = ACTION_VERSION;
	return 0;
}

static int set_computer_id(struct parse *p, const char *value)
{
	p->o.action = ACTION_COMPUTER_ID;
	return 0;
}

static int set_verbose(struct parse *p, const char *value)
{
	p->o.verbose = true;
	p->o.quiet = false;
	return 0;
}

static int set_quiet(struct parse *p, const char *value)
{
	p->o.quiet = true;
	p->o.verbose = false;
	return 0;
}

static int set_output(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > OPTIONS_PATH_MAX)
		return option__is_not(p, "output", value, "a directory's name");
	p->o.output = value;
	return 0;
}

static int set_duration(struct parse *p, const char *value)
{
	if (units__parse_time(value, &p->o.duration_ns))
		return option__is_not(p, "duration", value, "a time (30s, 5m, 2h)");
	return 0;
}

static int set_rotate_age(struct parse *p, const char *value)
{
	uint64_t ns, s;

	if (units__parse_time(value, &ns))
		return option__is_not(p, "rotate-age", value, "a time (30s, 5m, 2h)");
	s = (ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC;
	p->o.rotate_age_s = s < UINT32_MAX ? s : UINT32_MAX;
	return 0;
}

static int set_rotate_size(struct parse *p, const char *value)
{
	uint64_t n;

	if (option__count(value, "KMGT", &n) || !n)
		return option__is_not(p, "rotate-size", value, "a size (512K, 64M, 1G)");
	p->o.rotate_bytes = n;
	return 0;
}

static int set_rotate_rows(struct parse *p, const char *value)
{
	if (option__count(value, "", &p->o.rotate_rows))
		return option__is_not(p, "rotate-rows", value, "a number of rows (0: never)");
	return 0;
}

static int set_min_free(struct parse *p, const char *value)
{
	size_t len = strspn(value, "0123456789");
	char *end;

	p->o.min_free_percent = 100;
	if (!strcmp(value, "off")) {
		p->o.min_free = 0;
	} else if (len && len <= 3 && !strcmp(value + len, "%")) {
		p->o.min_free = UINT64_MAX;
		p->o.min_free_percent = strtoul(value, &end, 10);
	} else if (option__count(value, "KMGT", &p->o.min_free)) {
		p->o.min_free_percent = 101;
	}
	if (p->o.min_free_percent > 100)
		return option__is_not(p, "min-free", value, "a size (1G), a share (5%) or off");
	return 0;
}

#define MAX_DISK_LEAST (16 << 20) /* some files of every stream, and manifests */

static int set_max_disk(struct parse *p, const char *value)
{
	uint64_t n;

	if (option__count(value, "KMGT", &n) || n < MAX_DISK_LEAST)
		return option__is_not(p, "max-disk", value, "a size from 16M on (512M, 10G)");
	p->o.max_disk = n;
	return 0;
}

static int set_streams(struct parse *p, const char *value)
{
	uint32_t streams = 0;
	char item[128];

	while (option__next_item(&value, item, sizeof(item))) {
		int stream = schema__find(item);

		if (stream < 0)
			return option__fail(p, "--streams: no such stream: " QUOTED " (%s)", item,
					    &STREAM_NAMES[2]);
		if (stream == STREAM_LOST) /* always recorded */
			continue;
		if (stream >= STREAM_CAPTURED)
			return option__fail(p, "--streams: %s: not in this build", item);
		streams |= STREAM_BIT(stream);
	}
	p->o.selection.streams = streams;
	return 0;
}

static int set_no_network(struct parse *p, const char *value)
{
	p->o.selection.streams &= ~STREAMS_NETWORK;
	return 0;
}

static int set_network(struct parse *p, const char *value)
{
	p->o.selection.streams |= STREAMS_NETWORK;
	return 0;
}

static int set_no_cache(struct parse *p, const char *value)
{
	p->o.selection.streams &= ~STREAMS_CACHE;
	return 0;
}

static int set_cache(struct parse *p, const char *value)
{
	p->o.selection.streams |= STREAMS_CACHE;
	return 0;
}

/* Its rows are joined with those of block. */
static int set_lineage(struct parse *p, const char *value)
{
	p->o.selection.streams |= STREAM_BIT(STREAM_EXTENT) | STREAM_BIT(STREAM_BLOCK);
	return 0;
}

static int set_cache_sample(struct parse *p, const char *value)
{
	uint64_t n;

	if (option__count(value, "K", &n) || !n || n > 1 << 20)
		return option__is_not(p, "cache-sample", value, "a number of pages (1 to 1024K)");
	p->o.selection.cache_sample = n;
	return 0;
}

static int set_memory(struct parse *p, const char *value)
{
	uint64_t n, least = memory__least(memory__cpus());

	if (option__count(value, "KMGT", &n))
		return option__is_not(p, "memory", value, "a size (128M, 1G)");
	if (n < least)
		return option__fail(
			p, "--memory: " QUOTED " is too little: at least %lluM on this machine",
			value, (unsigned long long)((least + (1 << 20) - 1) >> 20));
	p->o.memory = n;
	return 0;
}

static int set_on_overload(struct parse *p, const char *value)
{
	p->o.shed = !strcmp(value, "lighten");
	if (!p->o.shed && strcmp(value, "count"))
		return option__fail(p, "--on-overload: " QUOTED " is neither count nor lighten",
				    value);
	return 0;
}

static int set_scope(struct parse *p, const char *value)
{
	p->o.selection.scope_all = !strcmp(value, "all");
	if (!p->o.selection.scope_all && strcmp(value, "files"))
		return option__fail(p, "--scope: " QUOTED " is neither files nor all", value);
	return 0;
}

static int set_trace_bucket(struct parse *p, const char *value)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	/* One component of the session's path, and of an object's key later on. */
	if (!*value || *value == '.' || strlen(value) > 63 || value[strspn(value, allowed)])
		return option__is_not(p, "trace-bucket", value, "a name (letters, digits, ._-)");
	p->o.bucket = value;
	return 0;
}

/* A time of at least a second, or off. */
static int parse_interval(const char *value, uint64_t *ret_ns)
{
	if (!strcmp(value, "off")) {
		*ret_ns = 0;
		return 0;
	}
	return units__parse_time(value, ret_ns) || *ret_ns < NSEC_PER_SEC ? -1 : 0;
}

static int set_process_interval(struct parse *p, const char *value)
{
	if (parse_interval(value, &p->o.snapshots.process_interval_ns))
		return option__is_not(p, "process-interval", value,
				      "a time from 1s on (30s, 5m), or off");
	return 0;
}

static int set_fs_interval(struct parse *p, const char *value)
{
	if (parse_interval(value, &p->o.snapshots.fs_interval_ns))
		return option__is_not(p, "fs-interval", value,
				      "a time from 1s on (30m, 2h), or off");
	return 0;
}

static int set_no_snapshots(struct parse *p, const char *value)
{
	p->o.snapshots.process_interval_ns = p->o.snapshots.fs_interval_ns = 0;
	p->o.snapshots.system_spec = false;
	return 0;
}

static int set_fs_busy(struct parse *p, const char *value)
{
	uint64_t n;

	if (option__count(value, "", &n) || !n || n > 100)
		return option__is_not(p, "fs-busy", value, "a percentage (1 to 100)");
	p->o.snapshots.busy_percent = n;
	return 0;
}

static int set_anonymize(struct parse *p, const char *value)
{
	if (value && strcmp(value, "keep-system"))
		return option__is_not(p, "anonymize", value, "keep-system");
	p->o.anonymize = true;
	p->o.anonymize_keep_system = value;
	return 0;
}

static int set_attach(struct parse *p, const char *value)
{
	static const char *const names[] = {
		[ATTACH_AUTO] = "auto",
		[ATTACH_RAW] = "raw",
		[ATTACH_CLASSIC] = "classic",
		[ATTACH_FUNCTIONS] = "functions",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(value, names[i])) {
			p->o.selection.attach = i;
			return 0;
		}
	return option__is_not(p, "attach", value, "auto, raw, classic or functions");
}

static int set_state(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > OPTIONS_PATH_MAX)
		return option__is_not(p, "state", value, "a directory's name");
	p->o.state = value;
	return 0;
}

static int set_check_config(struct parse *p, const char *value)
{
	p->o.action = ACTION_CHECK_CONFIG;
	if (value)
		return set_file(p, value);
	if (!p->o.config)
		p->o.config = OPTIONS_CONFIG;
	return 0;
}

static int set_replay(struct parse *p, const char *value)
{
	set_no_snapshots(p, NULL); /* snapshots of this machine do not belong to the records */
	return set_file(p, value);
}

static int set_upload(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > OPTIONS_PATH_MAX)
		return option__is_not(p, "upload", value, "the URL of a target");
	p->o.upload.target.url = value;
	return 0;
}

static int set_no_upload(struct parse *p, const char *value)
{
	p->o.upload.target.url = NULL;
	return 0;
}

static int set_s3_endpoint(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > OPTIONS_PATH_MAX)
		return option__is_not(p, "s3-endpoint", value, "a URL");
	p->o.upload.target.s3_endpoint = value;
	return 0;
}

static int set_s3_region(struct parse *p, const char *value)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	/* Part of the scope that requests are signed for. */
	if (!*value || strlen(value) > 63 || value[strspn(value, allowed)])
		return option__is_not(p, "s3-region", value, "a region (us-east-1)");
	p->o.upload.target.s3_region = value;
	return 0;
}

static int set_upload_rate(struct parse *p, const char *value)
{
	uint64_t n;

	if (option__count(value, "KMGT", &n) || (n && n < 1024))
		return option__is_not(p, "upload-rate", value,
				      "bytes per second (from 1K on; 0: any)");
	p->o.upload.target.rate = n;
	return 0;
}

static int set_upload_parallel(struct parse *p, const char *value)
{
	uint64_t n;

	if (option__count(value, "", &n) || !n || n > OPTIONS_PARALLEL_MAX)
		return option__is_not(p, "upload-parallel", value, "a number of files (1 to 16)");
	p->o.upload.parallel = n;
	return 0;
}

static int set_upload_timeout(struct parse *p, const char *value)
{
	if (units__parse_time(value, &p->o.upload.timeout_ns))
		return option__is_not(p, "upload-timeout", value, "a time (30s, 5m, 2h)");
	return 0;
}

static int set_upload_format(struct parse *p, const char *value)
{
	bool both = !strcmp(value, "csv,parquet") || !strcmp(value, "parquet,csv");

	if (!both && strcmp(value, "csv") && strcmp(value, "parquet"))
		return option__is_not(p, "upload-format", value, "csv, parquet or csv,parquet");
	p->o.upload_parquet = both || !strcmp(value, "parquet");
	p->o.upload_no_csv = !strcmp(value, "parquet");
	return 0;
}

static int set_keep_uploaded(struct parse *p, const char *value)
{
	if (value && strcmp(value, "yes") && strcmp(value, "no"))
		return option__fail(p, "--keep-uploaded: " QUOTED " is neither yes nor no", value);
	p->o.upload.keep = !value || !strcmp(value, "yes");
	return 0;
}

static int set_metrics_file(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > OPTIONS_PATH_MAX)
		return option__is_not(p, "metrics-file", value, "a file's name");
	p->o.metrics.file = value;
	return 0;
}

static int set_metrics_listen(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > 100)
		return option__is_not(p, "metrics-listen", value, "[ADDRESS:]PORT");
	p->o.metrics.listen = value;
	return 0;
}

static int set_reward_code(struct parse *p, const char *value)
{
	if (!*value || strlen(value) > 200)
		return option__is_not(p, "reward-code", value, "a code (1 to 200 bytes)");
	p->o.reward_code = value;
	return 0;
}

static int set_reward(struct parse *p, const char *value)
{
	p->reward = true;
	return 0;
}

const char *const option_group_titles[GROUP_COUNT] = {
	[RECORDING] = "Recording",
	[CONTENT] = "What to record",
	[SNAPSHOTS] = "Snapshots",
	[FILTERS] = "Filters (a row must match one entry of each list given)",
	[FILES] = "Files",
	[UPLOAD] = "Upload (off unless --upload names a target)",
	[METRICS] = "Metrics, in the format of Prometheus (off by default)",
	[SERVICE] = "As a service",
	[OTHER] = "Other",
};

#define ADDS(field) .counter = offsetof(struct options, field)
#define SETS(field) .member = offsetof(struct options, field)

const struct option_row option_rows[] = {
	{ "output", 'o', "DIR", RECORDING, set_output, "where sessions go (default ./iotrc-traces)",
	  .conf = "/var/lib/iotrc/traces", .active = true },
	{ "duration", 'd', "TIME", RECORDING, set_duration,
	  "stop after 30s, 5m, 2h, 1d (default: at Ctrl+C)", .conf = "24h" },
	{ "verbose", 'v', NULL, RECORDING, set_verbose, "print more details", .with_upload = true },
	{ "quiet", 'q', NULL, RECORDING, set_quiet, "no status line, no summary",
	  .with_upload = true },
	{ "anonymize", 'a', "[=keep-system]", RECORDING, set_anonymize,
	  "replace names and addresses by keyed tokens;\nkeep-system leaves paths like /usr/lib readable" },
	{ "state", 0, "DIR", RECORDING, set_state,
	  "directory for data kept between sessions\n(default /var/lib/iotrc)",
	  .conf = "/var/lib/iotrc", .with_upload = true },
	{ "on-overload", 0, "count|lighten", RECORDING, set_on_overload,
	  "when overloaded: count lost rows, or lighten first:\ncompress less, then drop getattr, readdir and\naccess rows (default count)",
	  .conf = "count" },
	{ "memory", 0, "SIZE", RECORDING, set_memory,
	  "upper limit; rings, queue and tables are sized\nto fit (default 256M)", .conf = "256M" },

	{ "streams", 0, "LIST", CONTENT, set_streams,
	  &STREAM_NAMES " (default: the first three)"[2], .conf = "fs,block,nw_conn" },
	{ "network", 0, NULL, CONTENT, set_network, "add all network streams" },
	{ "no-network", 0, NULL, CONTENT, set_no_network, "no network streams, not even nw_conn" },
	{ "cache", 0, NULL, CONTENT, set_cache,
	  "add cache and pagefault (default on machines with\n8 CPUs and 16 GiB or more)" },
	{ "no-cache", 0, NULL, CONTENT, set_no_cache, "neither cache nor pagefault" },
	{ "lineage", 0, NULL, CONTENT, set_lineage,
	  "add extent and block: the file, the bytes and the\nowner of each block request" },
	{ "cache-sample", 0, "N", CONTENT, set_cache_sample,
	  "cache: record one page in N, with all its events", .conf = "1" },
	{ "scope", 0, "files|all", CONTENT, set_scope,
	  "all: also pipes, sockets, devices and pseudo\nfilesystems (default files)",
	  .conf = "files" },
	{ "ops", 0, "LIST", CONTENT, option__set_ops,
	  "fs operations, such as open,read,rename; '!LIST':\nall but these (default: all)",
	  .conf = "open,rename,unlink" },
	{ "attach", 0, "auto|raw|classic|functions", CONTENT, set_attach,
	  "how to hook system calls\n(default auto: the cheapest that misses nothing)",
	  .conf = "auto" },

	{ "process-interval", 0, "TIME|off", SNAPSHOTS, set_process_interval,
	  "list all processes at the start and every TIME\n(default 5m)", .conf = "5m" },
	{ "fs-interval", 0, "TIME|off", SNAPSHOTS, set_fs_interval,
	  "list all files at first, then changes every TIME\n(default 1h)", .conf = "1h" },
	{ "fs-full", 0, NULL, SNAPSHOTS, set_flag,
	  "list all files at first, even those already known", SETS(snapshots.full) },
	{ "fs-busy", 0, "PERCENT", SNAPSHOTS, set_fs_busy,
	  "pause while tasks stall for more than PERCENT of\nthe time (default 40; 100: never pause)",
	  .conf = "40" },
	{ "network-mounts", 0, NULL, SNAPSHOTS, set_flag, "include network filesystems",
	  SETS(snapshots.network_mounts) },
	{ "no-snapshots", 0, NULL, SNAPSHOTS, set_no_snapshots,
	  "no snapshots of processes and files, no\nsystem_spec" },

	{ "pid", 0, "LIST", FILTERS, option__set_pid,
	  "up to 16 process ids; descendants are recorded too", .conf = "1",
	  ADDS(selection.n_pids) },
	{ "command", 0, "LIST", FILTERS, option__set_command,
	  "up to 16 thread names, as ps -L -o comm shows them", .conf = "postgres",
	  ADDS(selection.commands.n), SETS(selection.commands) },
	{ "follow", 0, NULL, FILTERS, set_flag, "also all that threads of --command start",
	  SETS(selection.follow) },
	{ "exclude-command", 0, "LIST", FILTERS, option__set_command, "not threads of these names",
	  .conf = "backup", ADDS(selection.excluded_commands.n),
	  SETS(selection.excluded_commands) },
	{ "uid", 0, "LIST", FILTERS, option__set_uid,
	  "processes of these users, by name or number (the\nreal user id)", .conf = "www-data",
	  ADDS(selection.n_uids) },
	{ "cgroup", 0, "PATH|ID", FILTERS, option__set_cgroup,
	  "a cgroup (v2) with those below: its directory, path\nbelow the mount, or id",
	  .conf = "1", ADDS(selection.n_cgroups) },
	{ "container", 0, "NAME", FILTERS, option__set_container,
	  "a running container, by its name or 12 digits of its\nid; or with a pattern (shop/*/*) all that are called\nso, also those that start later",
	  .conf = "web", ADDS(selection.n_containers) },
	{ "path", 0, "PREFIX", FILTERS, option__set_path,
	  "files at or below PREFIX; may be given 16 times", .conf = "/home",
	  ADDS(selection.paths.n), SETS(selection.paths) },
	{ "exclude-path", 0, "PREFIX", FILTERS, option__set_path,
	  "not files at or below PREFIX; may be given 16 times", .conf = "/home/ada/.cache",
	  ADDS(selection.excluded_paths.n), SETS(selection.excluded_paths) },
	{ "errors", 0, NULL, FILTERS, set_flag, "only what failed", SETS(selection.errors) },
	{ "slow", 0, "TIME", FILTERS, option__set_slow, "only what took at least TIME (10ms)",
	  .conf = "10ms" },

	{ "rotate-age", 0, "TIME", FILES, set_rotate_age,
	  "start a new file after TIME (default 15m)", .conf = "15m", .live = true },
	{ "rotate-size", 0, "SIZE", FILES, set_rotate_size,
	  "or at SIZE on disk: K, M, G (default 64M)", .conf = "64M", .live = true },
	{ "rotate-rows", 0, "N", FILES, set_rotate_rows, "or after N rows (default 0: never)",
	  .conf = "0", .live = true },
	{ "min-free", 0, "SIZE|N%|off", FILES, set_min_free,
	  "pause writing while the disk has less free space\n(default 5% or 1G, whichever is less)",
	  .conf = "1G", .live = true },
	{ "max-disk", 0, "SIZE", FILES, set_max_disk,
	  "limit for all sessions in the output directory;\nthe oldest uploaded ones are removed to keep it",
	  .conf = "20G", .active = true, .live = true },

	{ "upload", 0, "URL", UPLOAD, set_upload,
	  "send finished files to s3://BUCKET/PREFIX,\nhttps://GATEWAY or file:///DIRECTORY",
	  .conf = "s3://traces/lab" },
	{ "no-upload", 0, NULL, UPLOAD, set_no_upload, "send nothing (the default)" },
	{ "s3-endpoint", 0, "URL", UPLOAD, set_s3_endpoint,
	  "URL of the S3-compatible store; {bucket} in the\nhost stands for the bucket",
	  .conf = "https://s3.example.org" },
	{ "s3-region", 0, "REGION", UPLOAD, set_s3_region,
	  "region of the store (default us-east-1)", .conf = "us-east-1" },
	{ "upload-credentials", 0, "FILE", UPLOAD, set_file,
	  "file with keys or token (default: where AWS tools\nlook)",
	  .conf = "/etc/iotrc/credentials", SETS(upload.target.credentials) },
	{ "upload-ca", 0, "FILE", UPLOAD, set_file,
	  "CA certificates to trust, PEM (default: the\nsystem's)", .conf = "/etc/iotrc/ca.pem",
	  SETS(upload.target.ca_file) },
	{ "upload-rate", 0, "SIZE", UPLOAD, set_upload_rate,
	  "limit in bytes per second: K, M, G (default: none)", .conf = "1M", .live = true },
	{ "upload-parallel", 0, "N", UPLOAD, set_upload_parallel,
	  "files to send at the same time (default 2)", .conf = "2" },
	{ "upload-timeout", 0, "TIME", UPLOAD, set_upload_timeout,
	  "how long to wait for uploads when a recording ends\n(default 30s)", .conf = "30s" },
	{ "keep-uploaded", 0, "[=yes|no]", UPLOAD, set_keep_uploaded,
	  "keep files after they have been sent (default yes)", .conf = "no", .active = true },
	{ "upload-later", 0, NULL, UPLOAD, set_flag,
	  "only mark the session: iotrc upload sends it, as in\nthe service", SETS(upload.later) },
	{ "upload-format", 0, "FORMAT", OTHER, set_upload_format,
	  "with upload: csv (the default), parquet: add the\nsessions to a lake at the target, or csv,parquet",
	  .with_upload = true },
	{ "telemetry", 0, NULL, UPLOAD, set_flag,
	  "report to the gateway, for each session sent, its\nduration and the rows of each stream",
	  SETS(upload.telemetry) },
	{ "reward-code", 0, "CODE", UPLOAD, set_reward_code,
	  "the code that --reward prints, set by a study", .conf = "THANK-YOU" },

	{ "metrics-file", 0, "FILE", METRICS, set_metrics_file,
	  "write metrics to FILE every 15 seconds, for\nnode_exporter's textfile collector",
	  .conf = "/var/lib/prometheus/node-exporter/iotrc.prom" },
	{ "metrics-listen", 0, "ADDRESS", METRICS, set_metrics_listen,
	  "answer GET /metrics over HTTP at [ADDRESS:]PORT\n(default address 127.0.0.1)",
	  .conf = "9435" },

	{ "config", 0, "FILE", SERVICE, set_file,
	  "read options from FILE; the command line overrides\nthem", SETS(config),
	  .with_upload = true },
	{ "check-config", 0, "[FILE]", SERVICE, set_check_config,
	  "check FILE for mistakes (default\n" OPTIONS_CONFIG ")", SETS(config) },
	{ "daemon", 0, NULL, SERVICE, set_flag, "go into the background once recording has begun",
	  SETS(daemon) },
	{ "pid-file", 0, "FILE", SERVICE, set_file,
	  "write the daemon's process id to FILE and lock it", SETS(pid_file) },
	{ "log-file", 0, "FILE", SERVICE, set_file,
	  "append the daemon's messages (default: syslog)", SETS(log_file) },

	{ "trace-bucket", 0, "NAME", OTHER, set_trace_bucket,
	  "first directory below the output (only with dev)" },
	{ "keep-records", 0, "FILE", OTHER, set_file,
	  "also keep the engine's records (only with dev)", SETS(keep_records) },
	{ "replay", 0, "FILE", OTHER, set_replay, "make rows from kept records (only with dev)",
	  SETS(replay) },
	{ "dtrace", 0, "PROGRAM", OTHER, set_file,
	  "record with DTrace, run by PROGRAM (only with dev)", SETS(dtrace) },
	{ "reward", 0, NULL, OTHER, set_reward, "print the study's code, once something was sent" },
	{ "test", 0, NULL, OTHER, set_flag, "with upload: check whether the target accepts\nfiles",
	  SETS(upload_test), .with_upload = true },
	{ "continuous", 0, NULL, OTHER, set_flag,
	  "with upload: send what recordings finish, until\nCtrl+C", SETS(upload_continuous),
	  .with_upload = true },
	{ "help", 'h', NULL, OTHER, set_help, "print this text", .with_upload = true },
	{ "version", 'V', NULL, OTHER, set_version, "print version and commit" },
	{ "computer-id", 0, NULL, OTHER, set_computer_id,
	  "print the machine id used in session paths" },

	/* The spelling of other recorders of this dataset. */
	{ "anonimize", 0, "[=keep-system]", OTHER, set_anonymize, NULL },
	{ .name = NULL },
};

_Static_assert(ARRAY_SIZE(option_rows) <= OPTIONS_ROWS_MAX, "options.digests has a place for each");

bool option__takes_value(const struct option_row *option)
{
	return option->arg && *option->arg != '[';
}

bool option__goes_with_upload(const struct option_row *option)
{
	return option->group == UPLOAD || option->with_upload;
}
