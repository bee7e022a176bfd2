/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums of a part of a file, with which iotrc and the store compare what they have. */
#ifndef IOTRC_CHECKSUMS_H
#define IOTRC_CHECKSUMS_H

#include <stdint.h>

#include "uploader/target_hooks.h"

#define MD5_SIZE 16
#define SHA256_HEX_SIZE 65

struct checksums {
	char sha256[SHA256_HEX_SIZE];
	unsigned char md5[MD5_SIZE];
};

/* Computes the checksums of LEN bytes of FD from AT, and calls progress() with SENT meanwhile. 0,
 * or a negative errno: -ENODATA if the file is shorter, -ECANCELED if progress() returns false. */
int checksums__file(struct checksums *ret, int fd, uint64_t at, uint64_t len, uint64_t sent,
		    const struct target_hooks *hooks);

/* The same of LEN bytes of memory, at once. */
int checksums__memory(struct checksums *ret, const void *data, uint64_t len);

#endif
