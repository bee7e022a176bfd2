/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must not be in an anonymised dataset: strings from a file, or what this machine is full
 * of. */
#ifndef IOTRC_CLEAR_LIST_H
#define IOTRC_CLEAR_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct clear_list;

int clear_list__new(struct clear_list **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct clear_list *clear_list__free(struct clear_list *l);

/* Each line of FILE that isn't empty, to be found anywhere and inside of anything, also as rows and
 * JSON write it. 0, -ENOMEM, or -E2BIG: a line of 64 KiB or more. */
int clear_list__add_file(struct clear_list *l, FILE *file);

/* To be found as whole words: the host's name, users and their homes, addresses, and the names of
 * the files that can be seen, but for those that distributions give. KEEP_SYSTEM: the dataset's
 * system paths are clear, so that what is found there as well says nothing. 0, or -ENOMEM. */
int clear_list__add_live(struct clear_list *l, bool keep_system);

/* How many strings there are. */
size_t clear_list__count(const struct clear_list *l);

/* The first string from the file that is in TEXT, or NULL; it belongs to L. */
const char *clear_list__inside(const struct clear_list *l, const char *text, size_t len);

/* The first whole word of the live ones in TEXT, the field or value as it is read: its length is
 * written to RET_LEN. NULL when there is none. NAMES: of the files' as well as of what names the
 * host, its users and addresses. */
const char *clear_list__word(const struct clear_list *l, bool names, const char *text, size_t len,
			     size_t *ret_len);

#endif
