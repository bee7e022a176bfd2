// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/drop_reasons.h"

#include <bpf/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "SKB_DROP_REASON_"
#define SUBSYSTEM_MASK 0xffff0000u /* SKB_DROP_REASON_SUBSYS_MASK, itself in the enum */

json_t *drop_reasons__read(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM) : -1;
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);
	json_t *reasons = json_object();

	for (int i = 0; reasons && t && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, btf_enum(t)[i].name_off);
		uint32_t value = btf_enum(t)[i].val;
		char number[16];

		if (strncmp(name, PREFIX, strlen(PREFIX)) || value & SUBSYSTEM_MASK ||
		    !strcmp(name, PREFIX "MAX"))
			continue;
		snprintf(number, sizeof(number), "%u", value);
		json_object_set_new(reasons, number, json_string(name + strlen(PREFIX)));
	}
	btf__free(btf);
	return reasons;
}
