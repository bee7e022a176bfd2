// SPDX-License-Identifier: GPL-2.0-or-later
/* A condition on rows, and a row to evaluate it for. */
#include "export/where.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096] = "", why[WHERE_WHY_MAX], line[] = "w,read,12,-3,abc,/a/b,4096,1.5";
	struct row_field fields[ROW_FIELDS_MAX];
	struct export_row row = { .stream = STREAM_FS, .fields = fields };
	const char *split;
	struct condition *w;

	memcpy(text, data, size < sizeof(text) ? size : sizeof(text) - 1);
	memset(fields, 0, sizeof(fields));
	row_file__split(line, strlen(line), fields, &split);
	if (!where__new(&w, text, 1 << STREAM_FS | 1 << STREAM_BLOCK, why)) {
		where__meets(w, &row);
		where__free(w);
	} else if (!*why) {
		abort();
	}
	return 0;
}
