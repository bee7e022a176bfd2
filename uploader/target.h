/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where finished files go: an S3-compatible store, a gateway that hands out presigned URLs, or a
 * mounted share. A target puts one object at a time, and says what came of it in words and in a
 * verdict that a queue can act upon; it keeps no state between objects but its connection.
 *
 * A target belongs to one thread at a time; parallel uploads take one each. */
#ifndef IOTRC_TARGET_H
#define IOTRC_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uploader/target_hooks.h"

#define TARGET_REASON_MAX 512
#define TARGET_KEY_MAX 1024       /* bytes of a key, prefix included: S3's limit */
#define TARGET_UPLOAD_ID_MAX 1024 /* with its NUL; the stores that are known use up to 200 */
#define TARGET_PART_BYTES (UINT64_C(64) << 20)

/* Strings are copied; NULL and 0 mean the default. */
struct target_config {
	const char *url;         /* s3://BUCKET[/PREFIX], https://GATEWAY[/PATH], file:///DIR */
	const char *s3_endpoint; /* URL, with {bucket} in the host for virtual-host style;
				      * default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL */
	const char *s3_region;   /* default AWS_REGION, AWS_DEFAULT_REGION, us-east-1 */
	const char *credentials; /* file with keys or token; default the AWS environment variables,
				      * then the shared credentials file */
	const char *ca_file;     /* PEM; default SSL_CERT_FILE, then the system's */
	uint64_t rate;           /* bytes a second of this target; default: no limit */
	unsigned int connect_timeout_s; /* default 20 */
	unsigned int answer_timeout_s;  /* that an answer may take, once all is sent; default 600 */
	uint64_t slowest; /* bytes a second that the other side must take; default 1024 */
	unsigned int stall_timeout_s; /* without a byte moving; default 60 */
	uint64_t part_bytes; /* files above it go in parts of it; default TARGET_PART_BYTES */
};

enum target_verdict {
	TARGET_DONE,      /* it is there, whole, and the target has confirmed it */
	TARGET_RETRY,     /* may go better later by itself */
	TARGET_REFUSED,   /* fails until somebody mends something: worth a slow retry */
	TARGET_LOCAL,     /* the file here can't be read, or isn't what its SHA-256 says */
	TARGET_CANCELLED, /* the caller's progress() said so */
};

struct target_result {
	enum target_verdict verdict;
	bool general;               /* not about this object: the next one would fare the same */
	unsigned int retry_after_s; /* what the target asked for; 0: it didn't say */
	char reason[TARGET_REASON_MAX]; /* one line in words; of DONE a note, mostly "" */
};

struct target_object {
	const char *key; /* BUCKET/MACHINE_ID/SESSION/STREAM/FILE, below the prefix */
	int fd;          /* borrowed; read by offset from 0 to size */
	uint64_t size;
	const char *sha256;    /* 64 hex digits as the manifest has them; NULL: not known */
	const char *upload_id; /* of a multipart upload to go on with; NULL: none */
};

struct target;

/* Connects to nothing yet. 0, or a negative errno with one line in PROBLEM: what is wrong with the
 * configuration or the credentials, and what to do. Where secrets are in use the process will no
 * longer dump core. */
int target__new(struct target **ret, const struct target_config *config,
		char problem[TARGET_REASON_MAX]);
/* Accepts NULL, returns NULL. */
struct target *target__free(struct target *t);

/* Puts the object under its key, in the place of what is there. It appears there whole or not at
 * all. HOOKS may be NULL. */
void target__put(struct target *t, const struct target_object *object,
		 const struct target_hooks *hooks, struct target_result *ret_result);

/* Takes back a multipart upload that nobody will go on with. */
void target__abort(struct target *t, const char *key, const char *upload_id,
		   struct target_result *ret_result);

/* Posts JSON to a gateway, to its /telemetry; does nothing with other targets. */
void target__telemetry(struct target *t, const char *json, struct target_result *ret_result);

/* Puts a small object under BUCKET/MACHINE_ID, reads it back and deletes it, as far as the target
 * can and the credentials may: TARGET_DONE where uploads will work. */
void target__test(struct target *t, const char *bucket, const char *machine_id,
		  const struct target_hooks *hooks, struct target_result *ret_result);

#endif
