// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/dtrace_said.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"

/* clang-format off */

/* Texts of libdtrace's messages, in the order of comparison, because one line may contain several.
 * About SIP, macOS reports both that it is on and what it refuses. */
static const struct {
	const char *words;
	enum dtrace_said_kind kind;
} refusals[] = {
	{ "ystem integrity protection is on", DTRACE_SAID_SIP },
	{ "ystem Integrity Protection is on", DTRACE_SAID_SIP },
	{ "requires additional privileges", DTRACE_SAID_RIGHTS },
	{ "Operation not permitted", DTRACE_SAID_RIGHTS },
	{ "Permission denied", DTRACE_SAID_RIGHTS },
	{ "does not match any probes", DTRACE_SAID_NOTHING },
	{ "No probe matches description", DTRACE_SAID_NOTHING },
};

/* Messages with a count: each stands for a record without space or time. We use no aggregations or
 * stacks. */
static const char *const drops[] = {
	" drop", " dynamic variable drop", " dynamic drop", " dynamic rinsing drop", " dynamic dirty drop",
	" failed speculation", " speculation drop", " aggregation drop",
};

/* clang-format on */

static bool begins(const char *s, const char *word)
{
	return !strncmp(s, word, strlen(word));
}

/* "dtrace: 123 drops on CPU 0", "dtrace: 5 dynamic variable drops with non-empty dirty list" */
static bool parse_drops(const char *text, struct dtrace_said *ret)
{
	const char *cpu = strstr(text, " on CPU ");
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	ret->count = strtoull(text, &end, 10);
	ret->cpu = cpu && isdigit((unsigned char)cpu[8]) ? atoi(cpu + 8) : -1;
	for (size_t i = 0; i < ARRAY_SIZE(drops); i++)
		if (begins(end, drops[i])) {
			ret->kind = DTRACE_SAID_DROPS;
			return true;
		}
	return false;
}

struct dtrace_said dtrace_said__parse(const char *text)
{
	struct dtrace_said said = { .kind = DTRACE_SAID_OTHER, .cpu = -1 };

	/* In brackets if libdtrace reports it through a handler. */
	while (*text == '[' || *text == ' ')
		text++;
	if (begins(text, "dtrace: "))
		text += 8;
	if (parse_drops(text, &said))
		return said;
	/* A clause that was aborted: "error on enabled probe ID 5 (ID 123: ...): invalid address
	 * (0x...) in action #1". Its record is missing. */
	if (begins(text, "error on enabled probe"))
		return (struct dtrace_said){ DTRACE_SAID_DROPS, 1, -1 };
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (strstr(text, refusals[i].words)) {
			said.kind = refusals[i].kind;
			break;
		}
	return said;
}
