// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_loader.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 64 /* program headers that are looked at */

/* What 32-bit and 64-bit headers say alike. */
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

int run_loader__of(const char *path, char ret[], size_t size)
{
	/* What a command executed may be a FIFO by now. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;
	struct headers h;

	if (fd < 0)
		return -errno;
	err = read_header(fd, &h);
	if (!err)
		err = read_loader(fd, &h, ret, size);
	close(fd);
	return err;
}

void run_loader__add(struct run_files *f)
{
	size_t n = f->n;

	for (size_t i = 0; i < n; i++) {
		const struct run_file *program = f->files[i];
		char name[PATH_MAX], *real;

		if (!(program->is & RUN_EXECUTED) || program->is & RUN_GONE ||
		    run_loader__of(program->path, name, sizeof(name)))
			continue;
		real = realpath(name, NULL);
		if (real)
			run_files__executed(f, real, program);
		free(real);
	}
}
