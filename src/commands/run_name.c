// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_name.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

json_t *run_name__new(const char *path)
{
	json_t *text = json_string(path), *name;
	size_t len = strlen(path);
	unsigned char *base64;

	if (text)
		return text;
	base64 = malloc(4 * (len + 2) / 3 + 4);
	if (!base64)
		return NULL;
	EVP_EncodeBlock(base64, (const unsigned char *)path, (int)len);
	name = json_pack("{s:o, s:s}", "path", json_text(path), "base64", base64);
	free(base64);
	return name;
}

const char *run_name__text(const json_t *name)
{
	if (json_is_object(name))
		name = json_object_get(name, "path");
	return json_string_value(name) ?: "";
}

char *run_name__bytes(const json_t *name)
{
	const json_t *base64 = json_object_get(name, "base64");
	const char *text = json_string_value(base64);
	size_t len = json_string_length(base64), padding = 0;
	unsigned char *bytes;
	int n;

	if (json_is_string(name))
		return strdup(json_string_value(name));
	if (!text || len > INT32_MAX)
		return NULL;
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	bytes = malloc(len + 1);
	if (!bytes)
		return NULL;
	n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
	if (n < (int)padding || memchr(bytes, 0, n - padding)) {
		free(bytes);
		return NULL;
	}
	bytes[n - padding] = 0;
	return (char *)bytes;
}

const char *run_name__command(char buf[RUN_COMMAND_MAX + 6], const char *text)
{
	size_t len = strlen(text), half = RUN_COMMAND_MAX / 2;

	if (len > RUN_COMMAND_MAX)
		snprintf(buf, RUN_COMMAND_MAX + 6, "%.*s ... %s", (int)half, text,
			 text + len - half);
	else
		memcpy(buf, text, len + 1);
	return buf;
}
