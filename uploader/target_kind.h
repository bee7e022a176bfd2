/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What target.c and the kinds of targets have in common. */
#ifndef IOTRC_TARGET_KIND_H
#define IOTRC_TARGET_KIND_H

#include "uploader/digest.h"
#include "uploader/target.h"

/* A kind's own struct begins with this one. */
struct target {
	const struct target_kind *kind;
};

/* ABORT is NULL where nothing is ever left half done, TELEMETRY where nobody wants it. */
struct target_kind {
	int (*new)(struct target **ret, const struct target_config *config,
		   char problem[TARGET_REASON_MAX]);
	void (*free)(struct target *t);
	/* DIGEST is the file's, which was found to be the one stated. */
	void (*put)(struct target *t, const struct target_object *object,
		    const struct digest *digest, const struct target_hooks *hooks,
		    struct target_result *r);
	void (*abort)(struct target *t, const char *key, const char *upload_id,
		      struct target_result *r);
	void (*telemetry)(struct target *t, const char *json, struct target_result *r);
	/* Reads back what was put and deletes it; what it can't do, but uploading doesn't need, is
	 * a note in a result that stays TARGET_DONE. NULL where a target can do neither. */
	void (*check)(struct target *t, const struct target_object *object,
		      const struct digest *digest, const struct target_hooks *hooks,
		      struct target_result *r);
};

extern const struct target_kind target_file;
/* Weak: `make static` leaves out what needs libcurl, of which most systems have no static library
 * that could be linked (Kerberos has none). Elsewhere the linker is told to want them (LDLIBS). */
extern const struct target_kind target_s3 __attribute__((weak)),
	target_gateway __attribute__((weak));

/* Writes one line, whatever the arguments hold. */
void target__say(char reason[TARGET_REASON_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void target__result(struct target_result *r, enum target_verdict verdict, bool general,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether KEY is made of names alone: no empty component, no . and no .., which would lead
 * elsewhere. */
bool target__is_key(const char *key);

#endif
