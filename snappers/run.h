/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A compressed file of records, written once and read from its start. An end mark shows that it is
 * complete. */
#ifndef IOTRC_SNAP_RUN_H
#define IOTRC_SNAP_RUN_H

#include <stddef.h>
#include <stdint.h>

#define RUN_RECORD_MAX (2 * 1024 * 1024)

struct run_writer;
struct run_reader;

/* Writes to FD, positioned at its start. The caller keeps FD. 0, or a negative errno. */
int run_writer__new(struct run_writer **ret, int fd);
/* 0, or a negative errno: this record and all later ones are lost. */
int run_writer__add(struct run_writer *w, const void *record, uint32_t len);
/* Writes the end mark. */
int run_writer__end(struct run_writer *w);
/* Frees it; NULL is allowed. Returns NULL. */
struct run_writer *run_writer__free(struct run_writer *w);

/* Reads FD from its start. The caller keeps FD. 0, or -ENOMEM. */
int run_reader__new(struct run_reader **ret, int fd);
/* Gets the next record, valid until the next call. 1; 0 at the end mark; or a negative errno:
 * -EBADMSG for a damaged or incomplete file. */
int run_reader__next(struct run_reader *r, const void **ret_record, uint32_t *ret_len);
/* Frees it; NULL is allowed. Returns NULL. */
struct run_reader *run_reader__free(struct run_reader *r);

#endif
