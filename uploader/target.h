/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Upload targets: an S3-compatible store, a gateway that hands out presigned URLs, or a mounted
 * share. A target uploads one object at a time and returns a verdict, on which the queue acts, and
 * a message. Between objects it keeps no state except its connection.
 *
 * A target is for one thread at a time; parallel uploads use one target each. */
#ifndef IOTRC_TARGET_H
#define IOTRC_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uploader/target_hooks.h"

#define TARGET_REASON_MAX 512
#define TARGET_KEY_MAX 1024       /* bytes of a key with its prefix: the limit of S3 */
#define TARGET_UPLOAD_ID_MAX 1024 /* with NUL; known stores use up to 200 bytes */
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
	uint64_t rate;           /* bytes per second of this target; default: no limit */
	unsigned int connect_timeout_s; /* default 20 */
	unsigned int answer_timeout_s;  /* for an answer, after the request is sent; default 600 */
	uint64_t slowest; /* bytes per second that the server must accept; default 1024 */
	unsigned int stall_timeout_s; /* without any transfer; default 60 */
	uint64_t part_bytes; /* larger files go in parts of this size; default TARGET_PART_BYTES */
};

enum target_verdict {
	TARGET_DONE,      /* uploaded, and confirmed by the target */
	TARGET_RETRY,     /* temporary failure: retry later */
	TARGET_REFUSED,   /* fails until somebody changes something: retry slowly */
	TARGET_LOCAL,     /* the local file cannot be read, or does not match its SHA-256 */
	TARGET_CANCELLED, /* progress() returned false */
};

struct target_result {
	enum target_verdict verdict;
	bool general;                   /* not specific to this object: others would fail, too */
	bool missing;                   /* target__get(): there is no such object */
	unsigned int retry_after_s;     /* delay that the target asked for, or 0 */
	char reason[TARGET_REASON_MAX]; /* one line; with TARGET_DONE a note, usually "" */
};

struct target_object {
	const char *key; /* BUCKET/MACHINE_ID/SESSION/STREAM/FILE, below the prefix */
	int fd;          /* borrowed; read with pread from 0 to size */
	uint64_t size;
	const char *sha256;    /* 64 hexadecimal digits from the manifest; NULL: unknown */
	const char *upload_id; /* of a multipart upload to resume; NULL: none */
};

struct target;

/* Creates a target without connecting to it. 0, or a negative errno with a line in PROBLEM that
 * says what is wrong with the configuration or the credentials, and what to do. If secrets are
 * used, the process makes no core dumps from then on. */
int target__new(struct target **ret, const struct target_config *config,
		char problem[TARGET_REASON_MAX]);
/* Accepts NULL, returns NULL. */
struct target *target__free(struct target *t);

/* Uploads the object, atomically replacing an existing one with the same key. HOOKS may be NULL. */
void target__put(struct target *t, const struct target_object *object,
		 const struct target_hooks *hooks, struct target_result *ret_result);

/* Aborts a multipart upload that nobody will resume. */
void target__abort(struct target *t, const char *key, const char *upload_id,
		   struct target_result *ret_result);

/* An object that a target has. */
struct target_found {
	const char *key; /* below the prefix */
	uint64_t size;
	int64_t modified; /* seconds since 1970 */
};

/* Calls ON_OBJECT for each object whose key, below the target's prefix, begins with PREFIX; false
 * ends the list, with TARGET_CANCELLED. Only targets s3:// can list, get and remove objects. */
void target__list(struct target *t, const char *prefix,
		  bool (*on_object)(void *arg, const struct target_found *found), void *arg,
		  struct target_result *ret_result);

/* Writes the object to FD, an empty file, and compares it with the SHA-256 that was uploaded with
 * it, if there is one. */
void target__get(struct target *t, const char *key, int fd, struct target_result *ret_result);

/* Removes the object; TARGET_DONE also if there is none. */
void target__remove(struct target *t, const char *key, struct target_result *ret_result);

/* Posts JSON to /telemetry of a gateway; does nothing for other targets. */
void target__telemetry(struct target *t, const char *json, struct target_result *ret_result);

/* Uploads a small object under BUCKET/MACHINE_ID, reads it back and deletes it, as far as the
 * target and the credentials allow. TARGET_DONE if uploads will work. */
void target__test(struct target *t, const char *bucket, const char *machine_id,
		  const struct target_hooks *hooks, struct target_result *ret_result);

#endif
