/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_PAGE_CACHE_H
#define IOTRC_PAGE_CACHE_H

/* Requests that FD's file is read from the disk or server from now on, not from memory. This is
 * only a hint. */
void page_cache__drop(int fd);

#endif
