/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --on-overload=lighten: what is given up, step by step, before rows are lost to chance, and when
 * it is taken back. Decides only; the reader acts on it. */
#ifndef IOTRC_OVERLOAD_H
#define IOTRC_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

enum overload_step {
	OVERLOAD_NONE,
	OVERLOAD_COMPRESSION, /* faster and larger */
	OVERLOAD_SHED,        /* … and without getattr, readdir and access */
};

struct overload {
	enum overload_step step;
	uint64_t since_ns;    /* when the step was taken */
	uint64_t loaded_ns;   /* when there was last more than a little load */
	bool taken_back;      /* the last change */
	uint64_t patience_ns; /* that it must be calm for, before a step is taken back */
};

/* FILL: percent of the fullest of rings and queue. True when `step` has changed. To be called
 * several times a second, with the current mono_ns. */
bool overload__look(struct overload *o, unsigned int fill, uint64_t now);

#endif
