// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of system_spec, from files of /proc and /sys and from macOS' registry. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/libc.h"
#include "platform/registry.h"
#include "snappers/spec.h"

static bool read_line(char *buf, size_t size, const char *format, va_list args)
{
	char path[4096];
	FILE *f;
	bool got;

	*buf = 0;
	vsnprintf(path, sizeof(path), format, args);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* Reading some sysfs files returns an error. */
	got = fgets(buf, (int)size, f);
	fclose(f);
	for (size_t n = strlen(buf); n && (buf[n - 1] == '\n' || buf[n - 1] == ' '); n--)
		buf[n - 1] = 0;
	return got;
}

bool spec__line(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	bool got;

	va_start(args, format);
	got = read_line(buf, size, format, args);
	va_end(args);
	return got;
}

json_t *spec__number(const char *format, ...)
{
	char text[256], *end;
	va_list args;
	bool got;
	long long n;

	va_start(args, format);
	got = read_line(text, sizeof(text), format, args);
	va_end(args);
	errno = 0;
	n = strtoll(text, &end, 10);
	return got && !errno && end != text && !*end ? json_integer(n) : json_null();
}

json_t *spec__string(const char *format, ...)
{
	char text[1024];
	va_list args;
	bool got;

	va_start(args, format);
	got = read_line(text, sizeof(text), format, args);
	va_end(args);
	return got && *text ? json_text(text) : json_null();
}

json_t *spec__registry_number(const char *name)
{
	int64_t n;

	return registry__number(name, &n) ? json_integer(n) : json_null();
}

json_t *spec__registry_string(const char *name)
{
	char text[1024];

	return registry__text(name, text, sizeof(text)) ? json_text(text) : json_null();
}

static json_t *tokens(const struct spec *s, const char *text,
		      char *(*make)(struct anonymizer *a, char *out, const char *s, size_t len))
{
	size_t len = strlen(text);
	json_t *json;
	char *buf;

	if (!s->anon)
		return json_text(text);
	buf = malloc(ANONYMIZE_MAX(len) + 1);
	if (!buf)
		return NULL;
	*make(s->anon, buf, text, len) = 0;
	json = json_text(buf);
	free(buf);
	return json;
}

json_t *spec__name(const struct spec *s, const char *name)
{
	return tokens(s, name, anonymize__name);
}

json_t *spec__path(const struct spec *s, const char *path)
{
	return tokens(s, path, anonymize__path);
}

void spec__each(const char *path, const char *prefix, void (*found)(const char *name, void *arg),
		void *arg)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, versionsort);

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (*name != '.' && !strncmp(name, prefix, strlen(prefix)))
			found(name, arg);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}
