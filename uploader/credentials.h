/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The secrets of a target. They live in memory that no core dump has (nor has any other part of
 * a process that holds them: libcurl makes copies), and are wiped when they go. */
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

/* Keys for S3, from FILE; where that is NULL from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
 * AWS_SESSION_TOKEN; where those are not set from profile AWS_PROFILE (or default) of the shared
 * credentials file, AWS_SHARED_CREDENTIALS_FILE or $HOME/.aws/credentials. A file that others may
 * read is refused. 0, or a negative errno with one line in PROBLEM that quotes nothing secret. */
int credentials__keys(struct credentials **ret, const char *file, char problem[TARGET_REASON_MAX]);

/* The token of a gateway: from FILE; where that is NULL from IOTRC_UPLOAD_TOKEN; or "". */
int credentials__token(struct credentials **ret, const char *file, char problem[TARGET_REASON_MAX]);

/* Looks up again, with one of the above, what wasn't accepted: a file of temporary keys is written
 * anew by whoever made it. Where there is nothing to be had (a thread that has dropped its rights
 * since), *C stays: it may be in order again. */
void credentials__renew(struct credentials **c, const char *file,
			int (*find)(struct credentials **, const char *, char *));

/* Whether NAME is one of those that stand before such a value in a file. */
bool credentials__is_name(const char *name);

/* Wipes. Accepts NULL, returns NULL. */
struct credentials *credentials__free(struct credentials *c);

#endif
