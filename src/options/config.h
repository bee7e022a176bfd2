/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syntax of configuration files: lines `key = value`, empty lines, and lines that begin with
 * `#`. Blanks around key and value don't count; a value goes to the end of its line, `#` and
 * blanks inside it included. What keys there are is src/options/options.c's. */
#ifndef IOTRC_CONFIG_H
#define IOTRC_CONFIG_H

#include <stddef.h>

#define CONFIG_BYTES_MAX (256u << 10)

/* Given one line. 0 to go on; otherwise parsing ends with it. KEY and VALUE lie in the text. */
typedef int config__line_fn(void *arg, unsigned int line, const char *key, const char *value);

/* Calls EACH for each `key = value` of TEXT, LEN bytes and a NUL behind them, into which the ends
 * of keys and values are written. Touches nothing else. 0, what EACH returned, or -EINVAL where a
 * line is none: PROBLEM says why then. The number of the last line looked at is in RET_LINE
 * always. */
int config__parse(char *text, size_t len, config__line_fn *each, void *arg, unsigned int *ret_line,
		  const char **ret_problem);

/* The whole of file PATH with a NUL behind it, to be freed. 0, or a negative errno: -EFBIG where it
 * is longer than CONFIG_BYTES_MAX. */
int config__read(const char *path, char **ret_text, size_t *ret_len);

#endif
