/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person asks of a recording first, in ten lines: busiest processes and files, disks, errors
 * and the slowest calls. */
#ifndef IOTRC_DIGEST_H
#define IOTRC_DIGEST_H

#include <stdint.h>
#include <stdio.h>

/* Prints it to OUT, of the session at PATH, once its manifest is complete. The rows are read, for
 * BUDGET_NS at most: of a larger session only some of the files, spread over it, and the first line
 * says so. Recording costs nothing more. Nothing is printed of a session without rows, or that
 * can't be read. */
void digest__print(FILE *out, const char *path, uint64_t budget_ns);

#endif
