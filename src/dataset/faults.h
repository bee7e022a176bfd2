/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the faults of a file, one per line. */
#ifndef IOTRC_FAULTS_H
#define IOTRC_FAULTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Faults of one file, printed as 'PATH: what'. After FAULTS_SHOWN lines they are only counted. */
#define FAULTS_SHOWN 20
struct faults {
	FILE *out;
	const char *dir, *path; /* PATH is dir/path, escaped as in base/shown.h */
	uint64_t count;
};

/* Counts a fault and prints it, unless FAULTS_SHOWN faults have been printed. */
void faults__add(struct faults *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints how many faults were not printed. */
void faults__end(struct faults *f);

#define SHOWN_SIZE 180
/* Writes LEN bytes of S to BUF, escaped, cut to the length of a message. Returns BUF. */
const char *faults__show(char buf[SHOWN_SIZE], const char *s, size_t len);

#endif
