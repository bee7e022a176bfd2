/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How an engine may group sums of its records, instead of delivering the records. */
#ifndef IOTRC_SUMS_H
#define IOTRC_SUMS_H

enum sum_by {
	SUM_ON = 1 << 0, /* deliver sums, however grouped; 0: deliver records */
	SUM_BY_OPERATION = 1 << 1,
	SUM_BY_PROCESS = 1 << 2,
	SUM_BY_COMMAND = 1 << 3,
	SUM_BY_CONTAINER = 1 << 4,
	SUM_BY_USER = 1 << 5,
	SUM_BY_DEVICE = 1 << 6, /* of block, cache and pagefault */
	SUM_BY_ERRNO = 1 << 7,
	SUM_BY_SIZE = 1 << 8, /* of fs and block, in powers of two */
	SUM_BY_FILE = 1 << 9, /* of fs, cache and pagefault */
	SUM_NO_QUANTILES = 1 << 10,
	SUM_BY_MINUTE = 1 << 11,
};

#endif
