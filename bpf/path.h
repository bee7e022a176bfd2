/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of files.
 *
 * The id of a name is a hash over the dentries from the file up to the root of the process: the
 * kernel's own hash of each name (which includes the parent's address), its length and its first
 * eight bytes (some filesystems ignore case in the hash), and the inode. It is computed for every
 * operation, at about 4 ns a component with plain loads. So a rename of the file or of a directory
 * above it, a moved mount, an unlink or a chroot changes the id by itself, and nothing has to be
 * invalidated. The text is sent once per id, as a REC_PATH. If there are too many components to
 * hash, it is sent each time. */
#ifndef IOTRC_BPF_PATH_H
#define IOTRC_BPF_PATH_H

#include "bpf/cfg.h"
#include "bpf/definitions.h"
#include "bpf/hash.h"
#include "bpf/helpers.h"
#include "bpf/inode.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/mount.h"
#include "schema/records.h"
#include "schema/sums.h"

#define NSFS_MAGIC 0x6e736673 /* include/uapi/linux/magic.h */
#define NS_KIND_BYTES 32      /* "time_for_children" */

#define HASHED_STEP 12    /* components per call of hash_some() */
#define HASHED_CALLS 4    /* calls; deeper paths are sent each time */
#define DETACHED_DEPTH 16 /* components above the root of a detached mount */
/* Loop counters have 64 bits: up to 5.15 the verifier forgets a smaller number that is spilled to
 * the stack, and then takes the loop for endless. */
#define WALK_STEP 12   /* components per call of walk_some() */
#define WALK_CALLS 176 /* calls: 4096 bytes hold 2048 components, and mounts are steps as well */

/* The record is built backwards, name by name. The buffer has twice the size, so that the verifier
 * sees any start plus any length inside it. */
struct path_scratch {
	u64 dentry, mount, mount_root, root_dentry, root_mount;
	u32 at; /* start of the text so far */
	u32 done, cut, detached;
	u32 busy, pad; /* of SCRATCH_BLOCK */
	struct rec_path head;
	char text[4 * PATH_BYTES];
};
#define PATH_END (PATH_BYTES + 512)
#define PATH_BEGIN 512 /* bytes for the head in front of the text */

/* One for calls of threads: only programs that name no files can interrupt these. One for block
 * requests, which interrupts issue as well: a program that finds it busy does without a name. */
enum path_scratches { SCRATCH_CALLS, SCRATCH_BLOCK, PATH_SCRATCHES };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PATH_SCRATCHES);
	__type(key, u32);
	__type(value, struct path_scratch);
} path_scratch SEC(".maps");

struct where {
	u64 dentry, mount;
};

static __always_inline struct where task_root(u64 task)
{
	u64 fs = kread(task, task_struct, fs);
	struct where root = {
		.dentry = kread(fs, fs_struct, root.dentry),
		.mount = kread(fs, fs_struct, root.mnt),
	};

	return root;
}

static __always_inline u64 mix_name(u64 hash, u64 dentry)
{
	return mix(hash, kread(dentry, dentry, d_name.hash_len) * 0xbf58476d1ce4e5b9ULL +
				 kread_u64(kread(dentry, dentry, d_name.name)));
}

/* Adds the names from DENTRY, the root of a mount that is attached nowhere, up to the root of its
 * filesystem. A global function: the verifier goes through it once. */
__noinline u64 hash_to_root(u64 dentry, u64 hash)
{
	u64 i, up;

	for (i = 0; i < DETACHED_DEPTH; i++) {
		up = kread(dentry, dentry, d_parent);
		if (up == dentry)
			return hash;
		hash = mix_name(hash, dentry);
		dentry = up;
	}
	return 0;
}

/* The names from AT up to ROOT, of which HASH is the hash so far. DETACHED: the root of a mount
 * that is attached nowhere, where they end. */
struct chain {
	struct where at, root;
	u64 hash, detached;
};

/* Adds the next HASHED_STEP names; returns whether the root has been reached. */
__subprog int hash_some(struct chain *c)
{
	u64 mount_root, hash, i;
	struct where at, root;

	if (!c)
		return 1;
	at = c->at;
	root = c->root;
	hash = c->hash;
	mount_root = kread(at.mount, vfsmount, mnt_root);
	for (i = 0; i < HASHED_STEP; i++) {
		u64 up;

		if (at.dentry == root.dentry && at.mount == root.mount)
			goto reached;
		if (at.dentry == mount_root) {
			u64 mount = at.mount - bpf_core_field_offset(struct mount, mnt);
			u64 parent = kread(mount, mount, mnt_parent);

			if (parent == mount) {
				c->detached = at.dentry;
				goto reached;
			}
			at.dentry = kread(mount, mount, mnt_mountpoint);
			at.mount = kaddr(parent, mount, mnt);
			mount_root = kread(at.mount, vfsmount, mnt_root);
			continue;
		}
		up = kread(at.dentry, dentry, d_parent);
		if (up == at.dentry)
			goto reached;
		/* Only this last step depends on the component before. */
		hash = mix_name(hash, at.dentry);
		at.dentry = up;
	}
	c->at = at;
	c->hash = hash;
	return 0;
reached:
	c->hash = hash;
	return 1;
}

/* Adds all names of C; returns 0 if there are too many. The names of a file in a detached mount may
 * be those of its path. */
static __always_inline u64 chain_hash(struct chain *c)
{
	u64 i;

	for (i = 0; i < HASHED_CALLS; i++)
		if (hash_some(c))
			return c->detached ? hash_to_root(c->detached, mix(c->hash, 1)) : c->hash;
	return 0;
}

/* Puts the next WALK_STEP names in front of the text in the scratch; returns 0 when these are all,
 * or there is no more room. A global function: the verifier goes through it once, however many
 * callers it has. */
__noinline int walk_some(u32 scratch)
{
	struct path_scratch *s = bpf_map_lookup_elem(&path_scratch, &scratch);
	u64 i;

	if (!s)
		return 0;
	for (i = 0; i < WALK_STEP; i++) {
		u64 hash_len, up;
		u32 len, at;

		if (s->dentry == s->root_dentry && s->mount == s->root_mount)
			goto done;
		if (s->dentry == s->mount_root) {
			u64 mount = s->mount - bpf_core_field_offset(struct mount, mnt);
			u64 parent = kread(mount, mount, mnt_parent);

			if (parent == mount) {
				s->detached = is_detached(s->mount);
				goto done;
			}
			s->dentry = kread(mount, mount, mnt_mountpoint);
			s->mount = kaddr(parent, mount, mnt);
			s->mount_root = kread(s->mount, vfsmount, mnt_root);
			continue;
		}
		up = kread(s->dentry, dentry, d_parent);
		if (up == s->dentry)
			goto done;
		hash_len = kread(s->dentry, dentry, d_name.hash_len);
		len = (hash_len >> 32) & (PATH_BYTES - 1); /* FUSE has names of 4,095 bytes */
		at = s->at;
		if (at < PATH_BEGIN + len + 1 || at > PATH_END) {
			s->cut = 1;
			goto done;
		}
		at -= len;
		bpf_probe_read_kernel(&s->text[at & (2 * PATH_BYTES - 1)], len,
				      (void *)kread(s->dentry, dentry, d_name.name));
		at--;
		s->text[at & (2 * PATH_BYTES - 1)] = '/';
		s->at = at;
		s->dentry = up;
	}
	return 1;
done:
	s->done = 1;
	return 0;
}

static __always_inline bool is_hashed(u64 dentry)
{
	return kread(dentry, dentry, d_hash.pprev);
}

/* A dentry that is not hashed cannot be looked up: it was removed. Roots are never hashed. */
static __always_inline bool is_deleted(u64 dentry)
{
	return !is_hashed(dentry) && kread(dentry, dentry, d_parent) != dentry;
}

/* Whether INODE, at MOUNT, is one that has no path: a pipe, a socket, an anonymous inode, a memfd,
 * a namespace. Not a layer's file of overlayfs, which is on such a mount, too. */
static __always_inline bool is_nameless(u64 inode, u64 mount)
{
	return is_internal(mount) &&
	       kread(kread(inode, inode, i_sb), super_block, s_flags) & SB_KERNMOUNT;
}

#define OWN_NAME_WORDS \
	4 /* eight bytes each: d_iname, where such names mostly are, has 32 at least */

/* A hash of the name of a file that has no path. Its d_name.hash says nothing: an eventfd and a
 * later timerfd can share the inode, the memory of the dentry and the length of the name. */
static __always_inline u64 own_name_hash(u64 dentry)
{
	u64 name = kread(dentry, dentry, d_name.name),
	    hash = kread(dentry, dentry, d_name.hash_len);
	u64 i;

	for (i = 0; i < OWN_NAME_WORDS; i++)
		hash = mix(hash, kread_u64(name + i * 8));
	return hash;
}

/* The text of such a name: the dentry's own or, for a namespace, its kind. */
static __always_inline u32 own_name(struct path_scratch *s, u64 dentry, u64 inode)
{
	u32 len = (kread(dentry, dentry, d_name.hash_len) >> 32) & (PATH_BYTES - 1);
	u64 name = kread(dentry, dentry, d_name.name);
	char kind[NS_KIND_BYTES];
	long n;

	if (kread(kread(inode, inode, i_sb), super_block, s_magic) == NSFS_MAGIC) {
		name = kread(kread(kread(inode, inode, i_private), ns_common, ops),
			     proc_ns_operations, name);
		n = bpf_probe_read_kernel_str(kind, sizeof(kind), (void *)name);
		len = n > 1 ? (n - 1) & (NS_KIND_BYTES - 1) : 0;
	}
	s->at = PATH_END - len;
	bpf_probe_read_kernel(&s->text[s->at & (2 * PATH_BYTES - 1)], len, (void *)name);
	return len;
}

/* The id of the name of INODE at DENTRY and MOUNT (a struct vfsmount); 0 if it has too many
 * components for a lasting id. A global function, like those below: the verifier goes through it
 * once. */
__noinline u64 path_hash(u64 dentry, u64 mount, u64 inode)
{
	u64 sb = kread(inode, inode, i_sb);
	struct chain c;
	u64 id = mix(kread(inode, inode, i_ino),
		     kread(sb, super_block, s_dev) ^ kread(inode, inode, i_generation) << 32);

	if (is_nameless(inode, mount))
		return mix(mix(id, dentry), own_name_hash(dentry));
	c.at.dentry = dentry;
	c.at.mount = mount;
	c.root = task_root((u64)bpf_get_current_task());
	c.hash = mix(id, is_deleted(dentry));
	c.detached = 0;
	return chain_hash(&c);
}

static __always_inline void walk(struct path_scratch *s, u32 scratch, u64 dentry, u64 mount)
{
	struct where root = task_root((u64)bpf_get_current_task());
	u64 i;

	s->dentry = dentry;
	s->mount = mount;
	s->mount_root = kread(mount, vfsmount, mnt_root);
	s->root_dentry = root.dentry;
	s->root_mount = root.mount;
	s->at = PATH_END;
	s->done = s->cut = s->detached = 0;
	for (i = 0; i < WALK_CALLS; i++)
		if (!walk_some(scratch))
			break;
	if (s->detached) { /* on to the root of the filesystem */
		s->mount_root = s->done = 0;
		if (walk_some(scratch))
			walk_some(scratch);
	}
	if (!s->done)
		s->cut = 1;
	if (s->at == PATH_END) { /* nothing was added: it is the root itself */
		s->at = PATH_END - 1;
		s->text[(PATH_END - 1) & (2 * PATH_BYTES - 1)] = '/';
	}
}

/* Sends the definition of ID, made in SCRATCH; returns ID, or 0 if the ring is full. Sums do
 * without a name. */
__noinline u64 path_define(u64 id, u64 dentry, u64 mount, u64 inode, u32 scratch)
{
	u32 now_epoch = epoch, at, len;
	struct path_scratch *s = bpf_map_lookup_elem(&path_scratch, &scratch);
	u64 sb = kread(inode, inode, i_sb);

	if (!s)
		return 0;
	if (is_nameless(inode, mount)) {
		s->head.kind = PATH_SPECIAL;
		s->cut = s->detached = 0;
		own_name(s, dentry, inode);
	} else {
		s->head.kind = PATH_NAMED;
		walk(s, scratch, dentry, mount);
	}
	at = s->at;
	s->head.type = REC_PATH;
	s->head.len = PATH_END - at;
	s->head.flags = (s->cut ? PATH_CUT : 0) | (s->detached ? PATH_DETACHED : 0) |
			(s->head.kind == PATH_NAMED && is_deleted(dentry) ? PATH_DELETED : 0);
	s->head.id = id;
	s->head.ino = kread(inode, inode, i_ino);
	s->head.dev = kread(sb, super_block, s_dev);
	s->head.mode = kread(inode, inode, i_mode) & 0xffff;
	read_fs_type(s->head.fs_type, sb);
	at -= sizeof(s->head);
	len = PATH_END - at;
	if (len > PATH_BYTES + sizeof(s->head) || at > PATH_END)
		return 0;
	at &= 2 * PATH_BYTES - 1;
	bpf_probe_read_kernel(&s->text[at], sizeof(s->head), &s->head);
	if (bpf_ringbuf_output(&definitions, &s->text[at], opaque(len) & (2 * PATH_BYTES - 1),
			       definition_flags()))
		return cfg.sums ? id : 0;
	bpf_map_update_elem(&paths_sent, &id, &now_epoch, BPF_ANY);
	return id;
}

/* The id of a name, whose definition has been sent; 0 if that found no room. RECENT holds the ids
 * that the thread used last, which is cheaper than the map. */
#define N_RECENT 4

/* Sums have names only if they are grouped by file. */
#define NO_NAME 1
static __always_inline bool names_wanted(void)
{
	return !cfg.sums || cfg.sums & SUM_BY_FILE;
}

static __always_inline u64 path_id(u64 *recent, u64 dentry, u64 mount, u64 inode)
{
	u64 id;
	u32 *sent;

	if (!names_wanted())
		return NO_NAME;
	id = path_hash(dentry, mount, inode);
	if (!id) /* in sums such a file has no name */
		return cfg.sums ? NO_NAME :
				  path_define(next_id(), dentry, mount, inode, SCRATCH_CALLS);
	if (recent[id % N_RECENT] == id)
		return id;
	sent = bpf_map_lookup_elem(&paths_sent, &id);
	if (!(sent && *sent == epoch))
		id = path_define(id, dentry, mount, inode, SCRATCH_CALLS);
	if (id)
		recent[id % N_RECENT] = id;
	return id;
}

#endif
