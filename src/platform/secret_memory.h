/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for keys: excluded from core dumps and children and, if the limit allows it, locked. */
#ifndef IOTRC_SECRET_MEMORY_H
#define IOTRC_SECRET_MEMORY_H

#include <stddef.h>

/* Returns SIZE zeroed bytes, or NULL. From the first call on, other processes of the user cannot
 * read this process, and it leaves no core dumps, because libraries keep copies on the heap. */
void *secret_memory__new(size_t size);

/* Clears and frees P, which secret_memory__new(SIZE) returned. */
void secret_memory__free(void *p, size_t size);

#endif
