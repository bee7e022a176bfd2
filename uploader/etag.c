// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/etag.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "uploader/target_kind.h"

#define MD5_HEX (2 * MD5_SIZE)

void etag__expect(char expected[ETAG_MD5_SIZE], const unsigned char md5[MD5_SIZE])
{
	for (int i = 0; i < MD5_SIZE; i++)
		sprintf(expected + 2 * i, "%02x", md5[i]);
}

char *etag__unquote(char etag[HTTP_FIELD_MAX])
{
	size_t len;

	if (*etag == '"')
		memmove(etag, etag + 1, strlen(etag));
	len = strlen(etag);
	if (len && etag[len - 1] == '"')
		etag[len - 1] = 0;
	return etag;
}

/* SSE-S3 (AES256) leaves it an MD5, SSE-KMS and SSE-C don't. */
static bool is_md5(const struct http_head *head, const char *etag)
{
	if (*head->customer_key || (*head->encryption && strcasecmp(head->encryption, "AES256")))
		return false;
	return strspn(etag, "0123456789abcdefABCDEF") == MD5_HEX &&
	       (!etag[MD5_HEX] || etag[MD5_HEX] == '-');
}

bool etag__matches(const struct http_answer *a, const char *etag, const char *expected)
{
	char bare[HTTP_FIELD_MAX];

	snprintf(bare, sizeof(bare), "%s", etag);
	return !is_md5(&a->head, etag__unquote(bare)) || !strcasecmp(bare, expected);
}

bool etag__check(const struct http_answer *a, const char *host, const char *etag,
		 const char *expected, struct target_result *r)
{
	if (!*etag)
		target__result(r, TARGET_RETRY, true,
			       "%.150s: the answer has no ETag: is it an object store?", host);
	else if (!etag__matches(a, etag, expected))
		target__result(
			r, TARGET_RETRY, false,
			"%.150s: its object differs from what was sent (ETag %.80s, should be %s)",
			host, etag, expected);
	else
		return true;
	return false;
}
