// SPDX-License-Identifier: GPL-2.0-or-later
/* The quick way to a row's first fields beside the one that reads every byte. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/row_fields.h"

#define LINE_MAX_LEN 200

/* A random line: commas, bytes with the top bit set, those next to a comma, and rarely quotes. */
static size_t make_line(char *line)
{
	static const char bytes[] = ",,,,,aaaa\xac\x2b\x2d\xff\x01z ";
	size_t len = rand() % LINE_MAX_LEN;

	for (size_t i = 0; i < len; i++)
		line[i] = rand() % 500 ? bytes[rand() % (sizeof(bytes) - 1)] : '"';
	return len;
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

		/* What is behind the line is not part of it. */
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
