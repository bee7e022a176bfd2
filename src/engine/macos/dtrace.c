// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine that reads the output of DTrace, on macOS or any other system that has it. One dtrace
 * process runs each script of dtrace/, and feeds one stream. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "dtrace_scripts.h"
#include "engine/macos/dtrace_line.h"
#include "engine/macos/dtrace_said.h"
#include "engine/macos/requests.h"
#include "engine/macos/sip.h"
#include "engine/macos/state.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define PROGRAM "/usr/sbin/dtrace"
#define SAID_BYTES 4096 /* of messages during the start */

/* DTrace counts from boot, on macOS without the time asleep (mach_absolute_time()). */
static uint64_t dtrace_clock_ns(void)
{
#ifdef CLOCK_UPTIME_RAW
	return clock_gettime_nsec_np(CLOCK_UPTIME_RAW);
#else
	return clock__event_ns();
#endif
}

/* ---- lines and messages ---- */

static bool read_line(struct source *s, char *text, size_t len)
{
	struct call_line l;

	if (!dtrace_line__parse(&l, text, len))
		return false;
	if (!strcmp(l.name, "begin")) {
		s->all->is_darwin |= l.ret == 1;
		macos__has_begun(s, l.ns);
	} else if (!strcmp(l.name, "beat") || !strcmp(l.name, "end")) {
		s->at_end = !strcmp(l.name, "end");
		order__beat(s->order, l.cpu, l.ns);
	} else {
		macos__queue(s, &l, text, len);
	}
	return true;
}

static bool take_call(struct source *s, const struct call_line *l)
{
	return !strcmp(l->name, "task") ? macos__take_task(s, l) : macos__call(s, l);
}

static bool take_block(struct source *s, const struct call_line *l)
{
	return !strcmp(l->name, "task") ? macos__take_task(s, l) : macos__block(s, l);
}

static bool take_socket_line(struct source *s, const struct call_line *l)
{
	return !strcmp(l->name, "task") ? macos__take_task(s, l) : macos__socket(s, l);
}

static bool count_drops(struct source *s, const char *text)
{
	struct dtrace_said said = dtrace_said__parse(text);
	uint64_t from = 0;

	if (said.kind != DTRACE_SAID_DROPS || !said.count)
		return false;
	if (said.cpu >= 0)
		from = order__reached(s->order, (uint32_t)said.cpu);
	macos__lose(s, said.count, from ? macos__ns(s->all, from) : s->heard_ns, clock__event_ns());
	/* Lost records may have opened or closed descriptors. */
	if (s->kind->stream != STREAM_BLOCK)
		process_table__forget_descriptors(s->processes);
	return true;
}

static const struct script {
	struct source_kind kind;
	const char *text;
} scripts[SOURCES_MAX] = {
	{ { STREAM_FS, "vfs.d", true, read_line, take_call, count_drops }, dtrace_vfs },
	{ { STREAM_BLOCK, "io.d", true, read_line, take_block, count_drops }, dtrace_io },
	{ { STREAM_NW_CONN, "network.d", true, read_line, take_socket_line, count_drops },
	  dtrace_network },
};

static const struct reqnames *request_names(const struct engine *e)
{
	return &macos_requests;
}

/* What DTrace can't know. */
static json_t *unfilled(const struct engine *e)
{
	return json_pack("{s:[sssss], s:[sss], s:[s]}", schema_streams[STREAM_FS].key, "inode",
			 "device", "fs_type", "container_id", "offset of sequential calls",
			 schema_streams[STREAM_BLOCK].key, "queue_latency_ms", "flags",
			 "command_flags", schema_streams[STREAM_NW_CONN].key, "local_addr");
}

/* ---- begin and end ---- */

static bool serves(enum stream stream)
{
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		if (scripts[i].kind.stream == stream)
			return true;
	return false;
}

static int begin_script(struct macos *d, const struct script *script, const char *program,
			char *problem)
{
	char own[16];
	char *const argv[] = { (char *)program, "-Z", "-n", (char *)script->text, own, NULL };

	snprintf(own, sizeof(own), "%d", (int)getpid());
	return macos__begin_source(d, &script->kind, argv, problem);
}

static int wait_for_begin(struct source *s, char *problem)
{
	char text[SAID_BYTES];
	int err = macos__wait_for_begin(s, text, sizeof(text), problem);

	return err == -ECHILD ? sip__explain(text, problem) : err;
}

static int begin_all(struct macos *d, const struct engine_config *config, char *problem)
{
	const char *program = config->file ? config->file : PROGRAM;
	int err = sip__look(program, problem);

	for (size_t i = 0; !err && i < ARRAY_SIZE(scripts); i++)
		if (selection__stream(d->selection, scripts[i].kind.stream))
			err = begin_script(d, &scripts[i], program, problem);
	for (size_t i = 0; !err && i < d->n_sources; i++)
		err = wait_for_begin(&d->sources[i], problem);
	for (size_t i = 0; !err && i < d->n_sources; i++)
		macos__ask_all(&d->sources[i]);
	return err;
}

static int open_dtrace(struct engine **ret, const struct engine_config *config, char *problem)
{
	struct utsname system;
	struct macos *d;
	int err = macos__new(&d, &engine_dtrace, config, problem);

	if (err)
		return err;
	d->clock_ns = dtrace_clock_ns;
	d->is_darwin = !uname(&system) && !strcmp(system.sysname, "Darwin");
	err = begin_all(d, config, problem);
	if (err) {
		macos__free(&d->engine);
		return err;
	}
	*ret = &d->engine;
	return 0;
}

const struct engine_type engine_dtrace = {
	.name = "dtrace",
	.serves = serves,
	MACOS_ENGINE,
	.open = open_dtrace,
	.request_names = request_names,
	.unfilled = unfilled,
	.free = macos__free,
};
