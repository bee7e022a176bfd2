/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the files in live sums, from the definitions that the engine sends beside them. In
 * bounded memory: a name that nobody asks for is forgotten first, and told again when its file is
 * used again. Used by one thread at a time. */
#ifndef IOTRC_LIVE_NAMES_H
#define IOTRC_LIVE_NAMES_H

#include "engine/engine.h"

struct live_names;

/* 0, or a negative errno. SELECTION, PLAN and ENGINE, which has been opened by them for sums by
 * file, are borrowed until live_names__free(). */
int live_names__new(struct live_names **ret, struct engine *engine,
		    const struct selection *selection, const struct memory_plan *plan);
/* Frees it; NULL is allowed. Returns NULL. */
struct live_names *live_names__free(struct live_names *n);

/* Takes in what the engine has sent since the last call. To be called several times a second: names
 * that find the engine's buffer full come later. */
void live_names__drain(struct live_names *n);

/* The name of SUM's file, as in rows but not quoted; RET_LEN bytes, valid until the next call.
 * NULL: it is not known. */
const char *live_names__find(struct live_names *n, const struct engine_sum *sum, size_t *ret_len);

#endif
