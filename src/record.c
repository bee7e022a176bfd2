/* SPDX-License-Identifier: GPL-2.0-only */
#include "record.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture.h"
#include "clock.h"
#include "collector.h"
#include "machine_id.h"
#include "manifest.h"
#include "session.h"
#include "status.h"
#include "writer.h"

#define BUCKET "linux_v1"
#define ENGINE "bpf"
#define ZSTD_LEVEL 1        /* on this data level 3 is slower and no smaller */
#define QUEUE_CHUNKS 512    /* 64 MiB of rows on their way to the disk */
#define SECOND UINT64_C(1000000000)

/* ---- signals: flags and a descriptor that wakes the main thread ---- */

static int wake_fd = -1;
static volatile sig_atomic_t stops, rotate_asked, counters_asked;

static void wake(void)
{
	uint64_t one = 1;
	ssize_t n = write(wake_fd, &one, sizeof(one));

	(void)n; /* full is awake enough */
}

static void on_signal(int signal)
{
	int saved = errno;

	if (signal == SIGHUP) {
		rotate_asked = 1;
	} else if (signal == SIGUSR1) {
		counters_asked = 1;
	} else if (stops++) {
		static const char text[] = "\niotrc: left at once; what was flushed is readable in the .part files\n";
		ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

		(void)n;
		_exit(EXIT_LOST);
	}
	wake();
	errno = saved;
}

static int catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	/* A reader of stdout or stderr that goes away doesn't end a recording. */
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* ---- one recording ---- */

struct recording {
	const struct options *options;
	struct clock *clock;
	struct collector *collector;
	struct session *session;
	struct manifest *manifest;
	struct writer *writer;
	struct capture *capture;
	struct status status;
	uint64_t begun_ns;
	atomic_bool manifest_stale;
};

static int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int complain(const char *format, ...)
{
	va_list args;

	fputs("iotrc: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_CANNOT;
}

static uint32_t enabled_streams(const struct options *o)
{
	return o->streams | 1u << STREAM_LOST;
}

/* On the writer's thread. */
static void on_file_finished(void *arg, const struct file_facts *facts)
{
	struct recording *r = arg;

	manifest__add_file(r->manifest, facts);
	atomic_store(&r->manifest_stale, true);
	wake();
}

static void take_snapshot(struct recording *r, struct status_snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->elapsed_ns = clock__mono_ns() - r->begun_ns;
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct writer_stream_stats stats;
		struct manifest_counts n;

		capture__counts(r->capture, i, &n);
		writer__stats(r->writer, i, &stats);
		s->streams[i] = (struct status_stream){
			.enabled = enabled_streams(r->options) >> i & 1,
			.seen = n.seen,
			.written = n.written,
			.filtered = n.filtered,
			.lost_ring = n.lost_ring,
			.lost_queue = n.lost_queue,
			.lost_disk = n.lost_disk,
			.bytes = stats.compressed_bytes,
		};
	}
}

static int write_manifest(struct recording *r)
{
	struct clock_offset offsets[CLOCK_OFFSETS_MAX];
	struct manifest_hook hooks[HOOK_COUNT];

	manifest__set_offsets(r->manifest, offsets, clock__offsets(r->clock, offsets));
	for (int i = 0; i < STREAM_COUNT; i++) {
		struct manifest_counts n;

		if (!(enabled_streams(r->options) >> i & 1))
			continue;
		capture__counts(r->capture, i, &n);
		manifest__set_counts(r->manifest, i, &n);
	}
	manifest__set_hooks(r->manifest, hooks, collector__hooks(r->collector, hooks));
	return manifest__write(r->manifest, r->session->fd);
}

/* The command line as it was given: what argv[] still holds. */
static void read_command_line(char *buf, size_t size)
{
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	if (f)
		fclose(f);
	while (n && !buf[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		if (!buf[i])
			buf[i] = ' ';
	buf[n] = 0;
}

static int begin(struct recording *r)
{
	const struct options *o = r->options;
	char problem[COLLECTOR_PROBLEM_MAX], machine_id[17], command_line[4096];
	struct manifest_info info = {
		.machine_id = machine_id, .command_line = command_line, .engine = ENGINE,
		.enabled = enabled_streams(o),
	};
	struct writer_config config = {
		.rotate_age_s = o->rotate_age_s, .rotate_bytes = o->rotate_bytes,
		.rotate_rows = o->rotate_rows, .level = ZSTD_LEVEL, .queue_chunks = QUEUE_CHUNKS,
		.finished = on_file_finished, .arg = r,
	};
	int err;

	err = machine_id__get(machine_id);
	if (err)
		return complain("no machine id in /etc/machine-id: %s; 'systemd-machine-id-setup' or "
				"'dbus-uuidgen --ensure=/etc/machine-id' makes one", strerror(-err));
	if (clock__new(&r->clock))
		return complain("out of memory");
	if (collector__new(&r->collector, o, problem))
		return complain("cannot record: %s", problem);
	if (stops)
		return EXIT_OK;
	session__owner(&info.uid, &info.gid);
	err = session__new(&r->session, o->output, o->bucket ? o->bucket : BUCKET, machine_id,
			   info.uid, info.gid);
	if (err)
		return complain("cannot write to %s: %s", o->output, strerror(-err));
	read_command_line(command_line, sizeof(command_line));
	err = manifest__new(&r->manifest, &info);
	if (err)
		return complain("cannot make the manifest: %s", strerror(-err));
	config.session_fd = r->session->fd;
	config.uid = info.uid;
	config.gid = info.gid;
	err = writer__new(&r->writer, &config);
	if (!err)
		err = capture__new(&r->capture, r->collector, r->writer, r->clock, o);
	if (err)
		return complain("cannot start recording: %s", strerror(-err));
	err = write_manifest(r);
	if (err)
		return complain("cannot write %s/%s: %s", r->session->path, MANIFEST_NAME, strerror(-err));
	return -1;
}

static void watch(struct recording *r)
{
	uint64_t duration = r->options->duration_ns;

	while (!stops) {
		uint64_t elapsed = clock__mono_ns() - r->begun_ns, left = SECOND, drained;
		struct pollfd p = { .fd = wake_fd, .events = POLLIN };
		struct status_snapshot now;

		if (duration && elapsed >= duration)
			break;
		if (duration && duration - elapsed < left)
			left = duration - elapsed;
		if (poll(&p, 1, left / 1000000 + 1) > 0 && read(wake_fd, &drained, sizeof(drained)) < 0)
			continue;
		if (rotate_asked) {
			rotate_asked = 0;
			capture__rotate(r->capture);
		}
		if (atomic_exchange(&r->manifest_stale, false))
			write_manifest(r);
		take_snapshot(r, &now);
		if (counters_asked) {
			counters_asked = 0;
			status__clear(&r->status);
			status__table(stderr, &now);
		}
		status__tick(&r->status, &now);
	}
}

/* Ends the recording; the exit code. */
static int finish(struct recording *r)
{
	struct status_snapshot s;
	uint64_t unnamed;
	int err, code = EXIT_OK;

	status__clear(&r->status);
	capture__stop(r->capture);
	err = writer__close(r->writer);
	if (err) {
		complain("could not write all rows: %s", strerror(-err));
		code = EXIT_LOST;
	}
	manifest__set_state(r->manifest, "complete");
	err = write_manifest(r);
	if (err) {
		complain("cannot write %s/%s: %s", r->session->path, MANIFEST_NAME, strerror(-err));
		code = EXIT_LOST;
	}
	unnamed = capture__unnamed(r->capture);
	if (unnamed) {
		complain("%llu events came before their definitions: please report this",
			 (unsigned long long)unnamed);
		code = EXIT_LOST;
	}
	take_snapshot(r, &s);
	for (int i = 0; i < STREAM_COUNT; i++)
		if (s.streams[i].lost_ring || s.streams[i].lost_queue || s.streams[i].lost_disk)
			code = EXIT_LOST;
	if (!r->options->quiet)
		status__summary(stderr, &s, r->session->path);
	return code;
}

int record__main(const struct options *options)
{
	struct recording r = { .options = options };
	int code;

	if (catch_signals())
		return complain("cannot watch for signals: %s", strerror(errno));
	status__begin(&r.status, stderr, options->quiet);
	code = begin(&r);
	if (code < 0) {
		r.begun_ns = clock__mono_ns();
		printf("%s\n", r.session->path);
		fflush(stdout);
		watch(&r);
		code = finish(&r);
	}
	capture__free(r.capture);
	writer__free(r.writer);
	collector__free(r.collector);
	manifest__free(r.manifest);
	session__free(r.session);
	clock__free(r.clock);
	return code;
}
