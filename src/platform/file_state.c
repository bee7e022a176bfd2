// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/file_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/macros.h"

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

#ifdef __linux__
#include <dirent.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/syscall.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

#define MASK (STATX_BASIC_STATS | STATX_BTIME)
/* Does not ask a file server about each file. */
#define LISTED (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC)

const struct file_attribute file_attributes[] = {
	{ STATX_ATTR_COMPRESSED, "STATX_ATTR_COMPRESSED" },
	{ STATX_ATTR_IMMUTABLE, "STATX_ATTR_IMMUTABLE" },
	{ STATX_ATTR_APPEND, "STATX_ATTR_APPEND" },
	{ STATX_ATTR_NODUMP, "STATX_ATTR_NODUMP" },
	{ STATX_ATTR_ENCRYPTED, "STATX_ATTR_ENCRYPTED" },
	{ 0x00100000, "STATX_ATTR_VERITY" }, /* Linux 5.5 */
	{ 0x00200000, "STATX_ATTR_DAX" },    /* Linux 5.8 */
	{ 0, NULL },
};

static struct file_time time_of(struct statx_timestamp t)
{
	return (struct file_time){ t.tv_sec, t.tv_nsec };
}

static void set(struct file_state *ret, const struct statx *st)
{
	*ret = (struct file_state){
		.size = st->stx_size,
		.physical = st->stx_blocks * 512,
		.inode = st->stx_ino,
		.modified = time_of(st->stx_mtime),
		.changed = time_of(st->stx_ctime),
		.accessed = time_of(st->stx_atime),
		.mount = st->stx_mask & STATX_MNT_ID ? st->stx_mnt_id : 0,
		.major = st->stx_dev_major,
		.minor = st->stx_dev_minor,
		.nlink = st->stx_nlink,
		.mode = st->stx_mode,
		.attributes = (uint32_t)st->stx_attributes,
		.has_birth = st->stx_mask & STATX_BTIME,
		.mount_root = st->stx_attributes & STATX_ATTR_MOUNT_ROOT,
	};
	if (ret->has_birth)
		ret->birth = time_of(st->stx_btime);
}

int file_state__get(int dir, const char *path, bool follow, struct file_state *ret)
{
	int flags =
		AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (*path ? 0 : AT_EMPTY_PATH);
	struct statx st;

	if (statx(dir, path, flags, MASK | STATX_MNT_ID, &st) < 0)
		return -errno;
	set(ret, &st);
	return 0;
}

int listing__next(struct listing *l, const char **ret_name, struct file_state *ret, int *ret_error)
{
	for (;;) {
		const struct dirent64 *d;
		struct statx st;

		if (l->at >= l->n) {
			l->at = 0;
			l->n = syscall(SYS_getdents64, l->fd, l->entries, sizeof(l->entries));
			if (l->n <= 0)
				return l->n < 0 ? -errno : 0;
		}
		d = (const struct dirent64 *)(l->entries + l->at);
		l->at += d->d_reclen;
		if (is_dots(d->d_name))
			continue;
		*ret_name = d->d_name;
		*ret_error = statx(l->fd, d->d_name, LISTED, MASK, &st) < 0 ? -errno : 0;
		if (!*ret_error)
			set(ret, &st);
		return 1;
	}
}

int listing__open(int dir, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

	if (fd < 0 && errno == EPERM) { /* O_NOATIME is allowed to the owner only */
		how.flags &= ~O_NOATIME;
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	}
	return fd < 0 ? -errno : fd;
}
#else
#include <sys/attr.h>
#include <sys/types.h>

/* sys/vnode.h; fsobj_type_t of getattrlistbulk(2). */
enum { TYPE_FILE = 1, TYPE_DIR, TYPE_BLOCK, TYPE_CHAR, TYPE_LINK, TYPE_SOCKET, TYPE_FIFO };

/* sys/stat.h. Those of the system and those of the owner have one name each. */
const struct file_attribute file_attributes[] = {
	{ UF_NODUMP, "UF_NODUMP" },         { UF_IMMUTABLE, "UF_IMMUTABLE" },
	{ UF_APPEND, "UF_APPEND" },         { UF_OPAQUE, "UF_OPAQUE" },
	{ UF_COMPRESSED, "UF_COMPRESSED" }, { UF_TRACKED, "UF_TRACKED" },
	{ UF_DATAVAULT, "UF_DATAVAULT" },   { UF_HIDDEN, "UF_HIDDEN" },
	{ SF_ARCHIVED, "SF_ARCHIVED" },     { SF_IMMUTABLE, "SF_IMMUTABLE" },
	{ SF_APPEND, "SF_APPEND" },         { SF_RESTRICTED, "SF_RESTRICTED" },
	{ SF_NOUNLINK, "SF_NOUNLINK" },     { SF_FIRMLINK, "SF_FIRMLINK" },
	{ SF_DATALESS, "SF_DATALESS" },     { 0, NULL },
};

static struct file_time time_of(struct timespec t)
{
	return (struct file_time){ t.tv_sec, (uint32_t)t.tv_nsec };
}

/* A file system without birth times reports 0. */
static void set(struct file_state *ret, const struct stat *st)
{
	*ret = (struct file_state){
		.size = (uint64_t)st->st_size,
		.physical = (uint64_t)st->st_blocks * 512,
		.inode = st->st_ino,
		.birth = time_of(st->st_birthtimespec),
		.modified = time_of(st->st_mtimespec),
		.changed = time_of(st->st_ctimespec),
		.accessed = time_of(st->st_atimespec),
		.major = (uint32_t)major(st->st_dev),
		.minor = (uint32_t)minor(st->st_dev),
		.nlink = st->st_nlink,
		.mode = st->st_mode,
		.attributes = st->st_flags,
		.has_birth = st->st_birthtimespec.tv_sec,
	};
}

int file_state__get(int dir, const char *path, bool follow, struct file_state *ret)
{
	struct stat st;

	if (*path ? fstatat(dir, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) : fstat(dir, &st))
		return -errno;
	set(ret, &st);
	return 0;
}

/* The attributes that getattrlistbulk(2) returns for a file, in this order; groups that it does not
 * return are missing. */
#define COMMON \
	(ATTR_CMN_RETURNED_ATTRS | ATTR_CMN_ERROR | ATTR_CMN_NAME | ATTR_CMN_DEVID | \
	 ATTR_CMN_OBJTYPE | ATTR_CMN_CRTIME | ATTR_CMN_MODTIME | ATTR_CMN_CHGTIME | \
	 ATTR_CMN_ACCTIME | ATTR_CMN_ACCESSMASK | ATTR_CMN_FLAGS | ATTR_CMN_FILEID)
#define FILES (ATTR_FILE_LINKCOUNT | ATTR_FILE_ALLOCSIZE | ATTR_FILE_DATALENGTH)

struct cursor {
	const char *at, *end;
	uint32_t has; /* attributes of the group */
};

/* Copies an attribute of SIZE bytes, if it was returned. */
static void take_attribute(struct cursor *c, uint32_t attribute, void *ret, size_t size)
{
	if (!(c->has & attribute) || (size_t)(c->end - c->at) < size)
		return;
	memcpy(ret, c->at, size);
	c->at += size;
}

/* Returns the name of the entry; NULL if it is not inside the entry, or not terminated there. */
static const char *take_name(struct cursor *c)
{
	const char *from = c->at;
	attrreference_t ref = { 0 };

	take_attribute(c, ATTR_CMN_NAME, &ref, sizeof(ref));
	if (ref.attr_dataoffset < 0 || ref.attr_dataoffset >= c->end - from ||
	    ref.attr_length > (uint32_t)(c->end - from - ref.attr_dataoffset) || !ref.attr_length ||
	    from[ref.attr_dataoffset + ref.attr_length - 1])
		return NULL;
	return from + ref.attr_dataoffset;
}

static void take_times(struct cursor *c, struct file_state *ret)
{
	struct timespec birth = { 0 }, modified = { 0 }, changed = { 0 }, accessed = { 0 };

	take_attribute(c, ATTR_CMN_CRTIME, &birth, sizeof(birth));
	take_attribute(c, ATTR_CMN_MODTIME, &modified, sizeof(modified));
	take_attribute(c, ATTR_CMN_CHGTIME, &changed, sizeof(changed));
	take_attribute(c, ATTR_CMN_ACCTIME, &accessed, sizeof(accessed));
	ret->birth = time_of(birth);
	ret->modified = time_of(modified);
	ret->changed = time_of(changed);
	ret->accessed = time_of(accessed);
	ret->has_birth = birth.tv_sec;
}

static uint32_t mode_of(uint32_t type, uint32_t access)
{
	static const uint32_t types[] = {
		[TYPE_FILE] = S_IFREG, [TYPE_BLOCK] = S_IFBLK,   [TYPE_CHAR] = S_IFCHR,
		[TYPE_LINK] = S_IFLNK, [TYPE_SOCKET] = S_IFSOCK, [TYPE_FIFO] = S_IFIFO,
	};

	return (type < ARRAY_SIZE(types) ? types[type] : 0) | (access & 07777);
}

/* Parses an entry, except for facts about directories. Returns its name, or NULL if it is
 * malformed. */
static const char *parse_entry(const char *entry, uint32_t len, struct file_state *ret,
			       uint32_t *ret_type, int *ret_error)
{
	attribute_set_t returned = { 0 };
	struct cursor c = { entry + sizeof(len), entry + len, ATTR_CMN_RETURNED_ATTRS };
	uint32_t error = 0, access = 0, type = 0;
	dev_t dev = 0;
	off_t size = 0, physical = 0;
	const char *name;

	*ret = (struct file_state){ 0 };
	take_attribute(&c, ATTR_CMN_RETURNED_ATTRS, &returned, sizeof(returned));
	c.has = returned.commonattr;
	take_attribute(&c, ATTR_CMN_ERROR, &error, sizeof(error));
	name = take_name(&c);
	take_attribute(&c, ATTR_CMN_DEVID, &dev, sizeof(dev));
	take_attribute(&c, ATTR_CMN_OBJTYPE, &type, sizeof(type));
	take_times(&c, ret);
	take_attribute(&c, ATTR_CMN_ACCESSMASK, &access, sizeof(access));
	take_attribute(&c, ATTR_CMN_FLAGS, &ret->attributes, sizeof(ret->attributes));
	take_attribute(&c, ATTR_CMN_FILEID, &ret->inode, sizeof(ret->inode));
	c.has = returned.fileattr;
	take_attribute(&c, ATTR_FILE_LINKCOUNT, &ret->nlink, sizeof(ret->nlink));
	take_attribute(&c, ATTR_FILE_ALLOCSIZE, &physical, sizeof(physical));
	take_attribute(&c, ATTR_FILE_DATALENGTH, &size, sizeof(size));
	ret->size = (uint64_t)size;
	ret->physical = (uint64_t)physical;
	ret->major = (uint32_t)major(dev);
	ret->minor = (uint32_t)minor(dev);
	ret->mode = mode_of(type, access);
	*ret_type = type;
	*ret_error = -(int)error;
	return name;
}

/* A directory's own size and links are those of stat(2), which also shows what is mounted on it. A
 * firmlink leads to the other volume of the same system. */
static int look_at_dir(int fd, const char *name, struct file_state *ret)
{
	struct stat here;
	int err = file_state__get(fd, name, false, ret);

	if (err || fstat(fd, &here))
		return err ? err : -errno;
	ret->mount_root =
		!(ret->attributes & SF_FIRMLINK) && (ret->major != (uint32_t)major(here.st_dev) ||
						     ret->minor != (uint32_t)minor(here.st_dev));
	return 0;
}

static int read_entries(struct listing *l)
{
	struct attrlist wanted = {
		.bitmapcount = ATTR_BIT_MAP_COUNT,
		.commonattr = COMMON,
		.fileattr = FILES,
	};

	l->at = 0;
	l->n = getattrlistbulk(l->fd, &wanted, l->entries, sizeof(l->entries), 0);
	return l->n < 0 ? -errno : (int)l->n;
}

int listing__next(struct listing *l, const char **ret_name, struct file_state *ret, int *ret_error)
{
	const char *entry;
	uint32_t len, type;

	do {
		int n = l->n > 0 ? 1 : read_entries(l);

		if (n <= 0)
			return n;
		entry = l->entries + l->at;
		memcpy(&len, entry, sizeof(len));
		if (len < sizeof(len) || len > sizeof(l->entries) - (size_t)l->at)
			return -EIO;
		l->at += len;
		l->n--;
		*ret_name = parse_entry(entry, len, ret, &type, ret_error);
		if (!*ret_name)
			return -EIO;
	} while (is_dots(*ret_name));
	/* Some file systems report no types (ATTR_CMN_RETURNED_ATTRS). */
	if (!*ret_error && (type == TYPE_DIR || type < TYPE_FILE || type > TYPE_FIFO))
		*ret_error = look_at_dir(l->fd, *ret_name, ret);
	return 1;
}

int listing__open(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW_ANY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
#endif
