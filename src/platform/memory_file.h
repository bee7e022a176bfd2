/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MEMORY_FILE_H
#define IOTRC_MEMORY_FILE_H

/* Opens an empty, unnamed file for reading and writing: in memory if the system supports that,
 * otherwise in the directory for temporary files. NAME is shown by debuggers. Returns a descriptor,
 * or a negative errno. */
int memory_file__new(const char *name);

#endif
