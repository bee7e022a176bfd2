// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/registry.h"
#include "snappers/mount_list.h"
#include "snappers/spec.h"

/* ---- block devices ---- */

#ifdef __linux__
#define BLOCK "/sys/block"

/* Numeric files in /sys/block/DEV/queue. */
/* clang-format off */
static const char *const queue_numbers[] = {
	"logical_block_size", "physical_block_size", "minimum_io_size", "optimal_io_size",
	"nr_requests", "max_sectors_kb", "max_hw_sectors_kb", "max_segments", "read_ahead_kb",
	"discard_granularity", "discard_max_bytes", "discard_max_hw_bytes", "write_zeroes_max_bytes",
	"nomerges", "rq_affinity", "wbt_lat_usec", "io_poll", "fua", "dax", "chunk_sectors",
};
/* clang-format on */

static json_t *flag(const char *name, const char *file)
{
	json_t *n = spec__number(BLOCK "/%s/%s", name, file), *b;

	if (json_is_null(n))
		return n;
	b = json_boolean(json_integer_value(n));
	json_decref(n);
	return b;
}

static json_t *bytes(const char *name, const char *file)
{
	json_t *n = spec__number(BLOCK "/%s/%s", name, file);

	if (json_is_integer(n))
		json_integer_set(n, json_integer_value(n) * 512); /* sysfs counts sectors of 512 */
	return n;
}

/* The active scheduler is in brackets, unless there is only one. */
static void add_scheduler(json_t *device, const char *name)
{
	char text[256], *open, *close, *rest;
	json_t *all = json_array();

	spec__line(text, sizeof(text), BLOCK "/%s/queue/scheduler", name);
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	json_object_set_new(device, "scheduler",
			    close ? json_stringn(open + 1, close - open - 1) :
			    *text ? json_string(text) :
				    json_null());
	for (char *s = strtok_r(text, " []", &rest); s; s = strtok_r(NULL, " []", &rest))
		json_array_append_new(all, json_string(s));
	json_object_set_new(device, "schedulers", all);
}

struct disk_names {
	const struct spec *s;
	json_t *list;
	const char *disk;
};

static void add_name(const char *name, void *arg)
{
	json_array_append_new(arg, json_text(name));
}

static json_t *names_in(const char *name, const char *dir, const char *prefix)
{
	json_t *list = json_array();
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BLOCK "/%s/%s", name, dir);
	spec__each(path, prefix, add_name, list);
	return list;
}

static const char *type_of(const char *name)
{
	static const struct {
		const char *dir, *type;
	} types[] = {
		{ "dm", "dm" },
		{ "md", "md" },
		{ "loop", "loop" },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		snprintf(path, sizeof(path), BLOCK "/%s/%s", name, types[i].dir);
		if (!access(path, F_OK))
			return types[i].type;
	}
	return strncmp(name, "loop", 4) ? "disk" : "loop";
}

/* Type of a device-mapper or md device; backing file of a loop device. */
static void add_stack(const struct spec *s, json_t *device, const char *name)
{
	char text[4096];

	if (spec__line(text, sizeof(text), BLOCK "/%s/dm/name", name)) {
		json_object_set_new(device, "dm_name", spec__name(s, text));
		/* LVM-…, CRYPT-LUKS2-…: an id of the device follows. */
		spec__line(text, sizeof(text), BLOCK "/%s/dm/uuid", name);
		text[strcspn(text, "-")] = 0;
		json_object_set_new(device, "dm_type", *text ? json_text(text) : json_null());
	}
	if (spec__line(text, sizeof(text), BLOCK "/%s/md/level", name)) {
		json_object_set_new(device, "md_level", json_text(text));
		json_object_set_new(device, "md_raid_disks",
				    spec__number(BLOCK "/%s/md/raid_disks", name));
		json_object_set_new(device, "md_chunk_bytes",
				    spec__number(BLOCK "/%s/md/chunk_size", name));
		json_object_set_new(device, "md_state",
				    spec__string(BLOCK "/%s/md/array_state", name));
	}
	if (spec__line(text, sizeof(text), BLOCK "/%s/loop/backing_file", name))
		json_object_set_new(device, "loop_backing_file", spec__path(s, text));
}

static void add_partition(const char *name, void *arg)
{
	struct disk_names *to = arg;
	char path[512], number[32];

	snprintf(path, sizeof(path), "%s/%s", to->disk, name);
	if (!spec__line(number, sizeof(number), BLOCK "/%s/partition", path))
		return;
	json_array_append_new(
		to->list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", json_text(name), "number",
				    spec__number(BLOCK "/%s/partition", path), "major_minor",
				    spec__string(BLOCK "/%s/dev", path), "start_bytes",
				    bytes(path, "start"), "size_bytes", bytes(path, "size")));
}

static void add_device(const char *name, void *arg)
{
	struct disk_names *to = arg;
	json_t *d =
		json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			  "name", json_text(name), "type", type_of(name), "major_minor",
			  spec__string(BLOCK "/%s/dev", name), "model",
			  spec__string(BLOCK "/%s/device/model", name), "vendor",
			  spec__string(BLOCK "/%s/device/vendor", name), "size_bytes",
			  bytes(name, "size"), "rotational", flag(name, "queue/rotational"),
			  "removable", flag(name, "removable"), "read_only", flag(name, "ro"),
			  "queue_depth", spec__number(BLOCK "/%s/device/queue_depth", name),
			  "write_cache", spec__string(BLOCK "/%s/queue/write_cache", name), "zoned",
			  spec__string(BLOCK "/%s/queue/zoned", name), "slaves",
			  names_in(name, "slaves", ""), "holders", names_in(name, "holders", ""));
	struct disk_names partitions = { to->s, json_array(), name };
	json_t *queues = names_in(name, "mq", "");
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(queue_numbers); i++)
		json_object_set_new(d, queue_numbers[i],
				    spec__number(BLOCK "/%s/queue/%s", name, queue_numbers[i]));
	json_object_set_new(d, "hardware_queues", json_integer(json_array_size(queues)));
	json_decref(queues);
	add_scheduler(d, name);
	add_stack(to->s, d, name);
	snprintf(path, sizeof(path), BLOCK "/%s", name);
	spec__each(path, name, add_partition, &partitions);
	json_object_set_new(d, "partitions", partitions.list);
	json_array_append_new(to->list, d);
}

/* The kernel's name of a device, which identifies nobody. */
static bool is_kernel_device(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	return !strchr(name, '/') && !access(path, F_OK);
}

static json_t *devices(const struct spec *s)
{
	struct disk_names found = { s, json_array(), NULL };

	spec__each(BLOCK, "", add_device, &found);
	return found.list;
}
#else
static json_t *text_or_null(const char *text)
{
	return *text ? json_text(text) : json_null();
}

static json_t *number_or_null(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

/* Parts (APFS containers and volumes among them) are entries of their own: MAJOR:MINOR in the block
 * stream may be any of them. */
static void add_device(void *arg, const struct registry_media *m)
{
	json_array_append_new(
		arg,
		json_pack(
			"{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "name",
			json_text(m->name), "type", m->whole ? "disk" : "partition", "major_minor",
			m->major < 0 ? json_null() : json_sprintf("%d:%d", m->major, m->minor),
			"model", text_or_null(m->model), "vendor", text_or_null(m->vendor),
			"size_bytes", number_or_null(m->size_bytes), "rotational",
			m->solid_state || m->rotational ? json_boolean(m->rotational) : json_null(),
			"removable", m->removable, "read_only", !m->writable, "logical_block_size",
			number_or_null(m->block_bytes), "content", text_or_null(m->content)));
}

/* disk0, disk3s1 */
static bool is_kernel_device(const char *name)
{
	return !strncmp(name, "disk", 4) && isdigit((unsigned char)name[4]) && !strchr(name, '/');
}

static json_t *devices(const struct spec *s)
{
	json_t *list = json_array();

	registry__each_media(add_device, list);
	return list;
}
#endif

/* ---- mounts ---- */

/* Numbers and the filesystem's own words as option values identify nobody. */
static bool is_harmless(const char *option, size_t len)
{
	static const char *const keys[] = { "data",
					    "errors",
					    "mode",
					    "size",
					    "nr_inodes",
					    "gid",
					    "uid",
					    "discard",
					    "compress",
					    "compress-force",
					    "commit",
					    "barrier",
					    "logbufs",
					    "logbsize",
					    "allocsize",
					    "vers",
					    "proto",
					    "sec",
					    "rsize",
					    "wsize",
					    "timeo",
					    "retrans",
					    "hidepid",
					    "fmask",
					    "dmask",
					    "umask",
					    "iocharset",
					    "shortname",
					    "ptmxmode",
					    "huge",
					    "space_cache",
					    "inode_readahead_blks",
					    "stripe",
					    "sunit",
					    "swidth",
					    "xino",
					    "redirect_dir",
					    "index",
					    "memory_recursiveprot",
					    "resuid",
					    "resgid",
					    "pgrp",
					    "timeout",
					    "minproto",
					    "maxproto",
					    "max_read",
					    "blksize",
					    "user_id",
					    "group_id",
					    "rootmode" };
	const char *equals = memchr(option, '=', len);
	size_t key;

	if (!equals)
		return true;
	key = equals - option;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i]) == key && !memcmp(keys[i], option, key))
			return true;
	return false;
}

/* lowerdir=…, addr=…, username=…: writes a token for the value. */
static json_t *options(const struct spec *s, const char *text)
{
	char *buf, *p;
	json_t *json;

	if (!s->anon)
		return json_text(text);
	buf = p = malloc(ANONYMIZE_MAX(strlen(text)) + 1);
	if (!buf)
		return NULL;
	while (*text) {
		size_t len = strcspn(text, ",");
		const char *equals = memchr(text, '=', len);

		if (is_harmless(text, len)) {
			p = mempcpy(p, text, len);
		} else {
			p = mempcpy(p, text, equals + 1 - text);
			p = anonymize__name(s->anon, p, equals + 1, text + len - equals - 1);
		}
		text += len;
		if (*text)
			*p++ = *text++;
	}
	*p = 0;
	json = json_text(buf);
	free(buf);
	return json;
}

/* Kernel device names stay readable, and so does a source that repeats the filesystem type. */
static json_t *source(const struct spec *s, const struct mount_info *m)
{
	const char *name = m->source;

	if (!s->anon || !strcmp(name, m->type) || !strcmp(name, "none"))
		return json_text(name);
	if (!strncmp(name, "/dev/", 5) && is_kernel_device(name + 5))
		return json_text(name);
	return strchr(name, '/') ? spec__path(s, name) : spec__name(s, name);
}

static json_t *device_number(const struct mount_info *m)
{
	return json_sprintf("%u:%u", m->major, m->minor);
}

static json_t *mount(const struct spec *s, const struct mount_info *m)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "device", source(s, m), "mountpoint",
			 spec__path(s, m->path), "root", spec__path(s, m->root), "fstype", m->type,
			 "opts", options(s, m->options), "dev_major_minor", device_number(m));
}

/* As in df(1), to a tenth. A user's own file system (FUSE) can report any numbers: if the sum is 0,
 * or less than a part of it, there is no percentage. */
static double used_percent(double used, double available)
{
	double share = used + available > 0 ? 100 * used / (used + available) : 0;

	return (int)(share * 10 + 0.5) / 10.0;
}

static json_t *partition(const struct spec *s, const struct mount_info *m)
{
	json_t *p =
		json_pack("{s:o, s:o, s:s, s:o, s:o, s:b}", "device", source(s, m), "mountpoint",
			  spec__path(s, m->path), "fstype", m->type, "opts", options(s, m->options),
			  "dev_major_minor", device_number(m), "network", m->network);
	struct statvfs v;
	unsigned long long used, available;

	/* statfs would wait for a server that does not answer. */
	if ((m->network && !s->network) || statvfs(m->path, &v) < 0) {
		static const char *const keys[] = { "total_bytes", "used_bytes", "free_bytes",
						    "percent_used" };

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			json_object_set_new(p, keys[i], json_null());
		return p;
	}
	used = (unsigned long long)(v.f_blocks - v.f_bfree) * v.f_frsize;
	available = (unsigned long long)v.f_bavail * v.f_frsize;
	json_object_set_new(p, "total_bytes", json_integer((json_int_t)v.f_blocks * v.f_frsize));
	json_object_set_new(p, "used_bytes", json_integer(used));
	json_object_set_new(p, "free_bytes", json_integer(available));
	json_object_set_new(p, "percent_used",
			    json_real(used_percent((double)used, (double)available)));
	json_object_set_new(p, "total_inodes", json_integer(v.f_files));
	json_object_set_new(p, "free_inodes", json_integer(v.f_ffree));
	json_object_set_new(p, "block_size_bytes", json_integer(v.f_bsize));
	return p;
}

static void add_mounts(const struct spec *s, json_t *mounts, json_t *partitions)
{
	struct mount_list list = { 0 };

	if (mount_list__here(&list, NULL, NULL))
		return;
	for (size_t i = 0; i < list.n; i++) {
		json_array_append_new(mounts, mount(s, &list.list[i]));
		if (list.list[i].real)
			json_array_append_new(partitions, partition(s, &list.list[i]));
	}
	mount_list__clear(&list);
}

/* ---- graphics ---- */

static void add_gpu(const char *name, void *arg)
{
	char path[256], target[PATH_MAX];
	ssize_t n;

	if (!isdigit((unsigned char)name[4]) ||
	    strchr(name, '-')) /* card0-HDMI-A-1 is a connector */
		return;
	snprintf(path, sizeof(path), "/sys/class/drm/%.64s/device/driver", name);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = 0;
	json_array_append_new(
		arg, json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", json_text(name), "driver",
			       n > 0 && strrchr(target, '/') ? json_text(strrchr(target, '/') + 1) :
							       json_null(),
			       "vendor_id", spec__string("/sys/class/drm/%s/device/vendor", name),
			       "device_id", spec__string("/sys/class/drm/%s/device/device", name),
			       "memory_bytes",
			       spec__number("/sys/class/drm/%s/device/mem_info_vram_total", name)));
}

json_t *spec__disk(const struct spec *s)
{
	json_t *mounts = json_array(), *partitions = json_array(), *gpus = json_array();

	add_mounts(s, mounts, partitions);
	spec__each("/sys/class/drm", "card", add_gpu, gpus);
	return json_pack("{s:o, s:o, s:o, s:o}", "storage_devices", devices(s), "partitions",
			 partitions, "mounts", mounts, "gpus", gpus);
}
