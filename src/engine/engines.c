// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of engines. */
#include <string.h>

#include "engine/engine.h"

const struct engine_type *const engines[] = {
#ifdef __linux__
	&engine_bpf,
#endif
	&engine_dtrace, &engine_eslogger, &engine_fs_usage, &engine_replay, &engine_strace, NULL,
};

const struct engine_type *engine__find(const char *name)
{
	for (size_t i = 0; engines[i]; i++)
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	return NULL;
}
