/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens manifest.json, and replaces it atomically. */
#ifndef IOTRC_MANIFEST_FILE_H
#define IOTRC_MANIFEST_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/clock.h"

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_TEMP_NAME ".manifest.json.temp"
/* A file that reserves disk space for the session's last manifest while the session runs. It grows
 * with the manifest. */
#define MANIFEST_LAST_NAME ".manifest.json.last"

/* Opens the manifest in directory DIR for reading; no symlink is followed, and a FIFO does not
 * block. The descriptor, or a negative errno. */
int manifest_file__open(int dir);

/* Writes ROOT to DIR as its manifest, replacing the existing one, and syncs it. LAST: this is the
 * session's last manifest, so it uses the reserved space and frees the rest; otherwise space is
 * reserved for the next one. UID:GID own new files (-1: unchanged). 0, or a negative errno: then
 * the existing manifest remains. */
int manifest_file__put(int dir, json_t *root, bool last, uid_t uid, gid_t gid);

/* Builds the member clock.offsets; NULL if out of memory. */
json_t *manifest_file__offsets(const struct clock_offset *offsets, size_t n);

#endif
