/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interprets an answer, or its absence: a message, and a verdict on what to do next. */
#ifndef IOTRC_ANSWER_H
#define IOTRC_ANSWER_H

#include "uploader/http.h"

/* Whether A is a success: a 2xx status, and no error in its body. */
bool answer__ok(const struct http_answer *a);

/* Fills in R from A, which is not ok. HOST is the host of the request. */
void answer__explain(const struct http_answer *a, const char *host, struct target_result *r);

/* Whether the answer's S3 error code is CODE. */
bool answer__is(const struct http_answer *a, const char *code);

/* Writes the text of the first element NAME after AT in an XML document to BUF, with entities
 * replaced, cut at SIZE. Returns the end of the element, or NULL with "" in BUF if there is
 * none. */
const char *answer__xml(const char *at, const char *name, char *buf, size_t size);

/* Parses a Retry-After field, a number or a date: seconds from NOW, at most a day; 0 if invalid or
 * past. */
unsigned int answer__retry_after(const char *field, int64_t now);

#endif
