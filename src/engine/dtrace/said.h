/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dtrace says on its standard error. */
#ifndef IOTRC_DTRACE_SAID_H
#define IOTRC_DTRACE_SAID_H

#include <stddef.h>
#include <stdint.h>

enum dtrace_said_kind {
	DTRACE_SAID_OTHER,   /* for people */
	DTRACE_SAID_DROPS,   /* COUNT records are missing, of CPU if that isn't -1 */
	DTRACE_SAID_SIP,     /* System Integrity Protection keeps probes away */
	DTRACE_SAID_RIGHTS,  /* whoever runs it may not */
	DTRACE_SAID_NOTHING, /* no probe has matched */
};

struct dtrace_said {
	enum dtrace_said_kind kind;
	uint64_t count;
	int cpu;
};

/* What a line means: TEXT, which ends with NUL. */
struct dtrace_said dtrace_said__parse(const char *text);

#endif
