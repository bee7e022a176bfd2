/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interface between target.c and the kinds of targets. */
#ifndef IOTRC_TARGET_KIND_H
#define IOTRC_TARGET_KIND_H

#include "uploader/checksums.h"
#include "uploader/target.h"

/* The first member of each kind's own struct. */
struct target {
	const struct target_kind *kind;
};

/* abort is NULL for targets that never leave an upload incomplete; telemetry may be NULL. */
struct target_kind {
	int (*new)(struct target **ret, const struct target_config *config,
		   char problem[TARGET_REASON_MAX]);
	void (*free)(struct target *t);
	/* SUMS has been computed from the file and equals the one in the manifest. */
	void (*put)(struct target *t, const struct target_object *object,
		    const struct checksums *sums, const struct target_hooks *hooks,
		    struct target_result *r);
	void (*abort)(struct target *t, const char *key, const char *upload_id,
		      struct target_result *r);
	void (*telemetry)(struct target *t, const char *json, struct target_result *r);
	/* Reads the object back and deletes it. Failures that uploads do not depend on become a
	 * note in a result that remains TARGET_DONE. NULL for targets that can do neither. */
	void (*check)(struct target *t, const struct target_object *object,
		      const struct checksums *sums, const struct target_hooks *hooks,
		      struct target_result *r);
	/* As in target.h. NULL for targets that cannot be read. */
	void (*list)(struct target *t, const char *prefix,
		     bool (*on_object)(void *arg, const struct target_found *found), void *arg,
		     struct target_result *r);
	void (*get)(struct target *t, const char *key, int fd, struct target_result *r);
	void (*remove)(struct target *t, const char *key, struct target_result *r);
};

extern const struct target_kind target_file;
/* Weak, because `make static` omits the kinds that need libcurl: most systems have no static
 * libcurl that can be linked. In other builds LDLIBS makes the linker require these symbols. */
extern const struct target_kind target_s3 __attribute__((weak)),
	target_gateway __attribute__((weak));

/* Format a message. Control characters in the arguments are escaped: it is always one line. */
void target__say(char reason[TARGET_REASON_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void target__result(struct target_result *r, enum target_verdict verdict, bool general,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether KEY is valid: no component is empty, "." or "..". */
bool target__is_key(const char *key);

#endif
