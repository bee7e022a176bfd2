// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/request_names.h"

#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

static void keep(char *upper, char *lower, const char *name)
{
	size_t i;

	for (i = 0; name[i] && i < REQNAMES_BYTES - 1; i++) {
		upper[i] = name[i];
		lower[i] = (char)tolower((unsigned char)name[i]);
	}
	upper[i] = lower[i] = 0;
}

static const struct btf_type *find_enum(const struct btf *btf, const char *name, const char *older)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);

	if (id < 0 && older)
		id = btf__find_by_name_kind(btf, older, BTF_KIND_ENUM);
	return id < 0 ? NULL : btf__type_by_id(btf, id);
}

int request_names__read(struct reqnames *r, const struct btf *btf)
{
	const struct btf_type *ops = find_enum(btf, "req_op", "req_opf" /* until 5.19 */),
			      *bits = find_enum(btf, "req_flag_bits", NULL);
	const struct btf_enum *e;

	if (!ops || !bits)
		return -ENOENT;
	e = btf_enum(ops);
	for (int i = 0; i < btf_vlen(ops); i++) {
		const char *name = btf__name_by_offset(btf, e[i].name_off);

		if (!strncmp(name, "REQ_OP_", 7) && (uint32_t)e[i].val < REQNAMES_OPS)
			keep(r->ops[e[i].val], r->ops_lower[e[i].val], name + 7);
	}
	e = btf_enum(bits);
	for (int i = 0; i < btf_vlen(bits); i++) {
		const char *name = btf__name_by_offset(btf, e[i].name_off);

		if (!strncmp(name, "__REQ_", 6) && strcmp(name, "__REQ_NR_BITS") &&
		    (uint32_t)e[i].val < REQNAMES_BITS)
			keep(r->flags[e[i].val], r->flags_lower[e[i].val], name + 6);
		/* The contract's name for read-ahead is older than the kernel's. */
		if (!strcmp(name, "__REQ_RAHEAD"))
			strcpy(r->flags_lower[e[i].val], "ahead");
	}
	return 0;
}
