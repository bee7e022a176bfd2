// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/clear_list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fts.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "base/anonymize.h"
#include "base/csv.h"
#include "base/hash.h"
#include "platform/link_address.h"
#include "platform/macros.h"
#include "snappers/mount_list.h"

/* Shorter words of file names occur everywhere (bin, src, a.c). */
#define NAME_MIN 4
#define NAMES_MAX (8 * 1000 * 1000)
/* Lower ids belong to the distribution's own users. */
#define UID_FIRST_PERSON 1000
#define UID_NOBODY 65534

/* ---- strings from a file ---- */

/* Indexed by their first four bytes; shorter ones are compared one by one. */
#define KEY 4
#define LINE_SIZE (64 * 1024)
#define BITS (1 << 20)

struct string {
	struct string *next;
	size_t len;
	char *shown; /* as it stands in the file */
	char text[];
};

/* A set of 64-bit hashes. */
struct set {
	uint64_t *slots;
	size_t n, capacity;
};

struct clear_list {
	struct string *short_ones, *buckets[4096];
	uint8_t bits[BITS / 8];
	size_t n_strings;
	struct set words, names, harmless;
	bool keep_system;
};

int clear_list__new(struct clear_list **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static void free_strings(struct string *s)
{
	while (s) {
		struct string *next = s->next;

		free(s->shown);
		free(s);
		s = next;
	}
}

struct clear_list *clear_list__free(struct clear_list *l)
{
	if (!l)
		return NULL;
	free_strings(l->short_ones);
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	for (size_t i = 0; i < sizeof(l->buckets) / sizeof(*l->buckets); i++)
		free_strings(l->buckets[i]);
	free(l->words.slots);
	free(l->names.slots);
	free(l->harmless.slots);
	free(l);
	return NULL;
}

static uint32_t key_of(const char *s)
{
	uint32_t key;

	memcpy(&key, s, KEY);
	return key * 2654435761u;
}

static int add_string(struct clear_list *l, const char *text, size_t len, const char *shown)
{
	struct string *s = malloc(sizeof(*s) + len), **head = &l->short_ones;
	uint32_t key;

	if (!s || !(s->shown = strdup(shown))) {
		free(s);
		return -ENOMEM;
	}
	memcpy(s->text, text, len);
	s->len = len;
	if (len >= KEY) {
		key = key_of(text);
		head = &l->buckets[key >> 20];
		l->bits[(key >> 12) / 8] |= 1 << (key >> 12) % 8;
	}
	s->next = *head;
	*head = s;
	return 0;
}

/* As JSON escapes it (RFC 8259, 7). */
static size_t json_escape(char *out, const char *s, size_t len)
{
	char *p = out;

	for (size_t i = 0; i < len; i++) {
		static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
		const char *at = s[i] ? strchr(from, s[i]) : NULL;

		if (at) {
			*p++ = '\\';
			*p++ = to[at - from];
		} else if ((unsigned char)s[i] < ' ') {
			p += sprintf(p, "\\u%04x", s[i]);
		} else {
			*p++ = s[i];
		}
	}
	return p - out;
}

static int add_variants(struct clear_list *l, const char *text, size_t len)
{
	size_t capacity = 12 * len + 16, n;
	char *buf = malloc(capacity), *p;
	int err = buf ? add_string(l, text, len, text) : -ENOMEM;

	if (err)
		goto out;
	l->n_strings++;
	n = json_escape(buf, text, len);
	if (n != len)
		err = add_string(l, buf, n, text);
	n = csv__escape(buf, text, len) - buf;
	if (!err && (n != len || memcmp(buf, text, len)))
		err = add_string(l, buf, n, text);
	p = buf + n;
	for (size_t i = 0; i < n; i++) {
		*p++ = buf[i];
		if (buf[i] == '"')
			*p++ = '"';
	}
	if (!err && (size_t)(p - buf) != 2 * n)
		err = add_string(l, buf + n, p - buf - n, text);
out:
	free(buf);
	return err;
}

/* Returns the length without the line's end; -ENODATA: there are no more lines; or -E2BIG. */
static ssize_t read_list_line(FILE *file, char line[LINE_SIZE])
{
	ssize_t n = 0;
	int c;

	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (n == LINE_SIZE - 1)
			return -E2BIG;
		line[n++] = (char)c;
	}
	return c == EOF && !n ? -ENODATA : n;
}

int clear_list__add_file(struct clear_list *l, FILE *file)
{
	char *line = malloc(LINE_SIZE);
	int err = line ? 0 : -ENOMEM;

	while (!err) {
		ssize_t n = read_list_line(file, line);

		if (n < 0)
			err = (int)n;
		while (n > 0 && line[n - 1] == '\r')
			n--;
		if (n > 0) {
			line[n] = 0;
			err = add_variants(l, line, n);
		}
	}
	free(line);
	return err == -ENODATA ? 0 : err;
}

const char *clear_list__inside(const struct clear_list *l, const char *text, size_t len)
{
	for (const struct string *s = l->short_ones; s; s = s->next)
		if (memmem(text, len, s->text, s->len))
			return s->shown;
	for (size_t i = 0; i + KEY <= len; i++) {
		uint32_t key = key_of(text + i);

		if (!(l->bits[(key >> 12) / 8] >> (key >> 12) % 8 & 1))
			continue;
		for (const struct string *s = l->buckets[key >> 20]; s; s = s->next)
			if (s->len <= len - i && !memcmp(text + i, s->text, s->len))
				return s->shown;
	}
	return NULL;
}

/* ---- words of this machine ---- */

/* Never 0, which marks free places of the set. */
static uint64_t hash_of_word(const char *s, size_t len)
{
	uint64_t h = hash__fnv1a(s, len);

	h ^= h >> 29;
	return h ? h : 1;
}

static bool set__has(const struct set *s, uint64_t h)
{
	size_t i = s->capacity ? h & (s->capacity - 1) : 0;

	if (!s->capacity)
		return false;
	while (s->slots[i] && s->slots[i] != h)
		i = (i + 1) & (s->capacity - 1);
	return s->slots[i];
}

static int set__add(struct set *s, uint64_t h)
{
	struct set old = *s;
	size_t i;

	if (set__has(s, h))
		return 0;
	if (s->n == NAMES_MAX)
		return -EOVERFLOW;
	if (2 * (s->n + 1) > s->capacity) {
		s->capacity = old.capacity ? 2 * old.capacity : 4096;
		s->slots = calloc(s->capacity, sizeof(*s->slots));
		if (!s->slots) {
			*s = old;
			return -ENOMEM;
		}
		for (size_t k = 0; k < old.capacity; k++) {
			if (!old.slots[k])
				continue;
			for (i = old.slots[k] & (s->capacity - 1); s->slots[i];
			     i = (i + 1) & (s->capacity - 1))
				;
			s->slots[i] = old.slots[k];
		}
		free(old.slots);
	}
	for (i = h & (s->capacity - 1); s->slots[i]; i = (i + 1) & (s->capacity - 1))
		;
	s->slots[i] = h;
	s->n++;
	return 0;
}

#define SEPARATORS "/ @:=,;\"'[]()|<>"

static bool is_separator(char c)
{
	return c && strchr(SEPARATORS, c);
}

/* Returns the next word from *AT on; 0 at the end. */
static size_t next_word(const char *text, size_t len, size_t *at)
{
	size_t n = 0;

	while (*at < len && is_separator(text[*at]))
		++*at;
	while (*at + n < len && !is_separator(text[*at + n]))
		n++;
	return n;
}

static int add_words(struct set *set, const char *text, size_t least)
{
	size_t len = strlen(text), at = 0, n;
	int err = 0;

	while (!err && (n = next_word(text, len, &at))) {
		if (n >= least)
			err = set__add(set, hash_of_word(text + at, n));
		at += n;
	}
	return err;
}

static int add_whole(struct set *set, const char *text)
{
	return *text ? set__add(set, hash_of_word(text, strlen(text))) : 0;
}

static int add_host(struct clear_list *l)
{
	struct utsname u;
	int err;

	if (uname(&u) < 0)
		return 0;
	err = add_whole(&l->words, u.nodename);
	u.nodename[strcspn(u.nodename, ".")] = 0; /* the host of host.domain */
	return err ? err : add_whole(&l->words, u.nodename);
}

/* Skips users of the distribution: root and daemon occur everywhere. */
static int add_users(struct clear_list *l)
{
	const struct passwd *p;
	int err = 0;

	setpwent();
	while (!err && (p = getpwent())) {
		if (p->pw_uid < UID_FIRST_PERSON || p->pw_uid == UID_NOBODY)
			continue;
		err = add_whole(&l->words, p->pw_name);
		if (!err && p->pw_gecos)
			err = add_words(&l->words, p->pw_gecos, NAME_MIN);
		if (!err && strrchr(p->pw_dir, '/') &&
		    !anonymize__is_system(p->pw_dir, strlen(p->pw_dir)))
			err = add_whole(&l->words, strrchr(p->pw_dir, '/') + 1);
	}
	endpwent();
	return err;
}

static int add_address(struct clear_list *l, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (!address)
		return 0;
	if (address->sa_family == AF_INET) {
		const struct in_addr *in = &((const struct sockaddr_in *)address)->sin_addr;

		if ((ntohl(in->s_addr) >> 24) != 127)
			inet_ntop(AF_INET, in, text, sizeof(text));
	} else if (address->sa_family == AF_INET6) {
		const struct in6_addr *in = &((const struct sockaddr_in6 *)address)->sin6_addr;

		if (!IN6_IS_ADDR_LOOPBACK(in))
			inet_ntop(AF_INET6, in, text, sizeof(text));
	} else {
		static const uint8_t none[LINK_ADDRESS_MAX];
		uint8_t raw[LINK_ADDRESS_MAX];
		int len = link_address__get(address, raw);
		char *p = text;

		for (int i = 0; i < len && memcmp(raw, none, 6); i++)
			p += sprintf(p, "%s%02x", i ? ":" : "", raw[i]);
	}
	return add_whole(&l->words, text);
}

static int add_addresses(struct clear_list *l)
{
	struct ifaddrs *list;
	int err = 0;

	if (getifaddrs(&list) < 0)
		return 0;
	for (struct ifaddrs *i = list; !err && i; i = i->ifa_next)
		err = add_address(l, i->ifa_addr);
	freeifaddrs(list);
	return err;
}

static int add_names_below(struct clear_list *l, char *path)
{
	char *const paths[] = { path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOSTAT | FTS_XDEV, NULL);
	FTSENT *e;
	int err = 0;

	if (!fts)
		return 0;
	while (!err && (e = fts_read(fts))) {
		if (e->fts_info == FTS_DP || e->fts_level == 0)
			continue;
		if (!anonymize__is_system(e->fts_path, e->fts_pathlen)) {
			err = add_words(&l->names, e->fts_name, NAME_MIN);
			continue;
		}
		if (l->keep_system)
			err = add_words(&l->harmless, e->fts_name, NAME_MIN);
		else if (e->fts_info == FTS_D && e->fts_level > 1)
			fts_set(fts, e, FTS_SKIP);
	}
	fts_close(fts);
	return err;
}

/* Words that the encoders themselves write in such places. */
static const char *const own_words[] = {
	"pipe",     "socket",   "anon_inode", "memfd",    "eventpoll",   "eventfd",
	"signalfd", "timerfd",  "inotify",    "io_uring", "perf_event",  "pidfd",
	"bpf-map",  "bpf-prog", "bpf_link",   "fanotify", "userfaultfd", "none",
	"tmpfs",    "overlay",  "proc",       "sysfs",
};

static void note_beyond(void *arg, const struct mount_info *mount)
{
	*(bool *)arg = true;
}

static int add_names(struct clear_list *l)
{
	bool beyond = false;
	struct mount_list mounts = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(own_words); i++)
		err = add_whole(&l->harmless, own_words[i]);
	if (!err)
		err = mount_list__here(&mounts, note_beyond, &beyond);
	if (err == -ENOENT) /* no /proc */
		return 0;
	if (!err && beyond)
		err = -EOVERFLOW;
	mount_list__choose(&mounts, false);
	for (size_t i = 0; !err && i < mounts.n; i++)
		if (mounts.list[i].chosen)
			err = add_names_below(l, mounts.list[i].path);
	mount_list__clear(&mounts);
	return err;
}

int clear_list__add_live(struct clear_list *l, bool keep_system)
{
	int err;

	l->keep_system = keep_system;
	err = add_names(l);
	if (!err)
		err = add_host(l);
	if (!err)
		err = add_users(l);
	return err ? err : add_addresses(l);
}

size_t clear_list__count(const struct clear_list *l)
{
	return l->n_strings + l->words.n + l->names.n;
}

static bool is_clear(const struct clear_list *l, bool names, const char *word, size_t len)
{
	uint64_t h = hash_of_word(word, len);

	return (set__has(&l->words, h) || (names && set__has(&l->names, h))) &&
	       !set__has(&l->harmless, h) && !anonymize__is_token(word, len);
}

const char *clear_list__word(const struct clear_list *l, bool names, const char *text, size_t len,
			     size_t *ret_len)
{
	size_t at = 0, n;

	if (!(l->words.n + l->names.n) || !len)
		return NULL;
	/* Addresses contain separators. */
	*ret_len = len;
	if (is_clear(l, names, text, len))
		return text;
	while ((n = next_word(text, len, &at))) {
		*ret_len = n;
		if (is_clear(l, names, text + at, n))
			return text + at;
		at += n;
	}
	return NULL;
}
