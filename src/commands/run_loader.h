/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loaders of programs. The kernel opens them itself when it executes a program: no call does,
 * so no row tells of them, but the program names its own. */
#ifndef IOTRC_RUN_LOADER_H
#define IOTRC_RUN_LOADER_H

#include "commands/run_files.h"

/* After the last row: counts the loader of each program that was executed as executed, too, by the
 * same processes. A program that is gone by now tells nothing. */
void run_loader__add(struct run_files *f);

#endif
