// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/self/mountinfo: mount points may have any name. */
#include "fuzz.h"
#include "snappers/mount_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mount_list m;
	FILE *f = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!f)
		return 0;
	if (!mount_list__read(&m, f, NULL, NULL)) {
		mount_list__choose(&m, true);
		mount_list__of(&m, "/home/x");
		mount_list__clear(&m);
	}
	fclose(f);
	return 0;
}
