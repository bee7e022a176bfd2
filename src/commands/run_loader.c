// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_loader.h"

#include <limits.h>
#include <stdlib.h>

#include "platform/program_loader.h"

void run_loader__add(struct run_files *f)
{
	size_t n = f->n;

	for (size_t i = 0; i < n; i++) {
		const struct run_file *program = f->files[i];
		char name[PATH_MAX], *real;

		if (!(program->is & RUN_EXECUTED) || program->is & RUN_GONE ||
		    program_loader__get(program->path, name, sizeof(name)))
			continue;
		real = realpath(name, NULL);
		if (real)
			run_files__executed(f, real, program);
		free(real);
	}
}
