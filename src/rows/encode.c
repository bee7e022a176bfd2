// SPDX-License-Identifier: GPL-2.0-or-later
/* Code that the encoders share, and the definitions. */
#include "rows/encode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/csv.h"
#include "platform/macros.h"
#include "rows/column.h"
#include "rows/process_users.h"

static const struct reqnames no_names;

int encoder__new(struct encoder **ret, const struct encoder_config *config)
{
	struct encoder *e = calloc(1, sizeof(*e));
	const struct memory_plan *m = config->memory;
	int err;

	if (!e)
		return -ENOMEM;
	e->selection = config->selection;
	e->clock = config->clock;
	e->reqnames = config->request_names ?: &no_names;
	e->users = config->users;
	e->mark = &e->mark_apart;
	err = dict__new(&e->paths, m->paths_max, m->paths_bytes);
	if (!err)
		err = dict__new(&e->tasks, m->tasks_max, m->tasks_bytes);
	if (!err)
		err = mounts__new(&e->mounts);
	if (!err && config->key)
		err = anonymizer__new(&e->anon, config->key, config->keep_system);
	if (err) {
		encoder__free(e);
		return err;
	}
	*ret = e;
	return 0;
}

struct encoder *encoder__free(struct encoder *e)
{
	if (!e)
		return NULL;
	dict__free(e->paths);
	dict__free(e->tasks);
	mounts__free(e->mounts);
	anonymizer__free(e->anon);
	free(e);
	return NULL;
}

/* ---- definitions ---- */

/* No file system type of the kernel (struct file_system_type) contains a character that would have
 * to be escaped. */
bool encode__is_plain_type(const char *type)
{
	size_t len = strnlen(type, FSTYPE_BYTES);

	return len < FSTYPE_BYTES && csv__is_plain(type, len);
}

/* Two of these and all other fields fit into a row. */
#define TOKENS_MAX (56 * 1024)

char *encode__path(struct encoder *e, char *p, const char *path, size_t len)
{
	const char *from = e->tokens, *end;
	size_t mark = encode__is_detached(path, len) ? sizeof(DETACHED) - 1 : 0;

	p = csv__mem(p, path, mark);
	path += mark;
	len -= mark;
	if (!e->anon)
		return csv__escape_arrow(p, path, len);
	end = anonymize__path(e->anon, e->tokens, path, len);
	/* A path of thousands of one-letter directories: keep its end. */
	if (end - from > TOKENS_MAX)
		from = memchr(end - TOKENS_MAX, '/', TOKENS_MAX) ?: end - TOKENS_MAX;
	return csv__escape_arrow(p, from, end - from);
}

char *encode__path_field(struct encoder *e, char *p, const char *path, size_t len)
{
	char *end = e->anon ? NULL : csv__plain(p, path, len);

	return end ?: csv__quote(p, encode__path(e, p, path, len));
}

static bool is_of_type(const struct rec_path *r, const char *fs_type)
{
	return !strncmp(r->fs_type, fs_type, FSTYPE_BYTES);
}
/* The kernel's prefix stays clear; the name that a program gave its memfd does not. */
static char *special_field(struct encoder *e, const struct rec_path *r, const char *name,
			   size_t len, char *p)
{
	static const char memfd[] = "memfd:";
	size_t clear = len;
	char *end;

	if (e->anon && r->len && !is_of_type(r, "anon_inodefs") && !is_of_type(r, "nsfs") &&
	    !is_of_type(r, "pidfs"))
		clear = len >= sizeof(memfd) - 1 && !memcmp(name, memfd, sizeof(memfd) - 1) ?
				sizeof(memfd) - 1 :
				0;
	p = csv__escape_arrow(p, name, clear);
	if (clear == len)
		return p;
	end = anonymize__name(e->anon, e->tokens, name + clear, len - clear);
	return csv__escape(p, e->tokens, end - e->tokens);
}

/* A file without a path gets the name that /proc/PID/fd shows. */
static size_t special_name(char *buf, const struct rec_path *r)
{
	/* A socket's dentry is named after the protocol; a lone slash means that it has no name. */
	bool own = r->len && !is_of_type(r, "sockfs") && !(r->len == 1 && r->path[0] == '/');
	char *p = buf;

	if (is_of_type(r, "pidfs"))
		return encode__word(p, "anon_inode:[pidfd]") - buf;
	if (is_of_type(r, "anon_inodefs"))
		p = encode__word(p, "anon_inode:");
	if (own)
		p = csv__mem(p, r->path, r->len);
	if (own && !is_of_type(r, "nsfs"))
		return p - buf;
	if (is_of_type(r, "pipefs"))
		p = encode__word(p, "pipe");
	else if (is_of_type(r, "sockfs"))
		p = encode__word(p, "socket");
	else if (!own)
		p = csv__mem(p, r->fs_type, strnlen(r->fs_type, FSTYPE_BYTES - 1));
	p = encode__word(p, ":[");
	p = csv__u64(p, r->ino);
	*p++ = ']';
	return p - buf;
}

static bool mode_in_scope(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

static void define_path(struct encoder *e, const struct rec_path *r)
{
	char *field = e->field, *p;
	const char *raw = r->path;
	struct path_entry *entry;
	size_t len = r->len, field_len = len;
	bool own = false;

	if (r->kind == PATH_SPECIAL) {
		raw = e->paths_buf[0];
		len = special_name(e->paths_buf[0], r);
		field_len = csv__quote(field, special_field(e, r, raw, len, field)) - field;
	} else {
		if (r->flags & PATH_DETACHED) {
			raw = e->paths_buf[0];
			p = encode__word(e->paths_buf[0], DETACHED);
			len = csv__mem(p, r->path, len) - raw;
		}
		own = !e->anon && csv__plain(field, raw, len);
		if (!own)
			field_len = csv__quote(field, encode__path(e, field, raw, len)) - field;
	}
	entry = dict__put(e->paths, r->id, sizeof(*entry) + len + (own ? 0 : field_len));
	if (!entry)
		return;
	entry->flags = r->flags;
	entry->mode = r->mode;
	memcpy(entry->fs_type, r->fs_type, FSTYPE_BYTES);
	entry->fs_type[FSTYPE_BYTES - 1] = 0;
	if (!encode__is_plain_type(entry->fs_type))
		*entry->fs_type = 0;
	entry->fs_type_len = strlen(entry->fs_type);
	entry->wanted = (e->selection->scope_all ||
			 (mode_in_scope(r->mode) && !mounts__pseudo_type(entry->fs_type))) &&
			matched__path(&e->matched, e->selection, raw, len);
	p = csv__u64(entry->place, r->ino);
	entry->inode_len = p - entry->place;
	*p++ = ',';
	entry->place_len = csv__device(p, r->dev >> 20, r->dev & 0xfffff) - entry->place;
	entry->raw_len = len;
	entry->field_at = own ? 0 : len;
	entry->field_len = own ? len : field_len;
	memcpy(entry->text, raw, len);
	if (!own)
		memcpy(entry->text + len, field, field_len);
}

static void define_task(struct encoder *e, const struct rec_task *r)
{
	char who[CSV_TEXT_MAX(ANONYMIZE_MAX(COMM_BYTES)) + 48], *p, *field;
	char args[ANONYMIZE_MAX(CMDLINE_BYTES)], tail[CSV_TEXT_MAX(sizeof(args)) + 64];
	struct task_entry *entry;
	size_t who_len, tail_len, len = r->len, comm_len = strnlen(r->comm, COMM_BYTES);

	matched__task(&e->matched, e->selection, r);
	p = csv__u64(who, r->pid);
	*p++ = ',';
	p = csv__u64(p, r->tid);
	*p++ = ',';
	if (e->anon)
		p = csv__text(p, args, anonymize__name(e->anon, args, r->comm, comm_len) - args);
	else
		p = csv__text(p, r->comm, comm_len);
	who_len = p - who;

	while (len && !r->cmdline[len - 1] && !r->cmdline_cut)
		len--;
	if (e->anon)
		len = anonymize__args(e->anon, args, r->cmdline, len) - args;
	for (size_t i = 0; !e->anon && i < len; i++)
		args[i] = (char)(r->cmdline[i] ? r->cmdline[i] : ' ');
	field = tail;
	p = csv__escape(field, args, len);
	if (r->cmdline_cut)
		p = encode__word(p, "...");
	p = csv__quote(field, p);
	*p++ = ',';
	p = csv__u64(p, r->ppid);
	*p++ = ',';
	p = csv__u64(p, r->cgroup);
	tail_len = p - tail;

	entry = dict__put(e->tasks, r->id, sizeof(*entry) + who_len + tail_len);
	if (!entry)
		return;
	entry->pid = r->pid;
	entry->ppid = r->ppid;
	entry->user = e->users && r->uid ? process_users__note(e->users, r->pid, r->uid - 1) : 0;
	entry->who_len = who_len;
	entry->tail_len = tail_len;
	memcpy(entry->text, who, who_len);
	memcpy(entry->text + who_len, tail, tail_len);
}

void encoder__define(struct encoder *e, const void *record, size_t size)
{
	switch (*(const uint8_t *)record) {
	case REC_PATH:
		e->paths_defined++;
		define_path(e, record);
		break;
	case REC_TASK:
		e->tasks_defined++;
		define_task(e, record);
		break;
	}
}

_Static_assert(offsetof(struct rec_path, path) <= sizeof(struct rec_fs),
	       "encoder__expect() may read it");

void encoder__expect(struct encoder *e, const void *place)
{
	const struct rec_fs *r = place;
	uint64_t path = 0;

	if (r->type == REC_FS || r->type == REC_FS_LONG)
		path = r->path;
	else if (r->type == REC_PATH)
		path = ((const struct rec_path *)place)->id;
	if (path)
		dict__expect(e->paths, path);
}

/* An event that was submitted before the epoch was raised is read by the end of the next round. */
#define ROUNDS_KEPT 2

bool encoder__forget(struct encoder *e)
{
	if (e->forgot || (!dict__full(e->paths) && !dict__full(e->tasks)))
		return false;
	dict__forget(e->paths);
	dict__forget(e->tasks);
	e->forgot = ROUNDS_KEPT;
	return true;
}

void encoder__end_round(struct encoder *e)
{
	if (!e->forgot || --e->forgot)
		return;
	dict__drop(e->paths);
	dict__drop(e->tasks);
}

/* ---- fields ---- */

static const struct task_entry nobody = { .who_len = 2, .tail_len = 2, .text = ",,,," };

const struct task_entry *encode__task(struct encoder *e, uint64_t id, uint64_t ns)
{
	const struct task_entry *t = dict__get(e->tasks, id);

	if (t && t->user)
		process_users__row(e->users, t->pid, t->user, ns);
	if (t)
		return t;
	if (id)
		e->faults[FAULT_THREAD]++;
	return &nobody;
}

char *encode__pid_command(const struct task_entry *task, char *p)
{
	size_t pid = (const char *)memchr(task->text, ',', task->who_len) - task->text + 1;
	size_t tid =
		(const char *)memchr(task->text + pid, ',', task->who_len - pid) - task->text + 1;

	p = csv__mem(p, task->text, pid);
	return csv__mem(p, task->text + tid, task->who_len - tid);
}

char *encode__tid(const struct task_entry *task, char *p)
{
	const char *tid = (const char *)memchr(task->text, ',', task->who_len) + 1;
	const char *end = memchr(tid, ',', task->who_len - (tid - task->text));

	return csv__mem(p, tid, end - tid);
}

char *encode__command(struct encoder *e, char *p, const char *comm)
{
	char token[ANONYMIZE_MAX(COMM_BYTES)];
	size_t len = strnlen(comm, COMM_BYTES);

	if (!e->anon)
		return csv__text(p, comm, len);
	return csv__text(p, token, anonymize__name(e->anon, token, comm, len) - token);
}

char *encode__word_or_number(char *p, const struct name_set *set, uint64_t value)
{
	const char *name = names__word(set, value);

	return name ? encode__word(p, name) : csv__u64(p, value);
}

char *encode__ip(struct encoder *e, char *p, const uint8_t *address, int version)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t token[16];

	if (e->anon) {
		address = memcpy(token, address, version == 4 ? 4 : 16);
		(version == 4 ? anonymize__ipv4 : anonymize__ipv6)(e->anon, token);
	}
	inet_ntop(version == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	return encode__word(p, text);
}

#define FLAGS_SHORT 16 /* most are no longer: a constant length is faster */

char *encode__flags(struct encoder *e, const struct name_set *set, uint64_t value, char *p)
{
	size_t at = (value * 31 + (uintptr_t)set / sizeof(*set)) % FLAGS_CACHE;
	struct flags_cached *c = &e->flags[at];

	if (c->set != set || c->value != value) {
		c->set = set;
		c->value = value;
		c->len = names__flags(set, value, c->text, sizeof(c->text));
	}
	csv__mem(p, c->text, FLAGS_SHORT);
	if (c->len > FLAGS_SHORT)
		csv__mem(p + FLAGS_SHORT, c->text + FLAGS_SHORT, c->len - FLAGS_SHORT);
	return p + c->len;
}

char *encode__begin(struct encoder *e, enum stream stream, uint64_t ns, char *p)
{
	column__begin(stream);
	clock__wall(e->clock, ns, p);
	return p + CLOCK_WALL_LEN;
}

static char *mono_column(struct encoder *e, uint64_t ns, char *p)
{
	uint64_t value = ns / 100000000;

	if (!value)
		return csv__u64(p, ns);
	if (value != e->mono_head.value) {
		e->mono_head.value = value;
		e->mono_head.len = csv__u64(e->mono_head.text, value) - e->mono_head.text;
	}
	csv__mem(p, e->mono_head.text, sizeof(e->mono_head.text));
	return csv__eight(p + e->mono_head.len, ns % 100000000);
}

char *encode__end(struct encoder *e, uint64_t ns, char *p)
{
	column__end();
	*p++ = ',';
	p = mono_column(e, ns, p);
	*p++ = '\n';
	return p;
}

char *encode__errno(int64_t ret, char *p)
{
	const char *name;

	if (ret >= 0 || ret < -4095)
		return p;
	name = names__errno((int)-ret);
	return name ? encode__word(p, name) : csv__u64(p, -ret);
}
