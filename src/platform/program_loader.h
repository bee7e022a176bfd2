/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_PROGRAM_LOADER_H
#define IOTRC_PROGRAM_LOADER_H

#include <stddef.h>

/* The loader that the program PATH names (PT_INTERP of ELF, LC_LOAD_DYLINKER of Mach-O), in RET of
 * SIZE bytes; -ENOENT: none, as in what is linked statically, or no program of this system. 0, or a
 * negative errno. */
int program_loader__get(const char *path, char ret[], size_t size);

#endif
