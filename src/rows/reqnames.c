// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows/reqnames.h"

#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void keep(char *upper, char *lower, const char *name)
{
	size_t i;

	for (i = 0; name[i] && i < 23; i++) {
		upper[i] = name[i];
		lower[i] = tolower((unsigned char)name[i]);
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

int reqnames__new(struct reqnames **ret)
{
	struct reqnames *r = calloc(1, sizeof(*r));
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *ops, *bits;
	const struct btf_enum *e;

	ops = btf ? find_enum(btf, "req_op", "req_opf" /* until 5.19 */) : NULL;
	bits = btf ? find_enum(btf, "req_flag_bits", NULL) : NULL;
	if (!r || !ops || !bits) {
		btf__free(btf);
		free(r);
		return r ? -ENOENT : -ENOMEM;
	}
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
		/* The contract's word for read-ahead is older than the kernel's. */
		if (!strcmp(name, "__REQ_RAHEAD"))
			strcpy(r->flags_lower[e[i].val], "ahead");
	}
	btf__free(btf);
	*ret = r;
	return 0;
}

struct reqnames *reqnames__free(struct reqnames *r)
{
	free(r);
	return NULL;
}
