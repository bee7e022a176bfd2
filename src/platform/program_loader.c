// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/program_loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <elf.h>

#define HEADERS_MAX 64 /* program headers that are looked at */

/* What is needed from 32-bit or 64-bit headers. */
struct headers {
	uint64_t offset; /* of the program headers */
	size_t size, n;
	bool wide;
};

static int read_header(int fd, struct headers *ret)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} h = { .ident = "" };

	if (pread(fd, &h, sizeof(h), 0) < (ssize_t)sizeof(h.narrow) ||
	    memcmp(h.ident, ELFMAG, SELFMAG) != 0)
		return -ENOENT;
	ret->wide = h.ident[EI_CLASS] == ELFCLASS64;
	if (ret->wide)
		*ret = (struct headers){ h.wide.e_phoff, h.wide.e_phentsize, h.wide.e_phnum, true };
	else
		*ret = (struct headers){ h.narrow.e_phoff, h.narrow.e_phentsize, h.narrow.e_phnum,
					 false };
	if (ret->n > HEADERS_MAX)
		ret->n = HEADERS_MAX;
	return ret->size == (ret->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) ? 0 : -ENOENT;
}

static int read_loader(int fd, const struct headers *h, char *ret, size_t size)
{
	for (size_t i = 0; i < h->n; i++) {
		union {
			Elf32_Phdr narrow;
			Elf64_Phdr wide;
		} p;
		uint64_t offset, len;
		uint32_t type;

		if (pread(fd, &p, h->size, (off_t)(h->offset + i * h->size)) != (ssize_t)h->size)
			return -ENOENT;
		type = h->wide ? p.wide.p_type : p.narrow.p_type;
		offset = h->wide ? p.wide.p_offset : p.narrow.p_offset;
		len = h->wide ? p.wide.p_filesz : p.narrow.p_filesz;
		if (type != PT_INTERP)
			continue;
		if (!len || len > size || pread(fd, ret, len, (off_t)offset) != (ssize_t)len)
			return -ENOENT;
		ret[len - 1] = 0;
		return *ret == '/' ? 0 : -ENOENT;
	}
	return -ENOENT;
}

static int find_loader(int fd, char *ret, size_t size)
{
	struct headers h;
	int err = read_header(fd, &h);

	return err ? err : read_loader(fd, &h, ret, size);
}
#else
#include <libkern/OSByteOrder.h>
#include <mach-o/fat.h>
#include <mach-o/loader.h>

#define COMMANDS_MAX (64 * 1024) /* bytes of load commands that are looked at */
#define SLICES_MAX 16

#ifdef __arm64__
#define OUR_CPU CPU_TYPE_ARM64
#else
#define OUR_CPU CPU_TYPE_X86_64
#endif

/* Finds the program for our processor in a "universal" file with several; the file's header is
 * big-endian. */
static int find_slice(int fd, off_t *ret)
{
	struct fat_header fat;

	*ret = 0;
	if (pread(fd, &fat, sizeof(fat), 0) != (ssize_t)sizeof(fat))
		return -ENOENT;
	if (OSSwapBigToHostInt32(fat.magic) != FAT_MAGIC)
		return 0;
	for (uint32_t i = 0; i < OSSwapBigToHostInt32(fat.nfat_arch) && i < SLICES_MAX; i++) {
		struct fat_arch arch;

		if (pread(fd, &arch, sizeof(arch), (off_t)(sizeof(fat) + i * sizeof(arch))) !=
		    (ssize_t)sizeof(arch))
			return -ENOENT;
		if (OSSwapBigToHostInt32((uint32_t)arch.cputype) != OUR_CPU)
			continue;
		*ret = OSSwapBigToHostInt32(arch.offset);
		return 0;
	}
	return -ENOENT;
}

/* Gets the string of LC_LOAD_DYLINKER from LEN bytes of load commands. */
static int find_command(const char *commands, size_t len, char *ret, size_t size)
{
	struct dylinker_command c;

	for (size_t at = 0; at + sizeof(c) <= len; at += c.cmdsize) {
		memcpy(&c, commands + at, sizeof(c));
		if (c.cmdsize < sizeof(struct load_command) || c.cmdsize > len - at)
			return -ENOENT;
		if (c.cmd != LC_LOAD_DYLINKER)
			continue;
		if (c.name.offset >= c.cmdsize || c.cmdsize - c.name.offset > size)
			return -ENOENT;
		memcpy(ret, commands + at + c.name.offset, c.cmdsize - c.name.offset);
		ret[c.cmdsize - c.name.offset - 1] = 0;
		return *ret == '/' ? 0 : -ENOENT;
	}
	return -ENOENT;
}

static int find_loader(int fd, char *ret, size_t size)
{
	struct mach_header_64 h;
	off_t at;
	int err = find_slice(fd, &at);
	char *commands;
	ssize_t n;

	if (err)
		return err;
	if (pread(fd, &h, sizeof(h), at) != (ssize_t)sizeof(h) || h.magic != MH_MAGIC_64 ||
	    h.sizeofcmds > COMMANDS_MAX)
		return -ENOENT;
	commands = malloc(h.sizeofcmds + 1);
	if (!commands)
		return -ENOMEM;
	n = pread(fd, commands, h.sizeofcmds, at + (off_t)sizeof(h));
	err = n < 0 ? -errno : find_command(commands, (size_t)n, ret, size);
	free(commands);
	return err;
}
#endif

int program_loader__get(const char *path, char ret[], size_t size)
{
	/* By now the path that a command executed may be a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;

	if (fd < 0)
		return -errno;
	err = find_loader(fd, ret, size);
	close(fd);
	return err;
}
