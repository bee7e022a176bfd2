// SPDX-License-Identifier: GPL-2.0-or-later
/* The meaning of a line of dtrace/io.d. */
#include <string.h>

#include "engine/macos/darwin.h"
#include "engine/macos/requests.h"
#include "engine/macos/state.h"

/* The fields of the line after its head. */
enum { AT_SECTOR, AT_BYTES, AT_READ, AT_MAJOR, AT_MINOR, AT_FLAGS, BLOCK_NUMBERS };

/* DTrace only distinguishes reads from everything else. */
const struct reqnames macos_requests = {
	.ops = { [DTRACE_REQUEST_READ] = "READ", [DTRACE_REQUEST_WRITE] = "WRITE" },
	.ops_lower = { [DTRACE_REQUEST_READ] = "read", [DTRACE_REQUEST_WRITE] = "write" },
};

bool macos__block(struct source *s, const struct call_line *l)
{
	struct process *p;
	struct rec_block r;

	if (strcmp(l->name, "block") != 0 || l->n_numbers < BLOCK_NUMBERS)
		return false;
	p = macos__process_of(s, l);
	if (!p)
		return true;
	if (!macos__is_wanted(s->all, p)) {
		macos__left_out(s);
		return true;
	}
	r = (struct rec_block){
		.type = REC_BLOCK,
		.cpu = (uint16_t)l->cpu,
		.bytes = (uint32_t)l->n[AT_BYTES],
		.ns = macos__ns(s->all, l->ns),
		.sector = (uint64_t)l->n[AT_SECTOR],
		.request_id = ++s->all->requests,
		.dev = (uint32_t)l->n[AT_MAJOR] << 20 | ((uint32_t)l->n[AT_MINOR] & 0xfffff),
		.cmd_flags = l->n[AT_READ] ? DTRACE_REQUEST_READ : DTRACE_REQUEST_WRITE,
	};
	r.issue_ns = r.ns - l->duration;
	if (l->ret) /* on Linux a negative errno, on macOS a positive one of macOS */
		r.error = l->ret < 0 ? (int32_t)l->ret : -darwin__errno((int)l->ret);
	r.task = macos__task_id(s, p, l->tid);
	macos__event(s, &r, sizeof(r));
	return true;
}
