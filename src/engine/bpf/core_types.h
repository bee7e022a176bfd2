/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's types (BTF) for libbpf, which relocates the programs by them. For each type in the
 * programs, libbpf compares the names of all types of the kernel, which took a seventh of the
 * start. So it gets a copy that ends with the last type that a program can use (half of all types
 * are functions), and in which structs and unions have a name only if a program uses that name. Ids
 * are those of the kernel. */
#ifndef IOTRC_CORE_TYPES_H
#define IOTRC_CORE_TYPES_H

struct btf;

/* Enough for the path that core_types__open() writes. */
#define CORE_TYPES_PATH_SIZE 32

/* Creates an empty file in memory and writes the path to it that this process can open. Returns its
 * descriptor, or a negative errno. */
int core_types__open(char path[CORE_TYPES_PATH_SIZE]);

/* Writes to FD the copy of KERNEL for programs with the types OURS. Returns 0, or a negative
 * errno. */
int core_types__write(int fd, const struct btf *kernel, const struct btf *ours);

#endif
