/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_PROGRAM_LOADER_H
#define IOTRC_PROGRAM_LOADER_H

#include <stddef.h>

/* Gets the loader named in the program PATH (PT_INTERP of ELF, LC_LOAD_DYLINKER of Mach-O), into
 * RET of SIZE bytes. Returns 0, or a negative errno: -ENOENT if it names none, for instance because
 * it is linked statically, or if it is not a program of this system. */
int program_loader__get(const char *path, char ret[], size_t size);

#endif
