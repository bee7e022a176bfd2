/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths that begin with a procfs link to an open file: /proc/self/fd/N, /proc/self/cwd,
 * /proc/self/root, the same below /proc/thread-self or the number of the process itself, and
 * /dev/fd/N. */
#ifndef IOTRC_BPF_MAGIC_LINK_H
#define IOTRC_BPF_MAGIC_LINK_H

#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"

#define MAGIC_NONE 0
#define MAGIC_ROOT 1 /* the rest is relative to the root */
#define MAGIC_CWD 2
#define MAGIC_FD 3
#define MAGIC_HEAD 64 /* bytes of the path that are examined */

/* The link that a path begins with, and its length. */
struct magic_link {
	u32 kind, bytes;
	s32 fd;
	u32 pad;
};

#define PROC_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */

/* The pid of TASK in its own pid namespace. */
static __always_inline u32 own_number(struct task_struct *task)
{
	u64 pid = kread(kread(task, task_struct, group_leader), task_struct, thread_pid);
	u64 level = kread(pid, pid, level) & 31;

	return (u32)kread_u64(kaddr(pid, pid, numbers) + level * bpf_core_type_size(struct upid));
}

static __always_inline u64 eight_bytes(const char *text, u32 i)
{
	return eight_bytes_at(&text[i & (MAGIC_HEAD - 1)]);
}

/* The first N of eight bytes. */
#define FIRST(word, n) ((word) & ((1ULL << (n)*8) - 1))

struct magic_scratch {
	struct magic_link link;
	char text[2 * MAGIC_HEAD];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct magic_scratch);
} magic_scratch SEC(".maps");

static __always_inline struct magic_scratch *get_magic_scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&magic_scratch, &zero);
}

/* The number at link.bytes, which is moved behind it; -1 if there is none. A global function, like
 * read_magic_link(): the verifier goes through it once. */
__noinline s64 take_number(void)
{
	struct magic_scratch *s = get_magic_scratch();
	u64 digits;
	s64 n = -1;
	u32 i;

	if (!s)
		return -1;
	i = s->link.bytes;
	for (digits = 0; digits < 10; digits++) {
		char c = s->text[i & (MAGIC_HEAD - 1)];

		if (c < '0' || c > '9')
			break;
		n = (n < 0 ? 0 : n * 10) + c - '0';
		i++;
	}
	s->link.bytes = i;
	return n;
}

/* Behind "/proc/": whether the next component is the process or thread itself. */
static __always_inline bool take_own(struct magic_scratch *s)
{
	s64 n;

	if (FIRST(eight_bytes(s->text, s->link.bytes), 5) == 0x2f666c6573ULL) { /* self/ */
		s->link.bytes += 5;
		return true;
	}
	if (eight_bytes(s->text, s->link.bytes) == 0x732d646165726874ULL && /* thread-self/ */
	    FIRST(eight_bytes(s->text, s->link.bytes + 8), 4) == 0x2f666c65ULL) {
		s->link.bytes += 12;
		return true;
	}
	n = take_number();
	return n >= 0 && n == own_number(current_task()) &&
	       s->text[s->link.bytes++ & (MAGIC_HEAD - 1)] == '/';
}

/* Behind that: which of the links follows. */
static __always_inline u32 take_kind(struct magic_scratch *s)
{
	u64 next = eight_bytes(s->text, s->link.bytes);

	if (FIRST(next, 3) == 0x647763) { /* cwd */
		s->link.bytes += 3;
		return MAGIC_CWD;
	}
	if (FIRST(next, 4) == 0x746f6f72) { /* root */
		s->link.bytes += 4;
		return MAGIC_ROOT;
	}
	if (FIRST(next, 3) == 0x2f6466) { /* fd/ */
		s->link.bytes += 3;
		return MAGIC_FD;
	}
	return MAGIC_NONE;
}

/* Examines the beginning of the path in the scratch, which starts with /proc/ or /dev/. */
__noinline int read_magic_link(void)
{
	struct magic_scratch *s = get_magic_scratch();
	char behind;
	u32 kind;
	s64 n = 0;

	if (!s)
		return 0;
	s->link.kind = MAGIC_NONE;
	s->link.bytes = 6;
	if (eight_bytes(s->text, 0) == 0x2f64662f7665642fULL) { /* /dev/fd/ */
		s->link.bytes = 8;
		kind = MAGIC_FD;
	} else {
		if (!take_own(s))
			return 0;
		kind = take_kind(s);
	}
	if (kind == MAGIC_FD)
		n = take_number();
	behind = s->text[s->link.bytes & (MAGIC_HEAD - 1)];
	if (n < 0 || (behind && behind != '/'))
		return 0;
	s->link.fd = n;
	s->link.kind = kind;
	return 0;
}

#endif
