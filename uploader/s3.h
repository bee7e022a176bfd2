/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internals of the S3 target: its requests, and multipart uploads. Each request contains the
 * SHA-256 of its body, which the store checks with the signature. Afterwards the stored object is
 * compared with the file: the MD5 in its ETag, and size and SHA-256 in the answer to HEAD. */
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
	bool refused; /* the store rejected them: read them again */
	char *credentials_file;
	char *base;     /* URL of the bucket, with a slash at its end */
	char *host;     /* for messages */
	char *prefix;   /* with a slash at its end, or "" */
	char *provider; /* for CURLOPT_AWS_SIGV4; contains the region */
	uint64_t part_bytes;
};

/* A request. It has no body if len is 0. */
struct s3_request {
	const char *method, *key;
	const char *query;        /* sorted and encoded; or NULL */
	const char *sha256;       /* of the body; NULL: no body */
	const unsigned char *md5; /* of the body, if it is part of a file */
	const char *meta_sha256;  /* of the whole file, stored with the object; or NULL */
	const char *type;         /* Content-Type; or NULL */
	const char *data;
	int fd;
	uint64_t at, len;
	uint64_t sent_before;
	bool bucket; /* of the bucket itself: without prefix and key */
	bool save;   /* write the answer's body to SAVE_FD */
	int save_fd;
};

/* Sends R. NULL if out of memory; RESULT says so. */
const struct http_answer *s3__send(struct s3_target *t, const struct s3_request *r,
				   const struct target_hooks *hooks, struct target_result *result);

/* Sends R. True on success; otherwise RESULT says what is wrong, and *RET is the answer, or
 * NULL. */
bool s3__ask(struct s3_target *t, const struct s3_request *r, const struct target_hooks *hooks,
	     const struct http_answer **ret, struct target_result *result);

/* Whether the answer to HEAD describes OBJECT. ETAG is the expected ETag. STRICT: the answer must
 * contain the SHA-256. */
bool s3__is_ours(const struct http_answer *a, const struct target_object *object,
		 const struct checksums *sums, const char *etag, bool strict);

/* Verifies with HEAD that the store has the object with its size and checksums. Credentials without
 * s3:GetObject get 403; then the store's answer to PUT, which has verified the checksums,
 * suffices. */
bool s3__confirm(struct s3_target *t, const struct target_object *object,
		 const struct checksums *sums, const char *etag, const struct target_hooks *hooks,
		 struct target_result *result);

/* Uploads OBJECT in parts of t->part_bytes. */
void s3_parts__put(struct s3_target *t, const struct target_object *object,
		   const struct checksums *sums, const struct target_hooks *hooks,
		   struct target_result *result);

/* Of target_kind.h. */
void s3_objects__list(struct target *target, const char *prefix,
		      bool (*on_object)(void *arg, const struct target_found *found), void *arg,
		      struct target_result *result);
void s3_objects__get(struct target *target, const char *key, int fd, struct target_result *result);
void s3_objects__remove(struct target *target, const char *key, struct target_result *result);
void s3_parts__abort(struct target *target, const char *key, const char *upload_id,
		     struct target_result *result);

#endif
