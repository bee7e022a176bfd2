/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorts records by time. DTrace has a buffer for each CPU and writes one after the other, so that
 * records of different CPUs arrive out of order. The order of open, dup and close decides which
 * file a read is about; therefore records wait until each CPU has reached their time, as its
 * records or heartbeats show. */
#ifndef IOTRC_MACOS_ORDER_H
#define IOTRC_MACOS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/macos/call_line.h"

#define ORDER_RECORDS_MAX (1 << 17)
#define ORDER_BYTES_MAX (64 << 20)
#define ORDER_CPUS_MAX 1024

struct order;

/* Waits for CPUS CPUs from the first record on. Returns 0, or -ENOMEM. */
int order__new(struct order **ret, unsigned int cpus);
/* Frees it; NULL is allowed. Returns NULL. */
struct order *order__free(struct order *o);

/* Adds copies of LINE and of TEXT, LEN bytes, which contains its texts. Returns 0, or -ENOMEM. */
int order__put(struct order *o, const struct call_line *line, const char *text, size_t len);

/* Notes that CPU has reached the time of the line. */
void order__beat(struct order *o, uint32_t cpu, uint64_t ns);

/* Returns the next record in the order of time, or NULL if it has to wait; with ALL no record
 * waits. Valid until the next call. */
const struct call_line *order__next(struct order *o, bool all);

/* A new dtrace was started: CPUs start at NS. */
void order__restart(struct order *o, uint64_t ns);

/* The time that CPU has reached; 0: unknown. */
uint64_t order__reached(const struct order *o, uint32_t cpu);

/* Records that wait. */
size_t order__count(const struct order *o);

#endif
