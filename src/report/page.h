/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as one HTML file that needs no other file. */
#ifndef IOTRC_REPORT_PAGE_H
#define IOTRC_REPORT_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of a page, at most. */
#define PAGE_MAX (5 * 1000 * 1000)

/* Returns the page of DATA (data.h) in malloc()ed memory with a NUL after its *RET_LEN bytes. NULL:
 * out of memory. */
char *page__make(json_t *data, size_t *ret_len);

/* Returns DATA as text that can be embedded in a page: no name in it can close the element or open
 * another. Otherwise as above. */
char *page__json(json_t *data, size_t *ret_len);

/* Whether the program was built with the chart library; without it pages have no charts. */
bool page__draws(void);

#endif
