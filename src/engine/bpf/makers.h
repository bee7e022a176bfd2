/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MAKERS_H
#define IOTRC_MAKERS_H

#include <stdint.h>

#include "bpf/abi.h"

/* Fills MAP, the programs' table of enum bio_maker by address, from /proc/kallsyms. Leaves out
 * functions that the kernel does not have or hides (kernel.kptr_restrict). Returns 0, or a negative
 * errno. */
int makers__fill(int map);

/* Fills TO, indexed by the number of the system call, with the enum extent_cause of what the call
 * writes. */
void makers__call_causes(uint8_t to[MAX_SYSCALLS], const char *const names[MAX_SYSCALLS]);

/* The same with the arguments that are the files that it reads and writes (enum call_file). */
void makers__call_files(uint8_t to[MAX_SYSCALLS], const char *const names[MAX_SYSCALLS]);

#endif
