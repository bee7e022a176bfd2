/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers shared by the parts of system_spec. Values that the system does not report are null. */
#ifndef IOTRC_SNAP_SPEC_H
#define IOTRC_SNAP_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/json_text.h"
#include "snappers/system_spec.h"

struct spec {
	bool network;            /* query network filesystems */
	struct anonymizer *anon; /* NULL: names in clear */
};

/* The parts of system_spec, an object each, for the caller to release. NULL: out of memory. */
json_t *spec__cpu(const struct spec *s);
json_t *spec__memory(const struct spec *s);
json_t *spec__disk(const struct spec *s);
json_t *spec__network(const struct spec *s);
json_t *spec__os(const struct spec *s);

/* Reads the first line of the file named by FORMAT, without trailing blanks. False, and "" in BUF,
 * if there is none. */
bool spec__line(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same as a JSON value: an integer if the text is one, else a string. */
json_t *spec__number(const char *format, ...) __attribute__((format(printf, 1, 2)));
json_t *spec__string(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Values of macOS' registry (platform/registry.h) as JSON. */
json_t *spec__registry_number(const char *name);
json_t *spec__registry_string(const char *name);

/* A name or a path as JSON: readable, or its tokens. */
json_t *spec__name(const struct spec *s, const char *name);
json_t *spec__path(const struct spec *s, const char *path);

/* Calls FOUND for each name in directory PATH that begins with PREFIX, in version order. */
void spec__each(const char *path, const char *prefix, void (*found)(const char *name, void *arg),
		void *arg);

/* The hypervisor on which this machine runs, "none", or "unknown". A static string. */
const char *spec__virtualization(void);

#endif
