// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/entry.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/csv.h"
#include "snappers/snap_rows.h"
#include "snappers/text.h"

/* Maximum length of all fields except the path. */
#define OTHER_FIELDS 512
#define PATH_FIELD_MAX (CSV_FILE_BLOCK - OTHER_FIELDS)

_Static_assert(CSV_TEXT_MAX(ENTRY_PATH_MAX) * 2 < SNAP_ROW_MAX, "an escaped path fits");
_Static_assert(ANONYMIZE_MAX(ENTRY_PATH_MAX) + PATH_FIELD_MAX < SNAP_ROW_MAX,
	       "tokens of a path fit");

void entry__set(struct snap_entry *e, uint64_t mono_ns, const struct file_state *facts)
{
	memset(e, 0, offsetof(struct snap_entry, len));
	e->mono_ns = mono_ns;
	e->size = facts->size;
	e->physical = facts->physical;
	e->inode = facts->inode;
	e->modified = facts->modified;
	e->accessed = facts->accessed;
	if (facts->has_birth)
		e->birth = facts->birth;
	else
		e->flags = ENTRY_NO_BTIME;
	e->major = facts->major;
	e->minor = facts->minor;
	e->nlink = facts->nlink;
	e->mode = facts->mode;
	e->attributes = facts->attributes;
}

bool entry__same(const struct snap_entry *a, const struct snap_entry *b)
{
	size_t from = offsetof(struct snap_entry, size);

	return !memcmp((const char *)a + from, (const char *)b + from,
		       offsetof(struct snap_entry, len) - from);
}

int entry__order_paths(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len, i = 0;
	unsigned char x, y;

	for (uint64_t u, v; i + 8 <= n; i += 8) {
		memcpy(&u, a + i, 8);
		memcpy(&v, b + i, 8);
		if (u != v)
			break;
	}
	while (i < n && a[i] == b[i])
		i++;
	if (i == n)
		return (a_len > b_len) - (a_len < b_len);
	/* '/' sorts before every other byte, so that a directory's tree stays together. */
	x = a[i] == '/' ? 0 : a[i];
	y = b[i] == '/' ? 0 : b[i];
	return x < y ? -1 : 1;
}

int entry__order(const void *a, const void *b)
{
	const struct snap_entry *x = a, *y = b;
	int order = entry__order_paths(x->path, x->len, y->path, y->len);

	return order ? order : (int)(y->flags & ENTRY_BLIND) - (int)(x->flags & ENTRY_BLIND);
}

bool entry__below(const char *dir, size_t dir_len, const char *path, size_t len)
{
	return len >= dir_len && !memcmp(path, dir, dir_len) &&
	       (len == dir_len || path[dir_len] == '/' || dir_len == 1);
}

/* ---- the row ---- */

static const char *type_name(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "S_IFREG";
	case S_IFDIR:
		return "S_IFDIR";
	case S_IFLNK:
		return "S_IFLNK";
	case S_IFSOCK:
		return "S_IFSOCK";
	case S_IFIFO:
		return "S_IFIFO";
	case S_IFCHR:
		return "S_IFCHR";
	case S_IFBLK:
		return "S_IFBLK";
	default:
		return NULL;
	}
}

static char *word(char *p, const char *field, const char *text)
{
	if (p != field)
		*p++ = '|';
	return csv__mem(p, text, strlen(text));
}

static char *flags_field(const struct snap_entry *e, bool cut, char *p)
{
	const char *type = type_name(e->mode);
	char *field = p;

	if (type)
		p = word(p, field, type);
	for (const struct file_attribute *a = file_attributes; a->name; a++)
		if (e->attributes & a->bit)
			p = word(p, field, a->name);
	return cut ? word(p, field, "PATH_CUT") : p;
}

static char *path_text(const char *path, size_t len, struct anonymizer *anon, char *p)
{
	static _Thread_local char *tokens; /* never freed; few of its pages are used */
	char *end;

	if (!anon)
		return csv__text(p, path, len);
	if (!tokens)
		tokens = malloc(ANONYMIZE_MAX(ENTRY_PATH_MAX));
	if (!tokens)
		return p;
	end = anonymize__path(anon, tokens, path, len);
	return csv__text(p, tokens, end - tokens);
}

/* A path too long for a row keeps its tail, as in the fs stream. */
static char *path_field(const struct snap_entry *e, struct anonymizer *anon, char *p, bool *ret_cut)
{
	const char *path = e->path, *end = e->path + e->len;
	char *field_end = path_text(path, e->len, anon, p);

	*ret_cut = false;
	while (field_end - p > PATH_FIELD_MAX) {
		const char *slash;

		*ret_cut = true;
		path += (end - path) / 2;
		slash = memchr(path, '/', end - path);
		path = slash ? slash : path;
		field_end = path_text(path, end - path, anon, p);
	}
	return field_end;
}

char *entry__row(const struct snap_entry *e, bool gone, uint64_t mono_ns, struct clock *clock,
		 struct anonymizer *anon, char *p)
{
	int32_t zone;
	bool cut;

	clock__wall_shared(clock, mono_ns, p, &zone);
	p += CLOCK_WALL_LEN;
	*p++ = ',';
	p = path_field(e, anon, p, &cut);
	*p++ = ',';
	p = csv__i64(p, gone ? -1 : (int64_t)e->size);
	*p++ = ',';
	if (!gone && !(e->flags & ENTRY_NO_BTIME))
		p = text__wall(p, e->birth.second, e->birth.ns, zone);
	*p++ = ',';
	if (!gone)
		p = text__wall(p, e->modified.second, e->modified.ns, zone);
	*p++ = ',';
	if (!gone)
		p = text__wall(p, e->accessed.second, e->accessed.ns, zone);
	*p++ = ',';
	if (!gone)
		p = csv__i64(p, e->physical);
	*p++ = ',';
	p = csv__u64(p, e->inode);
	*p++ = ',';
	p = csv__device(p, e->major, e->minor);
	*p++ = ',';
	if (!gone)
		p = csv__u64(p, e->nlink);
	*p++ = ',';
	p = flags_field(e, cut, p);
	*p++ = ',';
	p = csv__u64(p, mono_ns);
	*p++ = '\n';
	return p;
}
