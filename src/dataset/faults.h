/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a file, told line by line. */
#ifndef IOTRC_FAULTS_H
#define IOTRC_FAULTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Faults of one file, a line each: PATH: what. Those past FAULTS_SHOWN are counted. */
#define FAULTS_SHOWN 20
struct faults {
	FILE *out;
	const char *dir, *path; /* PATH is dir/path; shown as base/shown.h says */
	uint64_t count;
};

void faults__add(struct faults *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says how many were not shown. */
void faults__end(struct faults *f);

/* LEN bytes of S as far as they fit a message, escaped. Returns BUF. */
#define SHOWN_SIZE 180
const char *faults__show(char buf[SHOWN_SIZE], const char *s, size_t len);

#endif
