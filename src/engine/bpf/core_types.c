// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/core_types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"
#include "platform/memory_file.h"

int core_types__open(char path[CORE_TYPES_PATH_SIZE])
{
	int fd = memory_file__new("types");

	if (fd < 0)
		return fd;
	snprintf(path, CORE_TYPES_PATH_SIZE, "/proc/self/fd/%d", fd);
	if (!access(path, R_OK))
		return fd;
	close(fd);
	return -ENOENT;
}

/* ---- the names that the programs use ---- */

struct type_names {
	const char **at; /* sorted */
	size_t n;
};

/* The length of NAME without what libbpf ignores: three underscores and what follows them. */
static size_t length(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour ? (size_t)(flavour - name) : strlen(name);
}

static int compare_names(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t x_len = length(x), y_len = length(y);
	int order = memcmp(x, y, x_len < y_len ? x_len : y_len);

	return order ? order : (x_len > y_len) - (x_len < y_len);
}

static bool is_struct(const struct btf_type *t)
{
	return btf_is_composite(t) && t->name_off;
}

static int read_names(struct type_names *ret, const struct btf *ours)
{
	uint32_t n = btf__type_cnt(ours);

	ret->n = 0;
	ret->at = calloc(n, sizeof(*ret->at));
	if (!ret->at)
		return -ENOMEM;
	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(ours, id);

		if (is_struct(t))
			ret->at[ret->n++] = btf__name_by_offset(ours, t->name_off);
	}
	qsort(ret->at, ret->n, sizeof(*ret->at), compare_names);
	return 0;
}

static bool is_known_type(const struct type_names *known, const char *name)
{
	return bsearch(&name, known->at, known->n, sizeof(*known->at), compare_names);
}

/* ---- the copy ---- */

/* Whether T can be the type of a field only through a pointer. */
static bool is_code(const struct btf_type *t)
{
	return btf_is_func(t) || btf_is_func_proto(t) || btf_is_var(t) || btf_is_datasec(t) ||
	       btf_is_decl_tag(t);
}

static uint32_t last_used(const struct btf *kernel)
{
	uint32_t id = btf__type_cnt(kernel) - 1;

	while (id > 1 && is_code(btf__type_by_id(kernel, id)))
		id--;
	return id;
}

/* Replaces types beyond LAST, to which T refers, by void: they are functions and their
 * prototypes. */
static void cut_references(struct btf_type *t, uint32_t last)
{
	if (btf_is_datasec(t)) {
		for (uint32_t i = 0; i < btf_vlen(t); i++)
			if (btf_var_secinfos(t)[i].type > last)
				btf_var_secinfos(t)[i].type = 0;
	} else if ((btf_is_ptr(t) || btf_is_mod(t) || btf_is_typedef(t) || btf_is_func(t) ||
		    btf_is_decl_tag(t)) &&
		   t->type > last) {
		t->type = 0;
	}
}

/* Shortens COPY, a copy of KERNEL's raw data, in which the strings follow the types. Returns its
 * new size. */
static size_t shorten(char *copy, const struct btf *kernel, const struct type_names *known)
{
	struct btf_header *header = (struct btf_header *)copy;
	char *types = copy + header->hdr_len + header->type_off;
	char *strings = copy + header->hdr_len + header->str_off;
	const char *first = (const char *)btf__type_by_id(kernel, 1);
	uint32_t last = last_used(kernel);

	for (uint32_t id = 1; id <= last; id++) {
		const struct btf_type *of = btf__type_by_id(kernel, id);
		struct btf_type *t = (struct btf_type *)(types + ((const char *)of - first));

		cut_references(t, last);
		if (is_struct(of) &&
		    !is_known_type(known, btf__name_by_offset(kernel, of->name_off)))
			t->name_off = 0;
	}
	if (last + 1 < btf__type_cnt(kernel))
		header->type_len = (const char *)btf__type_by_id(kernel, last + 1) - first;
	memmove(types + header->type_len, strings, header->str_len);
	header->str_off = header->type_off + header->type_len;
	return header->hdr_len + header->str_off + header->str_len;
}

int core_types__write(int fd, const struct btf *kernel, const struct btf *ours)
{
	struct type_names known;
	uint32_t size;
	const void *raw = btf__raw_data(kernel, &size);
	char *copy;
	int err;

	if (!raw)
		return -ENOMEM;
	err = read_names(&known, ours);
	if (err)
		return err;
	copy = malloc(size);
	err = copy ? 0 : -ENOMEM;
	if (!err) {
		memcpy(copy, raw, size);
		err = write_all(fd, copy, shorten(copy, kernel, &known), 0);
	}
	free(copy);
	free(known.at);
	return err;
}
