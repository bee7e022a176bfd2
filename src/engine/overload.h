/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --on-overload=lighten: what is shed, step by step, before rows are lost, and when a step is
 * reverted. It only decides; the reader acts. */
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
	uint64_t loaded_ns;   /* the last time the load was more than low */
	bool taken_back;      /* the last change */
	uint64_t patience_ns; /* how long the load must be low before a step is reverted */
};

/* FILL: percent of the fullest ring or queue. Returns true if `step` has changed. To be called
 * several times a second with the current mono_ns. */
bool overload__look(struct overload *o, unsigned int fill, uint64_t now);

#endif
