/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answers that a user wants first after a recording, in ten lines at most: busiest processes
 * and files, errors, disks, connections, and the slowest calls. */
#ifndef IOTRC_DIGEST_H
#define IOTRC_DIGEST_H

#include <stdint.h>
#include <stdio.h>

/* Prints them to OUT for the session at PATH, whose manifest is complete. Reads rows for BUDGET_NS
 * at most: of a larger session only a sample of the files, as the first line then says. This makes
 * the recording itself no more expensive. Prints nothing for a session without rows, or one that
 * cannot be read. */
void digest__print(FILE *out, const char *path, uint64_t budget_ns);

#endif
