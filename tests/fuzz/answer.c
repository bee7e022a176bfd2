// SPDX-License-Identifier: GPL-2.0-or-later
/* A server's answer: the body of an error, and header fields. */
#include "uploader/answer.h"
#include "fuzz.h"
#include "uploader/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "Code", "Message", "UploadId", "ETag", "Part" };
	char *text = malloc(size + 1), buf[64], field[HTTP_FIELD_MAX];
	const char *at;

	memcpy(text, data, size);
	text[size] = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (at = text; at; at = answer__xml(at, names[i], buf, sizeof(buf)))
			;
	answer__retry_after(text, 1700000000);
	snprintf(field, sizeof(field), "%s", text);
	etag__unquote(field);
	free(text);
	return 0;
}
