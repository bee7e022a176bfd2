/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an answer, or its absence, means: in words, and for what is to be done next. */
#ifndef IOTRC_ANSWER_H
#define IOTRC_ANSWER_H

#include "uploader/http.h"

/* Whether A is a success of any kind (2xx) and no error in disguise. */
bool answer__ok(const struct http_answer *a);

/* Fills R from A, which isn't ok. HOST is who was asked. */
void answer__explain(const struct http_answer *a, const char *host, struct target_result *r);

/* Whether the answer's S3 error code is CODE. */
bool answer__is(const struct http_answer *a, const char *code);

/* Text of the first element NAME from AT on in XML, entities replaced, cut at SIZE. The end of the
 * element, or NULL where there is none; BUF is "" then. */
const char *answer__xml(const char *at, const char *name, char *buf, size_t size);

/* Seconds of a Retry-After field, a number or a date, at most a day; 0: neither, or past. */
unsigned int answer__retry_after(const char *field, int64_t now);

#endif
