/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares ETags, which are checksums in most stores. */
#ifndef IOTRC_ETAG_H
#define IOTRC_ETAG_H

#include "uploader/checksums.h"
#include "uploader/http.h"

#define ETAG_MD5_SIZE 48 /* MD5 in hex, "-" and the number of parts, NUL */

/* Writes the ETag that an object with this MD5 has. */
void etag__expect(char expected[ETAG_MD5_SIZE], const unsigned char md5[MD5_SIZE]);

/* Removes the quotes. Returns ETAG. */
char *etag__unquote(char etag[HTTP_FIELD_MAX]);

/* Whether ETAG, of answer A, with or without quotes, is EXPECTED or is not a checksum. It is not
 * one if the store encrypts with a key of the customer (SSE-KMS, SSE-C), or if it does not look
 * like an MD5. */
bool etag__matches(const struct http_answer *a, const char *etag, const char *expected);

/* The same, and R says what is wrong. An answer without an ETag is an error, because anything could
 * have answered 200. HOST is the host of the request. */
bool etag__check(const struct http_answer *a, const char *host, const char *etag,
		 const char *expected, struct target_result *r);

#endif
