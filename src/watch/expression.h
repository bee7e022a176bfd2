/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LIST of `iotrc watch -e`: which streams and operations to show. */
#ifndef IOTRC_EXPRESSION_H
#define IOTRC_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct expression {
	uint32_t streams; /* 1 << stream */
	uint64_t ops;     /* of stream fs: 1 << enum fs_op */
};

#define EXPRESSION_WHY_MAX 160 /* bytes */

/* Parses LIST: names separated by commas, of operations (read), streams (block) and classes (file,
 * desc, process, memory, network, disk, all), which may begin with '%' as in strace(1). A '!'
 * before the first name selects what is shown by default, without these. Returns 0, or -EINVAL with
 * the reason in WHY. */
int expression__parse(struct expression *ret, const char *list, char why[EXPRESSION_WHY_MAX]);

/* Whether E has the operation of stream fs called NAME, LEN bytes. */
bool expression__has(const struct expression *e, const char *name, size_t len);

/* What is shown without -e: fs and nw_conn. */
struct expression expression__default(void);

#endif
