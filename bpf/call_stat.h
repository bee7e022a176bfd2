/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The answer of stat(), statx() and their kin. */
#ifndef IOTRC_BPF_CALL_STAT_H
#define IOTRC_BPF_CALL_STAT_H

#include "bpf/abi.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/uread.h"
#include "schema/records.h"

/* The structures that a stat call may fill, and the offsets of dev, ino and mode in them. dev and
 * ino have 64 bits, in the narrow form 32; of the mode 16 bits are used. */
enum stat_form { STAT_NATIVE, STAT_NARROW, STAT_WIDE, STAT_X };

struct stat_places {
	u32 dev, ino, mode;
};

#if defined(__TARGET_ARCH_x86)
#define STAT_NATIVE_MODE(words) words[3]
#else
#define STAT_NATIVE_MODE(words) words[2]
#endif

static const struct stat_places stat_places[] = {
#if defined(__TARGET_ARCH_x86)
	[STAT_NATIVE] = { 0, 8, 24 },
	[STAT_WIDE] = { 0, 88, 16 }, /* struct stat64 of i386 */
#else
	[STAT_NATIVE] = { 0, 8, 16 },
	[STAT_WIDE] = { 0, 96, 16 }, /* struct stat64 of arm */
#endif
	[STAT_NARROW] = { 0, 4, 8 }, /* struct stat of i386 and arm */
	[STAT_X] = { 136, 32, 28 },
};

/* Reads which file the stat call has found. */
__subprog bool read_stat(struct rec_fs_long *rec, u64 at, u32 props, u32 compat)
{
	enum stat_form form = props & PROP_STATX  ? STAT_X :
			      props & PROP_STAT64 ? STAT_WIDE :
			      compat              ? STAT_NARROW :
						    STAT_NATIVE;
	const struct stat_places *p = &stat_places[form];
	/* In one place: this ends the longest chain of calls, and the stack is short. */
	union {
		u64 words[4];
		struct {
			u64 dev, ino;
			u16 mode;
		};
	} file;
	u16 mode;

	if (!rec)
		return false;
	if (form == STAT_NATIVE) { /* most calls: the first 32 bytes have all of it */
		if (uread(file.words, sizeof(file.words), at))
			return false;
		mode = STAT_NATIVE_MODE(file.words);
	} else {
		if (uread(&file.mode, sizeof(file.mode), at + p->mode) ||
		    uread(&file.ino, sizeof(file.ino), at + p->ino) ||
		    uread(&file.dev, sizeof(file.dev), at + p->dev))
			return false;
		mode = file.mode;
	}
	rec->mode = mode;
	rec->ino = form == STAT_NARROW ? (u32)file.ino : file.ino;
	/* statx() gives major and minor; the others new_encode_dev() of include/linux/kdev_t.h. */
	rec->dev = form == STAT_X ? (u32)file.dev << 20 | file.dev >> 32 :
				    ((file.dev >> 8) & 0xfff) << 20 | (file.dev & 0xff) |
					    ((file.dev >> 12) & 0xfff00);
	rec->has |= LONG_HAS_INODE;
	return true;
}

#endif
