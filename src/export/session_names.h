/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a session's manifest says about ids in its rows: the users of processes, and the names of
 * containers. The manifest is untrusted: every member is checked, and memory is bounded. */
#ifndef IOTRC_SESSION_NAMES_H
#define IOTRC_SESSION_NAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct session_names;

/* Reads MANIFEST, and keeps a reference to it. Malformed members are ignored. Returns 0, or
 * -ENOMEM. */
int session_names__new(struct session_names **ret, json_t *manifest);
/* Frees it; NULL is allowed. Returns NULL. */
struct session_names *session_names__free(struct session_names *n);

/* Whether the manifest has users at all. */
bool session_names__has_users(const struct session_names *n);

/* Gets the user of process PID in a row at NS (CLOCK_MONOTONIC). Returns false if unknown. */
bool session_names__uid(const struct session_names *n, uint64_t pid, uint64_t ns, uint32_t *ret);

/* Returns the name of a user; NULL if only the number is known. Valid as long as N. */
const char *session_names__user(const struct session_names *n, uint32_t uid);

/* Returns the name of the container to which the cgroup with the ID of LEN digits belongs, or else
 * its id; NULL if it belongs to none. Valid as long as N. */
const char *session_names__container(const struct session_names *n, const char *id, size_t len);

#endif
