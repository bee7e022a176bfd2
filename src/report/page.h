/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report as one HTML file that needs nothing else. */
#ifndef IOTRC_REPORT_PAGE_H
#define IOTRC_REPORT_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of a page, at most. */
#define PAGE_MAX (5 * 1000 * 1000)

/* The page of DATA (data.h): memory of malloc(), ended with a NUL; *RET_LEN bytes before it. NULL:
 * out of memory. */
char *page__make(json_t *data, size_t *ret_len);

/* DATA as text that can stand in a page: no name in it can end the element or begin another.
 * Likewise. */
char *page__json(json_t *data, size_t *ret_len);

/* Whether the program was built with the library that draws; without it a page has no charts. */
bool page__draws(void);

#endif
