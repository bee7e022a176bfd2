/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_PARENT_END_H
#define IOTRC_PARENT_END_H

#include <sys/types.h>

/* From now on this process gets SIGNAL when its parent ends; PARENT is the parent's id from before
 * the fork: if it has ended already, the signal comes at once. Returns 0, or a negative errno. */
int parent_end__signal(int signal, pid_t parent);

#endif
