// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "engine/bpf/core_types.h"

/* Returns the copy of KERNEL for programs with the types OURS, as libbpf reads it. */
static struct btf *copy_of(const struct btf *kernel, const struct btf *ours)
{
	char path[CORE_TYPES_PATH_SIZE];
	int fd = core_types__open(path);
	struct btf *ret;

	cr_assert_geq(fd, 0);
	cr_assert_eq(core_types__write(fd, kernel, ours), 0);
	ret = btf__parse(path, NULL);
	cr_assert_not_null(ret);
	close(fd);
	return ret;
}

static const char *name_of(const struct btf *btf, int id)
{
	return btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off);
}

Test(core_types, keeps_what_programs_know)
{
	struct btf *kernel = btf__new_empty(), *ours = btf__new_empty(), *copy;
	int number = btf__add_int(kernel, "int", 4, BTF_INT_SIGNED), known, other, enumeration,
	    pointer, last;

	known = btf__add_struct(kernel, "known", 8);
	btf__add_field(kernel, "first", number, 0, 0);
	btf__add_field(kernel, "second", number, 32, 0);
	other = btf__add_union(kernel, "other", 4);
	btf__add_field(kernel, "third", number, 0, 0);
	enumeration = btf__add_enum(kernel, "enumeration", 4);
	btf__add_enum_value(kernel, "VALUE", 7);
	pointer = btf__add_ptr(kernel, enumeration + 3); /* to a function */
	last = btf__add_ptr(kernel, known);
	btf__add_func_proto(kernel, number);
	btf__add_func(kernel, "function", BTF_FUNC_GLOBAL, last + 1);
	btf__add_struct(ours, "known___old", 4);
	btf__add_struct(ours, "lacking", 4);

	copy = copy_of(kernel, ours);
	cr_expect_eq((int)btf__type_cnt(copy), last + 1);
	cr_expect_str_eq(name_of(copy, known), "known");
	cr_expect_str_eq(name_of(copy, other), "");
	cr_expect_str_eq(name_of(copy, enumeration), "enumeration");
	cr_expect_eq(btf__type_by_id(copy, pointer)->type, 0);
	cr_expect_eq((int)btf__type_by_id(copy, last)->type, known);
	cr_expect_eq(btf__find_by_name(copy, "known"), known);
	cr_expect_str_eq(
		btf__name_by_offset(copy, btf_members(btf__type_by_id(copy, known))[1].name_off),
		"second");
	cr_expect_str_eq(
		btf__name_by_offset(copy, btf_members(btf__type_by_id(copy, other))[0].name_off),
		"third");
	cr_expect_str_eq(
		btf__name_by_offset(copy, btf_enum(btf__type_by_id(copy, enumeration))[0].name_off),
		"VALUE");
	btf__free(copy);
	btf__free(kernel);
	btf__free(ours);
}

/* The running kernel's types, all of whose structs are known. */
Test(core_types, of_this_kernel)
{
	struct btf *kernel = btf__load_vmlinux_btf(), *copy;

	if (!kernel)
		cr_skip_test("no types of the kernel");
	copy = copy_of(kernel, kernel);
	cr_expect_gt(btf__type_cnt(copy), 1000);
	for (int id = 1; id < (int)btf__type_cnt(copy); id++) {
		cr_assert_eq(btf_kind(btf__type_by_id(copy, id)),
			     btf_kind(btf__type_by_id(kernel, id)));
		cr_assert_str_eq(name_of(copy, id), name_of(kernel, id));
	}
	btf__free(copy);
	btf__free(kernel);
}
