/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What iotrc keeps from one session to the next, and shows to nobody else: the key of the
 * anonymisation, what the last filesystem snapshots saw, what has happened once. */
#ifndef IOTRC_STATE_H
#define IOTRC_STATE_H

#include <stdbool.h>
#include <stddef.h>

/* Opens the state directory, made with mode 0700 when missing: DIR, or where that is NULL
 * /var/lib/iotrc for root and $XDG_STATE_HOME/iotrc (~/.local/state/iotrc) for others. Its last
 * component is no symlink, and nobody but the effective user may own or enter it. The descriptor,
 * or a negative errno: -EPERM where it is another's. */
int state__open(const char *dir);

/* Reads the SIZE bytes of secret NAME in state directory DIR, made of random bytes when missing.
 * 0, or a negative errno: -EPERM where others may read it, -EINVAL where it has another size. */
int state__secret(int dir, const char *name, unsigned char *ret, size_t size);

/* Records permanently, in state directory DIR, that NAME has happened. 0, or a negative errno. */
int state__mark(int dir, const char *name);
/* Whether NAME has been recorded. */
bool state__marked(int dir, const char *name);

/* A file of mode 0600 without a name, read and write, gone when it is closed; or a negative
 * errno. */
int state__temporary(int dir);

#endif
