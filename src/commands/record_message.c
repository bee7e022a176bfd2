// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of a recording, from any of its phases. */
#include <stdarg.h>

#include "base/log.h"
#include "commands/recording.h"
#include "options/command.h"

int recording__complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log__lines(LOG_ERR, format, args);
	va_end(args);
	return EXIT_CANNOT;
}
