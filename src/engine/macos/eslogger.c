// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine that reads the output of eslogger(1): events of Endpoint Security, one JSON object per
 * line. It needs root and Full Disk Access, but works with System Integrity Protection on. It does
 * not report descriptors, reads, and calls that fail; paths are absolute and real. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "engine/macos/darwin.h"
#include "engine/macos/eslogger.h"
#include "engine/macos/marker.h"
#include "engine/macos/state.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define PROGRAM "eslogger"
#define SAID_BYTES 4096
#define TEXT_BYTES (2 * PATH_BYTES + CMDLINE_BYTES)

#define DARWIN_O_DIRECTORY 0x100000
#define DARWIN_ACCMODE 3 /* FREAD | FWRITE of fflag */
enum { CLD_OF_EXIT = 1, CLD_OF_SIGNAL = 2 };

/* The call that an event stands for, with its texts. */
struct event_text {
	struct call_line l;
	size_t len;
	char text[TEXT_BYTES];
};

/* ---- parts of an event ---- */

static int64_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* Appends LEN bytes as the next text. Returns false if there is no room. */
static bool add_text(struct event_text *t, const char *s, size_t len)
{
	if (t->l.n_texts == CALL_TEXTS_MAX || len > sizeof(t->text) - t->len)
		return false;
	memcpy(t->text + t->len, s, len);
	t->l.text[t->l.n_texts++] = (struct call_text){ t->text + t->len, len };
	t->len += len;
	return true;
}

/* Adds the path of FILE, an es_file_t, followed by "/NAME" unless that is NULL. Returns false if it
 * has none, or one that was cut. */
static bool add_path(struct event_text *t, const json_t *file, const char *name)
{
	const char *path = json_string_value(json_object_get(file, "path"));
	char whole[PATH_BYTES];
	int len;

	if (!path || *path != '/' || json_is_true(json_object_get(file, "path_truncated")))
		return false;
	len = snprintf(whole, sizeof(whole), "%s%s%s", path,
		       name && path[strlen(path) - 1] != '/' ? "/" : "", name ? name : "");
	return (size_t)len < sizeof(whole) && add_text(t, whole, (size_t)len);
}

static mode_t mode_of(const json_t *file)
{
	return (mode_t)number_of(json_object_get(file, "stat"), "st_mode");
}

static void add_number(struct event_text *t, int64_t n)
{
	t->l.n[t->l.n_numbers++] = n;
}

static void call(struct event_text *t, const char *name)
{
	snprintf(t->l.name, sizeof(t->l.name), "%s", name);
}

/* Adds the destination: { existing_file } or { new_path: { dir, filename } }. */
static bool add_destination(struct event_text *t, const json_t *event)
{
	const json_t *to = json_object_get(event, "destination"),
		     *existing = json_object_get(to, "existing_file"),
		     *fresh = json_object_get(to, "new_path");
	const char *name = json_string_value(json_object_get(fresh, "filename"));

	return existing ? add_path(t, existing, NULL) :
			  name && add_path(t, json_object_get(fresh, "dir"), name);
}

/* ---- events ---- */

struct event_shape;

/* Fills T from EVENT. Returns false if the event is malformed. */
typedef bool (*shape_fn)(struct event_text *t, const json_t *event,
			 const struct event_shape *shape);

struct event_shape {
	const char *event; /* eslogger's name */
	const char *call;  /* of calls.def */
	shape_fn fill;
	const char *file; /* the member that is about a file */
	const char *other;
};

static bool fill_FILE(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	return add_path(t, json_object_get(event, shape->file), NULL);
}

static bool fill_OPEN(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	const json_t *file = json_object_get(event, "file");
	int64_t flags = number_of(event, "fflag");

	/* The kernel's flags of an open file: FREAD and FWRITE in place of O_RDONLY, O_WRONLY and
	 * O_RDWR (xnu, sys/fcntl.h: FFLAGS and OFLAGS). */
	flags = flags & DARWIN_ACCMODE ? flags - 1 : flags;
	add_number(t, 0); /* calls.def: flags and modes are the second argument */
	add_number(t, flags | (S_ISDIR(mode_of(file)) ? DARWIN_O_DIRECTORY : 0));
	t->l.ret = -1; /* the descriptor is not reported */
	return add_path(t, file, NULL);
}

static bool fill_CREATE(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	mode_t mode =
		mode_of(json_object_get(json_object_get(event, "destination"), "existing_file"));

	if (S_ISDIR(mode))
		call(t, "mkdir");
	add_number(t, 0);
	add_number(t, mode ? (int64_t)mode : S_IFREG);
	return add_destination(t, event);
}

static bool fill_RENAME(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	return add_path(t, json_object_get(event, "source"), NULL) && add_destination(t, event);
}

/* An event about a file and a name in a directory. */
static bool fill_NAME(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	const char *name = json_string_value(json_object_get(event, shape->other));

	return name && add_path(t, json_object_get(event, "source"), NULL) &&
	       add_path(t, json_object_get(event, "target_dir"), name);
}

static bool fill_TWO(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	return add_path(t, json_object_get(event, shape->file), NULL) &&
	       add_path(t, json_object_get(event, shape->other), NULL);
}

static bool fill_MMAP(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	add_number(t, number_of(event, "protection"));
	add_number(t, number_of(event, "flags"));
	return fill_FILE(t, event, shape);
}

static bool fill_FORK(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	int64_t pid =
		number_of(json_object_get(json_object_get(event, "child"), "audit_token"), "pid");

	add_number(t, pid);
	t->l.ret = pid;
	return pid > 0 && pid <= INT32_MAX;
}

/* The program and its arguments, each followed by a NUL. */
static bool fill_EXEC(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	const json_t *target = json_object_get(event, "target"), *arg;
	char args[CMDLINE_BYTES];
	size_t i, len = 0;

	json_array_foreach(json_object_get(event, "args"), i, arg) {
		const char *s = json_string_value(arg);
		size_t more = s ? strlen(s) + 1 : 0;

		if (more > sizeof(args) - len) {
			add_number(t, true); /* cut */
			break;
		}
		if (more)
			memcpy(args + len, s, more);
		len += more;
	}
	return add_path(t, json_object_get(target, "executable"), NULL) && add_text(t, args, len);
}

static bool fill_EXIT(struct event_text *t, const json_t *event, const struct event_shape *shape)
{
	int64_t status = number_of(event, "stat"); /* as of wait(2), on both systems */

	add_number(t, status & 0x7f ? CLD_OF_SIGNAL : CLD_OF_EXIT);
	t->l.ret = status >> 8 & 0xff;
	return true;
}

/* clang-format off */
static const struct event_shape shapes[] = {
	{ "open", "open", fill_OPEN },
	{ "create", "mknod", fill_CREATE },
	{ "write", "write_path", fill_FILE, "target" },
	{ "truncate", "truncate", fill_FILE, "target" },
	{ "rename", "rename", fill_RENAME },
	{ "unlink", "unlink", fill_FILE, "target" },
	{ "link", "link", fill_NAME, .other = "target_filename" },
	{ "clone", "clone", fill_NAME, .other = "target_name" },
	{ "copyfile", "copyfile", fill_NAME, .other = "target_name" },
	{ "exchangedata", "exchangedata", fill_TWO, "file1", "file2" },
	{ "mmap", "mmap_path", fill_MMAP, "source" },
	{ "readdir", "readdir_path", fill_FILE, "target" },
	{ "readlink", "readlink", fill_FILE, "source" },
	{ "stat", "stat", fill_FILE, "target" },
	{ "access", "access", fill_FILE, "target" },
	{ "getattrlist", "getattrlist", fill_FILE, "target" },
	{ "setattrlist", "setattrlist", fill_FILE, "target" },
	{ "setmode", "chmod", fill_FILE, "target" },
	{ "setowner", "chown", fill_FILE, "target" },
	{ "setflags", "chflags", fill_FILE, "target" },
	{ "utimes", "utimes", fill_FILE, "target" },
	{ "getextattr", "getxattr", fill_FILE, "target" },
	{ "setextattr", "setxattr", fill_FILE, "target" },
	{ "listextattr", "listxattr", fill_FILE, "target" },
	{ "deleteextattr", "removexattr", fill_FILE, "target" },
	{ "chdir", "chdir", fill_FILE, "target" },
	{ "fork", "fork", fill_FORK },
	{ "exec", "exec", fill_EXEC },
	{ "exit", "exit", fill_EXIT },
};
/* clang-format on */

static const struct event_shape *find_shape(const json_t *event, const json_t **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		*ret = json_object_get(event, shapes[i].event);
		if (*ret)
			return &shapes[i];
	}
	return NULL;
}

/* Parses 2025-08-07T15:13:09.811587464Z into ns since 1970. Returns false if it is something
 * else. */
static bool parse_time(const char *s, uint64_t *ret)
{
	struct tm tm = { 0 };
	const char *rest = s ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	uint64_t ns = 0, unit = NSEC_PER_SEC;
	time_t seconds;

	if (!rest)
		return false;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9' && unit > 1; rest++) {
			unit /= 10;
			ns += (uint64_t)(*rest - '0') * unit;
		}
	seconds = timegm(&tm);
	*ret = (uint64_t)seconds * NSEC_PER_SEC + ns;
	return seconds > 0 && *rest == 'Z';
}

/* ---- lines ---- */

/* Queues a line "task" about the process of a line, before its call. */
static void queue_executable(struct source *s, const struct call_line *of, const json_t *process)
{
	const char *path = json_string_value(
			   json_object_get(json_object_get(process, "executable"), "path")),
		   *slash = path ? strrchr(path, '/') : NULL;
	struct call_line l = { .name = "task",
			       .pid = of->pid,
			       .tid = of->tid,
			       .ns = of->ns,
			       .ret = number_of(process, "ppid"),
			       .n_texts = 1 };

	if (!slash)
		return;
	l.text[0] = (struct call_text){ slash + 1, strlen(slash + 1) };
	macos__queue(s, &l, l.text[0].s, l.text[0].len);
}

static void queue_event(struct source *s, const struct event_text *t)
{
	macos__queue(s, &t->l, t->text, t->len);
}

/* Gaps in the sequence numbers are events that eslogger has lost. */
static void count_lost(struct source *s, const json_t *root, uint64_t ns)
{
	const json_t *seq = json_object_get(root, "global_seq_num");
	uint64_t n = (uint64_t)json_integer_value(seq), now = macos__ns(s->all, ns);

	if (!json_is_integer(seq))
		return;
	if (s->sequence && n > s->sequence)
		macos__lose(s, MIN(n - s->sequence, INT32_MAX), s->heard_ns, now);
	s->sequence = n + 1;
}

static bool take_root(struct source *s, const json_t *root)
{
	const json_t *process = json_object_get(root, "process"), *event;
	const struct event_shape *shape = find_shape(json_object_get(root, "event"), &event);
	int64_t pid = number_of(json_object_get(process, "audit_token"), "pid");
	struct event_text t = { .len = 0 };

	if (pid <= 0 || pid > INT32_MAX ||
	    !parse_time(json_string_value(json_object_get(root, "time")), &t.l.ns))
		return false;
	count_lost(s, root, t.l.ns);
	if (!shape)
		return true; /* of a later version */
	t.l.pid = (uint32_t)pid;
	t.l.tid = (uint32_t)number_of(json_object_get(root, "thread"), "thread_id");
	t.l.no_result = true;
	call(&t, shape->call);
	queue_executable(s, &t.l, process);
	if (!shape->fill(&t, event, shape))
		return false;
	if (shape->fill == fill_FORK) {
		struct event_text child = t;

		call(&child, "create");
		child.l.n_numbers = 0; /* its descriptors do not matter: none are reported */
		queue_event(s, &child);
	}
	if (shape->fill == fill_FORK || shape->fill == fill_EXEC || shape->fill == fill_EXIT)
		t.l.no_result = false;
	queue_event(s, &t);
	if (shape->fill == fill_EXEC)
		queue_executable(s, &t.l, json_object_get(event, "target"));
	return true;
}

bool eslogger__read(struct source *s, char *text, size_t len)
{
	json_t *root = json_text__value(text, len, SIZE_MAX);
	bool taken = take_root(s, root);

	json_decref(root);
	return taken;
}

bool eslogger__take(struct source *s, const struct call_line *l)
{
	return !strcmp(l->name, "task") ? macos__take_task(s, l) : macos__call(s, l);
}

/* ---- begin ---- */

static bool said(struct source *s, const char *text)
{
	return false;
}

static const struct source_kind kind = { .stream = STREAM_FS,
					 .name = "eslogger",
					 .read = eslogger__read,
					 .take = eslogger__take,
					 .said = said };

static int explain_eslogger(const char *said, char *problem)
{
	if (strstr(said, "NOT_PERMITTED") || strstr(said, "Full Disk Access") ||
	    strstr(said, "TCC"))
		return engine__problem(
			problem, -EACCES,
			"eslogger needs Full Disk Access: give it to the program in which you type "
			"this (System Settings, Privacy & Security, Full Disk Access), or take "
			"--engine fs_usage");
	if (strstr(said, "NOT_PRIVILEGED") || strstr(said, "root"))
		return engine__problem(problem, -EACCES, "eslogger needs root: use sudo");
	return engine__problem(problem, -EACCES, "eslogger does not start: %.300s",
			       *said ? said : "it says nothing");
}

static json_t *unfilled(const struct engine *e)
{
	return json_pack("{s:[sssssssssss]}", schema_streams[STREAM_FS].key, "inode", "device",
			 "fs_type", "container_id", "offset", "size", "bytes_completed",
			 "duration_ns", "return_value", "errno", "address");
}

static bool serves(enum stream stream)
{
	return stream == STREAM_FS;
}

static int begin_eslogger(struct macos *d, const struct engine_config *config, char *problem)
{
	char *argv[ARRAY_SIZE(shapes) + 2] = { config->file ? (char *)config->file : PROGRAM };
	char text[SAID_BYTES];
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		argv[i + 1] = (char *)shapes[i].event;
	err = macos__begin_source(d, &kind, argv, problem);
	if (err)
		return err;
	err = macos__wait_for_begin(&d->sources[0], text, sizeof(text), problem);
	if (err == -ECHILD)
		return explain_eslogger(text, problem);
	if (!err)
		macos__hole(&d->sources[0], HOLE_FAILED);
	return err;
}

static int open_eslogger(struct engine **ret, const struct engine_config *config, char *problem)
{
	struct macos *d;
	int err = macos__new(&d, &engine_eslogger, config, problem);

	if (err)
		return err;
	d->clock_ns = clock__real_ns;
	d->is_darwin = true;
	d->can_ask = false; /* all paths are absolute */
	err = begin_eslogger(d, config, problem);
	if (err) {
		macos__free(&d->engine);
		return err;
	}
	*ret = &d->engine;
	return 0;
}

const struct engine_type engine_eslogger = {
	.name = "eslogger",
	.serves = serves,
	MACOS_ENGINE,
	.open = open_eslogger,
	.unfilled = unfilled,
	.free = macos__free,
};
