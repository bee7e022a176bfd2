/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's types for libbpf, which fits the programs to them. For each type of the programs
 * libbpf goes through all types of the kernel and compares names, which took a seventh of a start.
 * So it gets a copy that ends with the last type that a program can use (half of all are
 * functions), in which structs and unions have a name only if a program knows it. Ids are those of
 * the kernel. */
#ifndef IOTRC_CORE_TYPES_H
#define IOTRC_CORE_TYPES_H

struct btf;

/* Enough for the path of a descriptor. */
#define CORE_TYPES_PATH_SIZE 32

/* Creates an empty file in memory and writes the path to it that this process can open. Returns its
 * descriptor, or a negative errno. */
int core_types__open(char path[CORE_TYPES_PATH_SIZE]);

/* Writes the copy of KERNEL for programs that know OURS into it. Returns 0, or a negative errno. */
int core_types__write(int fd, const struct btf *kernel, const struct btf *ours);

#endif
