/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private data that iotrc keeps between sessions: the key of the anonymisation, what the last
 * snapshots of file systems contained, and events that must happen once only. */
#ifndef IOTRC_STATE_H
#define IOTRC_STATE_H

#include <stdbool.h>
#include <stddef.h>

/* Opens the state directory DIR and creates it with mode 0700 if it is missing. NULL stands for
 * /var/lib/iotrc for root, and for $XDG_STATE_HOME/iotrc (~/.local/state/iotrc) for other users.
 * Its last component must not be a symlink, and only the effective user may own or access it.
 * Returns the descriptor, or a negative errno: -EPERM if it belongs to another user. */
int state__open(const char *dir);

/* Reads the SIZE bytes of the secret NAME in state directory DIR, and creates it from random bytes
 * if it is missing. Returns 0, or a negative errno: -EPERM if others can read it, -EINVAL if it has
 * another size. */
int state__secret(int dir, const char *name, unsigned char *ret, size_t size);

/* Records permanently in state directory DIR that the event NAME has happened. Returns 0, or a
 * negative errno. */
int state__mark(int dir, const char *name);
/* Whether the event NAME has been recorded. */
bool state__marked(int dir, const char *name);

/* Creates an unnamed file of mode 0600 for reading and writing, which is removed when it is closed.
 * Returns its descriptor, or a negative errno. */
int state__temporary(int dir);

#endif
