/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MACHINE_ID_H
#define IOTRC_MACHINE_ID_H

#include <stddef.h>

#define MACHINE_ID_SIZE 17

/* The name under which this machine's datasets go: the first 16 hex digits, upper case, of the
 * SHA-256 of its machine id (machine-id(5); on macOS the platform's UUID). 0, or a negative errno:
 * -ENOENT where the machine has no id. */
int machine_id__get(char ret[MACHINE_ID_SIZE]);

/* The same of an id in memory; white space around it doesn't count. -ENOENT when it is empty. */
int machine_id__hash(const char *id, size_t len, char ret[MACHINE_ID_SIZE]);

#define BOOT_ID_SIZE 37

/* The id of this boot, a UUID of the kernel: mono_ns of two sessions can be
 * compared where it is the same. 0, or a negative errno. */
int boot_id__get(char ret[BOOT_ID_SIZE]);

#endif
