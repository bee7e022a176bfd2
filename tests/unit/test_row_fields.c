// SPDX-License-Identifier: GPL-2.0-or-later
/* Compares the two ways to split a row into fields with one that reads every byte. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/row_fields.h"

#define LINE_MAX_LEN 200

/* A random line: commas, bytes with the top bit set, bytes after a comma, and rarely quotes. */
static size_t make_line(char *line)
{
	static const char bytes[] = ",,,,,aaaa\xac\x2b\x2d\xff\x01z ";
	size_t len = rand() % LINE_MAX_LEN;

	for (size_t i = 0; i < len; i++)
		line[i] = rand() % 500 ? bytes[rand() % (sizeof(bytes) - 1)] : '"';
	return len;
}

/* A line without quotes: the number of fields, and the first ones. */
static int split_by_bytes(char *line, size_t len, struct row_field *fields)
{
	char *start = line;
	int n = 0;

	for (size_t i = 0; i <= len; i++)
		if (i == len || line[i] == ',') {
			if (n < ROW_FIELDS_MAX)
				fields[n] = (struct row_field){ start, line + i - start };
			n++;
			start = line + i + 1;
		}
	return n;
}

/* The line ends where its memory ends: ASan and valgrind detect reads beyond it. */
Test(row_fields, of_a_whole_split_are_those_between_commas)
{
	srand(12);
	for (int i = 0; i < 50000; i++) {
		struct row_field want[ROW_FIELDS_MAX], got[ROW_FIELDS_MAX];
		char line[LINE_MAX_LEN], *exact;
		size_t len = make_line(line);
		const char *why;
		int n;

		if (memchr(line, '"', len))
			continue;
		exact = malloc(len ?: 1);
		memcpy(exact, line, len);
		n = split_by_bytes(line, len, want);
		cr_assert_eq(row_file__split(exact, len, got, &why), n);
		for (int k = 0; k < n && k < ROW_FIELDS_MAX; k++) {
			cr_assert_eq(got[k].len, want[k].len);
			cr_assert_eq(got[k].s - exact, want[k].s - line);
		}
		free(exact);
	}
}

Test(row_fields, are_those_of_a_whole_split)
{
	char line[LINE_MAX_LEN + ROW_FILE_SLACK], other[sizeof(line)];

	srand(11);
	for (int i = 0; i < 200000; i++) {
		struct row_field quick[ROW_FIELDS_MAX], slow[ROW_FIELDS_MAX];
		int n = 1 + rand() % ROW_FIELDS_MAX, found, all;
		const char *why;
		size_t len;

		/* What follows the line is not part of it. */
		memset(line, ',', sizeof(line));
		len = make_line(line);
		memcpy(other, line, sizeof(line));
		all = row_file__split(other, len, slow, &why);
		found = row_fields__first(line, len, quick, n);
		cr_assert_eq(found, all < n ? all : n);
		for (int k = 0; k < found; k++) {
			cr_assert_eq(quick[k].len, slow[k].len);
			cr_assert(!memcmp(quick[k].s, slow[k].s, slow[k].len));
		}
	}
}
