/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_WRITE_STREAM_H
#define IOTRC_WRITE_STREAM_H

#include <stdio.h>

/* Opens a stream that passes its text to WRITE(COOKIE, text, length), which returns how many bytes
 * it took. Returns NULL if out of memory. */
FILE *write_stream__new(void *cookie, ssize_t (*write)(void *cookie, const char *text, size_t len));

#endif
