/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an anonymised dataset must not contain: strings from a file, or names of this machine. */
#ifndef IOTRC_CLEAR_LIST_H
#define IOTRC_CLEAR_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct clear_list;

/* Makes an empty list. Returns 0, or -ENOMEM. */
int clear_list__new(struct clear_list **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct clear_list *clear_list__free(struct clear_list *l);

/* Adds each non-empty line of FILE, to be found anywhere in a text, also as rows and JSON escape
 * it. Returns 0, -ENOMEM, or -E2BIG for a line of 64 KiB or more. */
int clear_list__add_file(struct clear_list *l, FILE *file);

/* Adds words that are to be found as whole words: the host's name, users and their home
 * directories, addresses, and names of visible files except those of the distribution. KEEP_SYSTEM:
 * the dataset's system paths are clear, so words that also occur there are skipped. Returns 0,
 * -ENOMEM, or -EOVERFLOW if there are more than 8 million words, or mounts beyond a mount_list. */
int clear_list__add_live(struct clear_list *l, bool keep_system);

/* How many strings there are. */
size_t clear_list__count(const struct clear_list *l);

/* Returns the first string from the file that TEXT contains, which L owns, or NULL. */
const char *clear_list__inside(const struct clear_list *l, const char *text, size_t len);

/* Returns the first whole live word in TEXT, a decoded field or value, and its length in RET_LEN;
 * NULL if there is none. NAMES: search for names of files as well, not only for names of the host,
 * its users and addresses. */
const char *clear_list__word(const struct clear_list *l, bool names, const char *text, size_t len,
			     size_t *ret_len);

#endif
