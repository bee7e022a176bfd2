/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MEMORY_FILE_H
#define IOTRC_MEMORY_FILE_H

/* Opens an empty file without a name, for reading and writing: in memory where the system has such
 * files, otherwise in the directory for temporary ones. NAME is for debuggers. A descriptor, or a
 * negative errno. */
int memory_file__new(const char *name);

#endif
