/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that the kernel runs for each of its threads or open files when asked to, and what they
 * write. */
#ifndef IOTRC_ITERATOR_H
#define IOTRC_ITERATOR_H

#include <stddef.h>

struct bpf_program;

typedef void (*iterator_fn)(void *arg, const void *entry);

/* Reads the iterator FD to its end, and passes each entry of SIZE bytes to TELL. SIZE is at most
 * ITERATOR_ENTRY_MAX. Returns 0, or a negative errno. */
#define ITERATOR_ENTRY_MAX 1024
int iterator__read(int fd, size_t size, iterator_fn tell, void *arg);

/* Runs PROG, an iterator, once. The other arguments are those of iterator__read(). */
int iterator__run(struct bpf_program *prog, size_t size, iterator_fn tell, void *arg);

#endif
