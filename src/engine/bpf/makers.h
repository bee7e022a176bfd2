/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MAKERS_H
#define IOTRC_MAKERS_H

#include <stdint.h>

#include "bpf/abi.h"

/* Fills MAP, the programs' table of enum bio_maker by address, from /proc/kallsyms. What the kernel
 * does not tell (kernel.kptr_restrict) or has no function for is left out. 0, or a negative
 * errno. */
int makers__fill(int map);

/* Fills TO, by number of the system call, with the enum extent_cause of what it writes. */
void makers__call_causes(uint8_t to[MAX_SYSCALLS], const char *const names[MAX_SYSCALLS]);

/* Likewise, with the arguments that are the files which it reads and writes (enum call_file). */
void makers__call_files(uint8_t to[MAX_SYSCALLS], const char *const names[MAX_SYSCALLS]);

#endif
