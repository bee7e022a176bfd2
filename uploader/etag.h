/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store's own checksum of what it has, as far as its ETag is one. */
#ifndef IOTRC_ETAG_H
#define IOTRC_ETAG_H

#include "uploader/digest.h"
#include "uploader/http.h"

#define ETAG_MD5_SIZE 48 /* MD5 in hex, "-" and the number of parts, NUL */

/* What the ETag of bytes with this MD5 is. */
void etag__expect(char expected[ETAG_MD5_SIZE], const unsigned char md5[MD5_SIZE]);

/* Takes the quotes away. Returns ETAG. */
char *etag__unquote(char etag[HTTP_FIELD_MAX]);

/* Whether ETAG, of answer A and with its quotes or without, is EXPECTED, or says nothing: it is an
 * MD5 unless the store encrypts with a key that isn't its own, or is one of those whose ETags don't
 * look like it. */
bool etag__matches(const struct http_answer *a, const char *etag, const char *expected);

/* The same; otherwise R says what is wrong. There must be an ETag: it is what tells a store from
 * something else that answers 200. HOST is who was asked. */
bool etag__check(const struct http_answer *a, const char *host, const char *etag,
		 const char *expected, struct target_result *r);

#endif
