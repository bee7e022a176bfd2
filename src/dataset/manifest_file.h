/* SPDX-License-Identifier: GPL-2.0-or-later */
/* manifest.json as a file: read whole or not at all, replaced whole or not at all. */
#ifndef IOTRC_MANIFEST_FILE_H
#define IOTRC_MANIFEST_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/json_text.h"

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_TEMP_NAME ".manifest.json.temp"
/* Room for the manifest of a session's end lies aside while the session runs, used by no other, and
 * grows with it. */
#define MANIFEST_LAST_NAME ".manifest.json.last"

/* Reads the manifest of directory DIR, which may be anybody's: memory is bounded. 0, or a negative
 * errno, and WHY says it in words, escaped: -ENOENT, or -EBADMSG for what is no manifest. */
#define MANIFEST_WHY_MAX JSON_WHY_MAX
int manifest_file__load(int dir, json_t **ret, char why[MANIFEST_WHY_MAX]);

/* Puts ROOT into DIR as its manifest, in the place of the one that is there, if any, and on the
 * disk. LAST: nothing follows, so the room that was kept is used and given back; otherwise more is
 * kept. What is made belongs to UID:GID (-1 leaves it). 0, or a negative errno: the one before
 * stays. */
int manifest_file__put(int dir, json_t *root, bool last, uid_t uid, gid_t gid);

/* The member clock.offsets; NULL: out of memory. */
json_t *manifest_file__offsets(const struct clock_offset *offsets, size_t n);

#endif
