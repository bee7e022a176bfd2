/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MACHINE_ID_H
#define IOTRC_MACHINE_ID_H

#include <stddef.h>

#define MACHINE_ID_SIZE 17

/* Writes the id of this machine in datasets: the first 16 hex digits, upper case, of the SHA-256 of
 * its machine id (machine-id(5); on macOS the platform's UUID). Returns 0, or a negative errno:
 * -ENOENT if the machine has no id. */
int machine_id__get(char ret[MACHINE_ID_SIZE]);

/* The same for an id in memory, without surrounding white space. -ENOENT if it is empty. */
int machine_id__hash(const char *id, size_t len, char ret[MACHINE_ID_SIZE]);

#define BOOT_ID_SIZE 37

/* Writes the id of this boot, a UUID from the kernel: mono_ns of two sessions with the same boot id
 * are comparable. Returns 0, or a negative errno. */
int boot_id__get(char ret[BOOT_ID_SIZE]);

#endif
