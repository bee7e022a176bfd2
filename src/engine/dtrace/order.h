/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DTrace has a buffer for each CPU and writes one after the other: records of one CPU come in
 * order, those of two do not. The order of a descriptor's open, dup and close decides which file
 * a read is of, so records wait until each CPU has shown, by a record or by its beat, that it has
 * come as far. */
#ifndef IOTRC_DTRACE_ORDER_H
#define IOTRC_DTRACE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/dtrace/line.h"

#define ORDER_RECORDS_MAX (1 << 17)
#define ORDER_BYTES_MAX (64 << 20)
#define ORDER_CPUS_MAX 1024

struct order;

/* CPUS of the machine are waited for from the first record on. 0, or -ENOMEM. */
int order__new(struct order **ret, unsigned int cpus);
/* Frees it; NULL is allowed. Returns NULL. */
struct order *order__free(struct order *o);

/* Takes in LINE, whose texts lie in TEXT, LEN bytes: both are copied. 0, or -ENOMEM. */
int order__put(struct order *o, const struct dtrace_line *line, const char *text, size_t len);

/* The CPU of the line has come this far. */
void order__beat(struct order *o, uint32_t cpu, uint64_t ns);

/* The next record in the order of time, or NULL where it has to wait; with ALL no record waits.
 * Valid until the next call. */
const struct dtrace_line *order__next(struct order *o, bool all);

/* A new dtrace writes: CPUs count from NS on. */
void order__restart(struct order *o, uint64_t ns);

/* How far CPU has come; 0: unknown. */
uint64_t order__reached(const struct order *o, uint32_t cpu);

/* Records that wait. */
size_t order__count(const struct order *o);

#endif
