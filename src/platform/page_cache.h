/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_PAGE_CACHE_H
#define IOTRC_PAGE_CACHE_H

/* Asks the kernel to read the file of FD from the disk, or the server, from now on, not from what
 * it has in memory. Only a wish. */
void page_cache__drop(int fd);

#endif
