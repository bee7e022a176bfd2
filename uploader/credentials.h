/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secrets of a target. They are kept in locked memory and overwritten before it is freed.
 * libcurl makes copies, so a process that holds secrets makes no core dump at all. */
#ifndef IOTRC_CREDENTIALS_H
#define IOTRC_CREDENTIALS_H

#include "uploader/target.h"

#define CREDENTIALS_KEY_MAX 256
#define CREDENTIALS_TOKEN_MAX 8192

struct credentials {
	char key_id[CREDENTIALS_KEY_MAX];
	char secret[CREDENTIALS_KEY_MAX];
	char session_token[CREDENTIALS_TOKEN_MAX]; /* "": none */
	char token[CREDENTIALS_TOKEN_MAX];         /* for a gateway; "": none */
};

/* Reads S3 keys from FILE; if that is NULL, from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN; if these are not set, from profile AWS_PROFILE (or default) in the shared
 * credentials file, AWS_SHARED_CREDENTIALS_FILE or $HOME/.aws/credentials. A file that others can
 * read is refused. 0, or a negative errno with a line in PROBLEM that contains no secret. */
int credentials__keys(struct credentials **ret, const char *file, char problem[TARGET_REASON_MAX]);

/* Reads the token of a gateway from FILE, or if that is NULL from IOTRC_UPLOAD_TOKEN; "" if there
 * is none. */
int credentials__token(struct credentials **ret, const char *file, char problem[TARGET_REASON_MAX]);

/* Reads rejected credentials again with READ, one of the functions above: a file with temporary
 * keys may have been rewritten. If that fails (for example in a thread that has dropped its
 * rights), *C is unchanged. */
void credentials__renew(struct credentials **c, const char *file,
			int (*find)(struct credentials **, const char *, char *));

/* Whether NAME is one of the keys in a credentials file. */
bool credentials__is_name(const char *name);

/* Overwrites and frees C. Accepts NULL, returns NULL. */
struct credentials *credentials__free(struct credentials *c);

#endif
