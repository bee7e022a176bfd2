/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds the file that a path leads to in the dentry cache (fs/dcache.c). A call on a path has no
 * open file, and no tracepoint names the file it reached. So the path is walked here, like in
 * fs/namei.c, through cached dentries only. The walk ends without an answer at a name that is not
 * cached, at a symbolic link whose text is not in memory, and at a directory whose filesystem
 * compares names in its own way.
 *
 * The hash table of the cache has no symbol that programs may use. User space finds its address and
 * size at start, from dentries whose bucket and hash are known (src/engine/bpf/dcache.c). */
#ifndef IOTRC_BPF_DCACHE_H
#define IOTRC_BPF_DCACHE_H

#include "bpf/cfg.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/path.h"
#include "schema/records.h"

#define DCACHE_OP_HASH 1    /* include/linux/dcache.h: the filesystem hashes names itself, */
#define DCACHE_OP_COMPARE 2 /* or compares them itself */

#define NAME_BYTES 255 /* per component (include/uapi/linux/limits.h) */
#define LINK_BYTES 512 /* of the text of a symbolic link; longer links are not followed */
#define LINKS_MAX 10   /* symbolic links per path; the kernel allows 40 */
#define BUCKET_STEP 8  /* dentries per call of find_some() */
#define BUCKET_CALLS 8 /* calls: dentries looked at per bucket */
#define MOUNTS_STEP 16 /* mounts below one per call of find_mount() */
#define MOUNTS_CALLS 8
#define MOUNTED_OVER 2   /* mounts on one another */
#define LOOKUP_STEPS 192 /* components, those of symbolic links included */

/* Set by user space after loading; 0: not found, so that no path is walked. */
volatile u64 dcache_buckets = 0;
volatile u32 dcache_shift = 0;

/* A device, as a stat call told it, that is a superblock's own, and the type of that. Valid within
 * one jiffy while nothing is mounted. */
struct known_super {
	u64 jiffies;
	u32 mounts; /* mounts_epoch() */
	u32 dev;
	char fs_type[FSTYPE_BYTES];
};

#define DIR_BYTES 64 /* of the path of a known_dir */
#define DIR_STEPS 8  /* and components */

/* A component, found in the directory that the one before led to. */
struct dir_step {
	u64 dentry, parent, hash_len;
};

/* The directory that a path led to, up to the slash before its last component. It holds for other
 * paths that begin with the same LEN bytes, as long as each component is still the same dentry with
 * the same name in the same place: so renames need not be noticed, but mounts. */
struct known_dir {
	u64 jiffies;
	u32 mounts; /* mounts_epoch() */
	u32 len;    /* 0: unknown */
	struct where from, root, at;
	char text[DIR_BYTES];
	struct dir_step steps[DIR_STEPS];
	u32 n_steps, pad;
};

/* A walk. The rest of the path is in the text from AT to TEXT_END. In front of it is room for the
 * text of symbolic links, behind it is a NUL. */
struct lookup {
	u64 dentry, mount; /* position of the walk */
	u64 root_dentry, root_mount;
	u64 hash_len, first; /* of the component, as in struct qstr; and its first eight bytes */
	u64 found;           /* dentry of the component */
	u64 child;           /* where find_mount() goes on */
	u32 at;
	u32 links;
	u32 begin; /* of the path in the text; 0: not to be noted in dir */
	u8 follow; /* follow a symbolic link at the end of the path */
	u8 arrived, crossed;
	char link[LINK_BYTES];
	char text[4 * PATH_BYTES];
	struct where from;       /* where the walk began */
	struct dir_step entered; /* the last component that it went on from */
	u64 n_entered;
	/* what a walk on this CPU has led to */
	struct known_super super;
	struct known_dir dir;
};
#define TEXT_END (2 * PATH_BYTES - 16)
#define TEXT_MASK (2 * PATH_BYTES - 1)

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lookup);
} lookups SEC(".maps");

static __always_inline struct lookup *get_lookup(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&lookups, &zero);
}

#define EACH_BYTE(c) (0x0101010101010101ULL * (c))

/* 0x80 in each byte of W up to the first zero byte. Bytes behind that may be wrong. */
static __always_inline u64 zero_bytes(u64 w)
{
	return (w - EACH_BYTE(1)) & ~w & EACH_BYTE(0x80);
}

/* Hashes the component at AT in the current directory, like full_name_hash() of fs/namei.c
 * (CONFIG_DCACHE_WORD_ACCESS). A global function, like those below: the verifier goes through it
 * once. */
__subprog int hash_component(struct lookup *s)
{
	u64 x = 0, y, len = 0, i;
	u32 at;

	if (!s)
		return 0;
	at = s->at;
	y = s->dentry;
	for (i = 0; i <= NAME_BYTES / 8; i++) {
		u64 word = eight_bytes_at(&s->text[(at + i * 8) & TEXT_MASK]);
		u64 ends = zero_bytes(word) | zero_bytes(word ^ EACH_BYTE('/'));
		u64 mask;

		if (ends) {
			mask = ((ends & -ends) >> 7) - 1;
			len += ((mask & EACH_BYTE(1)) * EACH_BYTE(1)) >> 56;
			word &= mask;
		}
		x ^= word;
		if (!i)
			s->first = word;
		if (ends)
			break;
		y ^= x;
		x = x << 12 | x >> 52;
		x += y;
		y = y << 45 | y >> 19;
		y *= 9;
		len += 8;
	}
	y ^= x * 0x61c8864680b583ebULL; /* GOLDEN_RATIO_64 */
	y *= 0x61c8864680b583ebULL;
	s->hash_len = len << 32 | y >> 32;
	return 0;
}

/* Looks for the component among the next BUCKET_STEP dentries of its bucket, from NODE on: FOUND is
 * its dentry. Returns where to go on; 0 at the end. */
__subprog u64 find_some(struct lookup *s, u64 node)
{
	u64 i;

	if (!s)
		return 0;
	for (i = 0; i < BUCKET_STEP && node; i++) {
		u64 dentry = node - bpf_core_field_offset(struct dentry, d_hash);

		if (kread(dentry, dentry, d_name.hash_len) == s->hash_len &&
		    kread(dentry, dentry, d_parent) == s->dentry) {
			u64 first = kread_u64(kread(dentry, dentry, d_name.name));
			u64 len = s->hash_len >> 32;

			if (len < 8)
				first &= (1ULL << (len & 7) * 8) - 1;
			if (first == s->first) {
				s->found = dentry;
				return 0;
			}
		}
		node = kread_u64(node); /* hlist_bl_node.next comes first */
	}
	return node;
}

/* Looks up the component in the current directory: FOUND is its dentry, or 0 if it is not
 * cached. */
static __always_inline void find_dentry(struct lookup *s)
{
	u64 node = kread_u64(dcache_buckets + (u64)((u32)s->hash_len >> (dcache_shift & 31)) * 8) &
		   ~3ULL;
	u64 i;

	s->found = 0;
	for (i = 0; i < BUCKET_CALLS && node; i++)
		node = find_some(s, node);
}

/* Searches the next MOUNTS_STEP children of the current mount for one on the current dentry. */
__subprog int find_mount(struct lookup *s)
{
	u64 head, i;

	if (!s)
		return 0;
	head = kaddr(s->mount - bpf_core_field_offset(struct mount, mnt), mount, mnt_mounts);
	for (i = 0; i < MOUNTS_STEP; i++) {
		u64 mount = s->child - bpf_core_field_offset(struct mount, mnt_child);

		if (!s->child || s->child == head) {
			s->child = 0;
			return 0;
		}
		if (kread(mount, mount, mnt_mountpoint) == s->dentry) {
			s->mount = kaddr(mount, mount, mnt);
			s->dentry = kread(s->mount, vfsmount, mnt_root);
			s->crossed = 1;
			return 0;
		}
		s->child = kread_u64(s->child);
	}
	return 0;
}

/* Enters the mounts on the current dentry; returns 0 if there are too many to search. */
__noinline int cross_mounts(void)
{
	struct lookup *s = get_lookup();
	u64 i, j;

	if (!s)
		return 0;
	for (i = 0; i <= MOUNTED_OVER; i++) {
		if (!(kread(s->dentry, dentry, d_flags) & cfg.dcache_mounted))
			return 1;
		s->child = kread(s->mount - bpf_core_field_offset(struct mount, mnt), mount,
				 mnt_mounts.next);
		s->crossed = 0;
		for (j = 0; j < MOUNTS_CALLS && s->child && !s->crossed; j++)
			find_mount(s);
		if (!s->crossed)
			return !s->child;
	}
	return 0;
}

/* "..": may leave a mount at its root, but not the root of the walk. Returns 0 if there are too many
 * mounts to leave. */
__noinline int go_up(void)
{
	struct lookup *s = get_lookup();
	u64 i, mount, parent;

	if (!s)
		return 0;
	for (i = 0; i <= MOUNTED_OVER; i++) {
		if (s->dentry == s->root_dentry && s->mount == s->root_mount)
			return 1;
		if (s->dentry != kread(s->mount, vfsmount, mnt_root)) {
			s->dentry = kread(s->dentry, dentry, d_parent);
			return 1;
		}
		mount = s->mount - bpf_core_field_offset(struct mount, mnt);
		parent = kread(mount, mount, mnt_parent);
		if (parent == mount)
			return 1;
		s->dentry = kread(mount, mount, mnt_mountpoint);
		s->mount = kaddr(parent, mount, mnt);
	}
	return 0;
}

/* Puts the text of the symbolic link INODE in front of the rest of the path. */
__noinline int follow_link(u64 inode)
{
	struct lookup *s = get_lookup();
	u64 text = kread(inode, inode, i_link);
	long n;
	u32 at;

	if (!s || !text)
		return 0;
	n = bpf_probe_read_kernel_str(s->link, LINK_BYTES, (void *)text);
	at = s->at;
	if (n <= 1 || n >= LINK_BYTES || s->links >= LINKS_MAX || at < LINK_BYTES || at > TEXT_END)
		return 0;
	s->begin = 0;
	at -= n - 1;
	bpf_probe_read_kernel(&s->text[at & TEXT_MASK], opaque(n - 1) & (LINK_BYTES - 1), s->link);
	s->at = at;
	s->links++;
	if (s->link[0] == '/') {
		s->dentry = s->root_dentry;
		s->mount = s->root_mount;
	}
	return 1;
}

/* Whether only slashes are left. */
static __always_inline bool at_end(const struct lookup *s, bool *slash)
{
	char next = s->text[s->at & TEXT_MASK];

	*slash = next == '/';
	return !next || (*slash && !s->text[(s->at + 1) & TEXT_MASK]);
}

/* All ones as far as a prefix goes that begins at DIR_BYTES - its length. */
static const char prefix_mask[2 * DIR_BYTES] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
};

/* Goes to the directory that the last walk led to, if the path begins as that one did. With few
 * branches: the verifier follows each of them in each round. */
__subprog int skip_known(struct lookup *s)
{
	struct known_dir *dir;
	u64 i, differs = 0, hashed = ~0ULL;

	if (!s)
		return 0;
	dir = &s->dir;
	if (!dir->len || dir->jiffies != bpf_jiffies64())
		return 0;
	differs |= dir->mounts ^ mounts_epoch();
	differs |= dir->from.dentry ^ s->dentry;
	differs |= dir->from.mount ^ s->mount;
	differs |= dir->root.dentry ^ s->root_dentry;
	differs |= dir->root.mount ^ s->root_mount;
	for (i = 0; i < DIR_BYTES; i += 8)
		differs |= (eight_bytes_at(&s->text[(s->begin + i) & TEXT_MASK]) ^
			    *(u64 *)&dir->text[i]) &
			   eight_bytes_at(&prefix_mask[(-dir->len & (DIR_BYTES - 1)) + i]);
	for (i = 0; i < DIR_STEPS && i < dir->n_steps; i++) {
		const struct dir_step *step = &dir->steps[i];

		differs |= kread(step->dentry, dentry, d_parent) ^ step->parent;
		differs |= kread(step->dentry, dentry, d_name.hash_len) ^ step->hash_len;
		/* An address of the kernel; 0 if it was removed. */
		hashed &= kread(step->dentry, dentry, d_hash.pprev);
	}
	if (differs || !(hashed >> 63))
		return 0;
	s->at += dir->len;
	s->dentry = dir->at.dentry;
	s->mount = dir->at.mount;
	return 1;
}

/* Notes the component that the walk has entered and, if the next one, which begins at AT, is the
 * last, the directory. */
__subprog int note_dir(struct lookup *s, u32 at)
{
	struct known_dir *dir;
	bool slash;
	u32 len;
	u64 n, i;

	if (!s)
		return 0;
	dir = &s->dir;
	len = at - s->begin;
	n = s->n_entered;
	dir->len = 0;
	if (!s->entered.dentry || len > DIR_BYTES || n >= DIR_STEPS) {
		s->begin = 0;
		return 0;
	}
	dir->steps[n & (DIR_STEPS - 1)] = s->entered;
	s->n_entered = n + 1;
	if (!at_end(s, &slash))
		return 0;
	for (i = 0; i < DIR_BYTES; i += 8)
		*(u64 *)&dir->text[i] = eight_bytes_at(&s->text[(s->begin + i) & TEXT_MASK]);
	dir->n_steps = n + 1;
	dir->from = s->from;
	dir->root.dentry = s->root_dentry;
	dir->root.mount = s->root_mount;
	dir->at.dentry = s->dentry;
	dir->at.mount = s->mount;
	dir->jiffies = bpf_jiffies64();
	dir->mounts = mounts_epoch();
	dir->len = len;
	return 0;
}

/* Enters the component just hashed, which begins at AT; returns false if the cache does not
 * tell. */
static __always_inline int lookup_name(struct lookup *s, u32 at)
{
	bool slash, last;
	u32 format;
	u64 inode;

	if (s->begin && at > s->begin + 1)
		note_dir(s, at);
	if (kread(s->dentry, dentry, d_flags) & (DCACHE_OP_HASH | DCACHE_OP_COMPARE))
		return 0;
	find_dentry(s);
	inode = s->found ? kread(s->found, dentry, d_inode) : 0;
	if (!inode)
		return 0;
	last = at_end(s, &slash);
	format = kread(inode, inode, i_mode) & S_IFMT;
	if (format == S_IFLNK && (!last || slash || s->follow))
		return follow_link(inode);
	s->entered.dentry = s->found;
	s->entered.parent = s->dentry;
	s->entered.hash_len = s->hash_len;
	s->dentry = s->found;
	return cross_mounts();
}

/* Handles the next component or slashes; returns false at the end, and if the walk cannot go on. */
__noinline int lookup_step(void)
{
	struct lookup *s = get_lookup();
	u32 at, len;

	if (!s)
		return 0;
	if (s->text[s->at & TEXT_MASK] == '/')
		s->at++;
	if (s->text[s->at & TEXT_MASK] == '/')
		return 1;
	if (!s->text[s->at & TEXT_MASK]) {
		s->arrived = 1;
		return 0;
	}
	hash_component(s);
	len = s->hash_len >> 32;
	if (len > NAME_BYTES)
		return 0;
	at = s->at;
	s->at += len;
	if (len == 1 && s->first == '.')
		return 1;
	if (len == 2 && s->first == ('.' | '.' << 8)) {
		s->begin = 0;
		return go_up() && cross_mounts();
	}
	return lookup_name(s, at);
}

enum lookup_how {
	LOOKUP_FOLLOW = 1,   /* follow a symbolic link at the end of the path */
	LOOKUP_CONFINED = 2, /* the walk cannot leave the directory it begins in */
};

/* Starts a walk with the path of LEN bytes at FROM, in kernel memory. */
static __always_inline void lookup_text(struct lookup *s, const char *from, u32 len)
{
	if (len >= PATH_BYTES)
		len = 0;
	s->at = TEXT_END - len;
	bpf_probe_read_kernel(&s->text[(TEXT_END - len) & TEXT_MASK],
			      opaque(len) & (PATH_BYTES - 1), from);
}

/* The inode that the path leads to from DENTRY and MOUNT; 0 if unknown, or if there is none. */
__noinline u64 lookup_path(u64 dentry, u64 mount, u32 how)
{
	struct lookup *s = get_lookup();
	struct where root = task_root((u64)bpf_get_current_task()), from = { dentry, mount };
	u64 i;

	if (!s || !dcache_buckets)
		return 0;
	if (how & LOOKUP_CONFINED)
		root = from;
	s->root_dentry = root.dentry;
	s->root_mount = root.mount;
	if (s->text[s->at & TEXT_MASK] == '/')
		from = root;
	s->dentry = from.dentry;
	s->mount = from.mount;
	s->follow = how & LOOKUP_FOLLOW;
	s->links = s->arrived = 0;
	s->from = from;
	s->begin = s->at;
	s->entered.dentry = 0;
	s->n_entered = 0;
	/* Where programs can be preempted, another walk may use the same memory meanwhile. */
	if (cfg.raw_preemptible || skip_known(s))
		s->begin = 0;
	for (i = 0; i < LOOKUP_STEPS; i++)
		if (!lookup_step())
			break;
	return s->arrived ? kread(s->dentry, dentry, d_inode) : 0;
}

/* Calibration: the hash bucket of the open file FD of the caller, if the file is the first in it.
 * Run by user space with bpf_prog_test_run(); FD is its argument. */
u64 sample_bucket = 0; /* its result */
u32 sample_hash = 0;

SEC("raw_tp")
int sample_dentry(struct bpf_raw_tracepoint_args *ctx)
{
	u64 file = task_file(current_task(), (s32)ctx->args[0]),
	    dentry = kread(file, file, f_path.dentry);

	sample_bucket = kread(dentry, dentry, d_hash.pprev);
	sample_hash = kread(dentry, dentry, d_name.hash);
	return 0;
}

#endif
