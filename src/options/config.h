/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syntax of configuration files: lines `key = value`, empty lines, and lines that begin with
 * `#`. Blanks around key and value are ignored; a value extends to the end of its line and may
 * contain `#` and blanks. src/options/options.c has the keys. */
#ifndef IOTRC_CONFIG_H
#define IOTRC_CONFIG_H

#include <stddef.h>

#define CONFIG_BYTES_MAX (256u << 10)

/* Called for each line. Returns 0 to go on; any other value ends parsing and is returned. KEY and
 * VALUE point into the text. */
typedef int config__line_fn(void *arg, unsigned int line, const char *key, const char *value);

/* Calls EACH for each `key = value` in TEXT, which has LEN bytes and a NUL. Writes a NUL after each
 * key and value, and changes nothing else. Returns 0, what EACH returned, or -EINVAL for a
 * malformed line, with the reason in PROBLEM. RET_LINE always gets the number of the last line
 * examined. */
int config__parse(char *text, size_t len, config__line_fn *each, void *arg, unsigned int *ret_line,
		  const char **ret_problem);

/* Reads all of file PATH and appends a NUL; the caller frees the text. Returns 0, or a negative
 * errno: -EFBIG if it is longer than CONFIG_BYTES_MAX. */
int config__read(const char *path, char **ret_text, size_t *ret_len);

#endif
