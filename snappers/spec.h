/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of system_spec share. Values that the system doesn't give are null. */
#ifndef IOTRC_SNAP_SPEC_H
#define IOTRC_SNAP_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/json_text.h"
#include "snappers/system_spec.h"

struct spec {
	bool network;            /* network filesystems may be asked */
	struct anonymizer *anon; /* NULL: names in clear */
};

json_t *spec__cpu(const struct spec *s);
json_t *spec__memory(const struct spec *s);
json_t *spec__disk(const struct spec *s);
json_t *spec__network(const struct spec *s);
json_t *spec__os(const struct spec *s);

/* The first line of the file that FORMAT names, blanks at its end taken off; false where there is
 * none. BUF holds "" then. */
bool spec__line(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same as JSON: a number if it is one, or text. */
json_t *spec__number(const char *format, ...) __attribute__((format(printf, 1, 2)));
json_t *spec__string(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A name, or a path: in clear, or its tokens. */
json_t *spec__name(const struct spec *s, const char *name);
json_t *spec__path(const struct spec *s, const char *path);

/* The names in directory PATH that begin with PREFIX, sorted as versions; calls FOUND for each. */
void spec__each(const char *path, const char *prefix, void (*found)(const char *name, void *arg),
		void *arg);

/* Has a hypervisor below it: what kind it is, "none", or "unknown". A static string. */
const char *spec__virtualization(void);

#endif
