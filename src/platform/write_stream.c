// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/write_stream.h"

#ifdef __linux__
FILE *write_stream__new(void *cookie, ssize_t (*write)(void *cookie, const char *text, size_t len))
{
	return fopencookie(cookie, "w", (cookie_io_functions_t){ .write = write });
}
#else
#include <stdlib.h>

/* funopen(3) takes a function of another type. */
struct stdio_stream {
	void *cookie;
	ssize_t (*write)(void *cookie, const char *text, size_t len);
};

static int on_write(void *stream, const char *text, int len)
{
	struct stdio_stream *s = stream;

	return (int)s->write(s->cookie, text, len);
}

static int on_close(void *stream)
{
	free(stream);
	return 0;
}

FILE *write_stream__new(void *cookie, ssize_t (*write)(void *cookie, const char *text, size_t len))
{
	struct stdio_stream *s = malloc(sizeof(*s));
	FILE *f;

	if (!s)
		return NULL;
	*s = (struct stdio_stream){ cookie, write };
	f = funopen(s, NULL, on_write, NULL, on_close);
	if (!f)
		free(s);
	return f;
}
#endif
