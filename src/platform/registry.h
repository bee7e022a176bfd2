/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about a Mac and its devices: sysctl(3) by name, and the storage devices of the I/O
 * Registry. Other systems have neither: there these functions find nothing. */
#ifndef IOTRC_REGISTRY_H
#define IOTRC_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value NAME as an integer. Returns whether there is one. */
bool registry__number(const char *name, int64_t *ret);

/* … as text. */
bool registry__text(const char *name, char *ret, size_t size);

/* A disk, or a part of one. Texts are "" and numbers negative where they are unknown. */
struct registry_media {
	char name[64]; /* disk0, disk0s1 */
	char model[128], vendor[128], content[128];
	int64_t size_bytes, block_bytes;
	int major, minor;
	bool whole; /* not a part of another one */
	bool removable, writable, solid_state, rotational;
};

/* Calls TELL with each one. MEDIA is valid during the call. */
void registry__each_media(void (*tell)(void *arg, const struct registry_media *media), void *arg);

#endif
