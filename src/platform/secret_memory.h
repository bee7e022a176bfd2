/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for keys: in no core dump, no child and, where the limit allows, not in swap. */
#ifndef IOTRC_SECRET_MEMORY_H
#define IOTRC_SECRET_MEMORY_H

#include <stddef.h>

/* SIZE zeroed bytes, or NULL. From the first call on, other processes of the user can't look into
 * this one, nor does it leave core dumps: libraries keep copies on the heap. */
void *secret_memory__new(size_t size);

/* Clears P, which secret_memory__new(SIZE) returned, and gives it back. */
void secret_memory__free(void *p, size_t size);

#endif
