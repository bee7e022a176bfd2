/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the files in live sums, from the definitions that the engine also sends. Memory is
 * bounded: the names that were not needed for the longest time are forgotten first, and sent again
 * when their files are used again. To be used by one thread at a time. */
#ifndef IOTRC_LIVE_NAMES_H
#define IOTRC_LIVE_NAMES_H

#include <stdbool.h>

#include "engine/engine.h"

struct live_names;

/* Fills the plan of an engine for sums by file: the least memory, and room for a burst of names. */
void live_names__plan(struct memory_plan *ret);

/* Returns 0, or a negative errno. SELECTION, PLAN and ENGINE, which was opened with them for sums
 * by file, are borrowed until live_names__free(). */
int live_names__new(struct live_names **ret, struct engine *engine,
		    const struct selection *selection, const struct memory_plan *plan);
/* Frees it; NULL is allowed. Returns NULL. */
struct live_names *live_names__free(struct live_names *n);

/* Drains the definitions that the engine has sent since the last call. To be called several times a
 * second; names that do not fit into the engine's buffer are sent later. Returns whether the buffer
 * filled up quickly: then it should be called again within milliseconds. */
bool live_names__drain(struct live_names *n);

/* Returns the name of SUM's file as in rows but without quotes, RET_LEN bytes, valid until the next
 * call. NULL: unknown. */
const char *live_names__find(struct live_names *n, const struct engine_sum *sum, size_t *ret_len);

/* Return what is known of SUM's file: the device that it is on, as in struct engine_sum, or 0; and
 * the type of its file system, valid until the next call, or "". */
uint32_t live_names__device(struct live_names *n, const struct engine_sum *sum);
const char *live_names__fs_type(struct live_names *n, const struct engine_sum *sum);

#endif
