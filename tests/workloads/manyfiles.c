// SPDX-License-Identifier: GPL-2.0-or-later
/* manyfiles FILES ROUNDS: opens and closes the same files again and again. */
#include "workload.h"

int main(int argc, char **argv)
{
	char name[64];
	int files, rounds, fd;

	if (argc != 3)
		return 2;
	files = atoi(argv[1]);
	rounds = atoi(argv[2]);
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < files; i++) {
			snprintf(name, sizeof(name), "dir%d/file%d", i % 31, i);
			if (!r && i < 31) {
				*strchr(name, '/') = '\0';
				OK(SYS(mkdirat, AT_FDCWD, name, 0755));
				name[strlen(name)] = '/';
			}
			fd = OK(SYS(openat, AT_FDCWD, name, r ? O_RDONLY : O_RDONLY | O_CREAT,
				    0644));
			OK(SYS(close, fd));
		}
	}
	return 0;
}
