/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows the threads in strace's output: joins the parts of their calls, and holds the lines of a
 * thread back until it is known who created it. */
#ifndef IOTRC_STRACE_THREADS_H
#define IOTRC_STRACE_THREADS_H

#include "engine/strace/line.h"
#include "engine/strace/state.h"

/* Handles a line of strace's output, without its line feed. */
void threads__line(struct strace *s, struct span text);

/* Handles the lines that are held back: who created their threads will not become known. */
void threads__adopt(struct strace *s);

#endif
