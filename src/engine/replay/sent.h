/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which definitions the sink has received since it last forgot all of them. Before the first time
 * nothing is looked up. */
#ifndef IOTRC_SENT_H
#define IOTRC_SENT_H

#include <stddef.h>
#include <stdint.h>

struct sent;

/* 0, or -ENOMEM. */
int sent__new(struct sent **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct sent *sent__free(struct sent *s);

/* Notes that the definition RECORD, of SIZE bytes, at AT of the file is being sent. If out of
 * memory, or beyond SENT_MAX definitions, it will not be sent again. */
void sent__define(struct sent *s, const void *record, size_t size, size_t at);

/* The sink has forgotten everything. */
void sent__forget(struct sent *s);

/* Calls SEND with the position of each definition that the event RECORD uses and that the sink has
 * forgotten. */
void sent__use(struct sent *s, const void *record, size_t size, void (*send)(void *arg, size_t at),
	       void *arg);

#endif
