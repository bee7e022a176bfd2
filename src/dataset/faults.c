// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/faults.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/shown.h"

const char *faults__show(char buf[SHOWN_SIZE], const char *s, size_t len)
{
	size_t part = len < 40 ? len : 40;
	char *end = shown__copy(buf, s, part);

	/* NOLINTNEXTLINE(*.strcpy): SHOWN_SIZE is large enough */
	strcpy(end, len > part ? "..." : "");
	return buf;
}

void faults__add(struct faults *f, const char *format, ...)
{
	va_list args;
	char *what;

	if (f->count++ >= FAULTS_SHOWN)
		return;
	va_start(args, format);
	if (vasprintf(&what, format, args) >= 0) {
		shown__line(f->out, "%s/%s: %s", f->dir, f->path, what);
		free(what);
	}
	va_end(args);
}

void faults__end(struct faults *f)
{
	if (f->count > FAULTS_SHOWN)
		shown__line(f->out, "%s/%s: ... and %" PRIu64 " more", f->dir, f->path,
			    f->count - FAULTS_SHOWN);
}
