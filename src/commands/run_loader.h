/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loaders of programs. The kernel itself opens a program's loader when it executes the program,
 * so there is no call and no row, but the program file names its loader. */
#ifndef IOTRC_RUN_LOADER_H
#define IOTRC_RUN_LOADER_H

#include "commands/run_files.h"

/* After the last row: counts the loader of each executed program as executed by the same processes.
 * The loader of a program that is gone by now is unknown. */
void run_loader__add(struct run_files *f);

#endif
