/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording may do once it is attached: no more than its parts need. */
#ifndef IOTRC_PRIVILEGES_H
#define IOTRC_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>

#include "options/options.h"

/* The capabilities that recording by OPTIONS needs after it is attached, a bit for each CAP_*. GIVES:
 * what it makes belongs to somebody else. */
uint64_t privileges__needed(const struct options *options, bool gives);

/* Gives up all capabilities but KEEP, for good, for the calling thread and those that it starts from now
 * on. 0, or a negative errno. */
int privileges__drop(uint64_t keep);

#endif
