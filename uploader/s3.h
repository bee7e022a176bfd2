/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An S3-compatible store, from within: its requests, and uploads in parts. Each request says the
 * SHA-256 of its body, which the store checks with the signature; what it then has is compared with
 * what we have: MD5 in its ETag, size and SHA-256 in the answer to HEAD. */
#ifndef IOTRC_S3_H
#define IOTRC_S3_H

#include "uploader/credentials.h"
#include "uploader/http.h"
#include "uploader/target_kind.h"

#define S3_ENDPOINT_MAX 1024

struct s3_target {
	struct target target;
	struct http *http;
	struct credentials *credentials;
	bool refused; /* they were, so they are looked up again */
	char *credentials_file;
	char *base;     /* URL of the bucket, with a slash at its end */
	char *host;     /* of messages */
	char *prefix;   /* with a slash at its end, or "" */
	char *provider; /* of the signer: its region is in it */
	uint64_t part_bytes;
};

/* What a request is about. The body is empty unless len is not 0. */
struct s3_request {
	const char *method, *key;
	const char *query;        /* sorted and encoded; or NULL */
	const char *sha256;       /* of the body; NULL: it is empty */
	const unsigned char *md5; /* likewise, where it is data of ours */
	const char *meta_sha256;  /* of the whole file, kept with the object; or NULL */
	const char *type;         /* Content-Type; or NULL */
	const char *data;
	int fd;
	uint64_t at, len;
	uint64_t sent_before;
};

/* Sends R. NULL where there is no memory: RESULT says so. */
const struct http_answer *s3__send(struct s3_target *t, const struct s3_request *r,
				   const struct target_hooks *hooks, struct target_result *result);

/* Sends R and sees whether it went well; otherwise RESULT says what is wrong, and *RET is the
 * answer, or NULL. */
bool s3__ask(struct s3_target *t, const struct s3_request *r, const struct target_hooks *hooks,
	     const struct http_answer **ret, struct target_result *result);

/* Whether the answer to HEAD is about what we have. ETAG is what it should be. Where STRICT, the
 * store must know its SHA-256. */
bool s3__is_ours(const struct http_answer *a, const struct target_object *object,
		 const struct digest *digest, const char *etag, bool strict);

/* HEAD: is it there, as long as it is here, with its checksums? Credentials that may only write get
 * 403; then the store's word at the PUT, whose checksums it has compared, has to do. */
bool s3__confirm(struct s3_target *t, const struct target_object *object,
		 const struct digest *digest, const char *etag, const struct target_hooks *hooks,
		 struct target_result *result);

/* In parts of t->part_bytes. */
void s3_parts__put(struct s3_target *t, const struct target_object *object,
		   const struct digest *digest, const struct target_hooks *hooks,
		   struct target_result *result);
void s3_parts__abort(struct target *target, const char *key, const char *upload_id,
		     struct target_result *result);

#endif
