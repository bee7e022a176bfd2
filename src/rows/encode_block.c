// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/csv.h"
#include "platform/macros.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/linux_numbers.h"

#define NO_SECTOR UINT64_MAX /* a flush has no sector */
#define OP_BITS 8            /* REQ_OP_BITS of include/linux/blk_types.h */

/* blk_status_t to errno, from block/blk-core.c. Its numbers up to 13 are the same since 5.10; later
 * ones (zones, offline) have changed. */
static const int status_errno[] = {
	0,
	LINUX_EOPNOTSUPP,
	LINUX_ETIMEDOUT,
	LINUX_ENOSPC,
	LINUX_ENOLINK,
	LINUX_EREMOTEIO,
	LINUX_EBADE,
	LINUX_ENODATA,
	LINUX_EILSEQ,
	LINUX_ENOMEM,
	LINUX_EIO,
	LINUX_EREMCHG,
	LINUX_EAGAIN,
	LINUX_EBUSY,
};

int encode__block_errno(int32_t status)
{
	if (status < 0)
		return status > INT32_MIN ? -status : LINUX_EIO;
	return (uint32_t)status < ARRAY_SIZE(status_errno) ? status_errno[status] : LINUX_EIO;
}

static char *join(char *p, const char *field, const char *prefix, const char *name)
{
	if (p != field)
		*p++ = '|';
	return encode__word(encode__word(p, prefix), name);
}

static char *milliseconds(char *p, uint64_t from, uint64_t to)
{
	return from && to >= from ? csv__millis(p, to - from) : p;
}

char *encode__block(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_block *r = record;
	const struct reqnames *names = e->reqnames;
	const struct task_entry *task = encode__task(e, r->task, r->ns);
	uint32_t op = r->cmd_flags & ((1 << OP_BITS) - 1);
	char *field;

	p = encode__begin(e, STREAM_BLOCK, r->ns, p);
	COLUMN(p, "operation");
	p = encode__word(p, names->ops_lower[op]);
	COLUMN(p, "pid", "tid", "command");
	p = csv__mem(p, task->text, task->who_len);
	COLUMN(p, "sector");
	if (r->sector != NO_SECTOR)
		p = csv__u64(p, r->sector);
	COLUMN(p, "size");
	p = csv__u64(p, r->bytes);
	COLUMN(p, "latency_ms");
	p = milliseconds(p, r->issue_ns, r->ns);
	COLUMN(p, "device");
	p = csv__device(p, r->dev >> 20, r->dev & 0xfffff);
	COLUMN(p, "flags");
	field = p;
	for (int bit = OP_BITS; bit < REQNAMES_BITS; bit++)
		if (r->cmd_flags >> bit & 1)
			p = join(p, field, "", names->flags_lower[bit]);
	if (r->is_bio)
		p = join(p, field, "bio", "");
	if (r->error)
		p = encode__errno(-encode__block_errno(r->error), join(p, field, "error=", ""));
	COLUMN(p, "cpu_id");
	p = csv__u64(p, r->cpu);
	COLUMN(p, "ppid");
	if (r->task)
		p = csv__u64(p, task->ppid);
	COLUMN(p, "queue_latency_ms");
	p = milliseconds(p, r->insert_ns, r->issue_ns);
	COLUMN(p, "command_flags");
	field = p;
	for (int bit = OP_BITS; bit < REQNAMES_BITS; bit++)
		if (r->cmd_flags >> bit & 1)
			p = join(p, field, "REQ_", names->flags[bit]);
	COLUMN(p, "operation_code");
	if (names->ops[op][0])
		p = encode__word(encode__word(p, "REQ_OP_"), names->ops[op]);
	COLUMN(p, "request_id");
	p = csv__u64(p, r->request_id);
	return encode__end(e, r->ns, p);
}
