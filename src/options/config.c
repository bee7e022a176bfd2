// SPDX-License-Identifier: GPL-2.0-or-later
#include "options/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not isspace(): that depends on the locale. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *from, char *end)
{
	while (from < end && is_blank(*from))
		from++;
	while (end > from && is_blank(end[-1]))
		end--;
	*end = 0;
	return from;
}

static int problem(const char **ret_problem, const char *text)
{
	*ret_problem = text;
	return -EINVAL;
}

/* Parses the line from LINE to END, its line feed or the NUL. */
static int split_line(char *line, char *end, config__line_fn *each, void *arg, unsigned int number,
		      const char **ret_problem)
{
	char *equals = memchr(line, '=', end - line), *key, *value;

	line = trim(line, end);
	if (!*line || *line == '#')
		return 0;
	if (!equals)
		return problem(ret_problem, "neither 'key = value' nor a comment (# ...)");
	key = trim(line, equals);
	if (!*key)
		return problem(ret_problem, "no key before '='");
	value = trim(equals + 1, end);
	return each(arg, number, key, value);
}

int config__parse(char *text, size_t len, config__line_fn *each, void *arg, unsigned int *ret_line,
		  const char **ret_problem)
{
	char *end = text + len, *next;
	int err = 0;

	*ret_line = 0;
	for (char *line = text; !err && line < end; line = next) {
		char *stop = memchr(line, '\n', end - line) ?: end;

		next = stop + 1;
		++*ret_line;
		if (memchr(line, 0, stop - line))
			return problem(ret_problem, "a NUL byte: not a text file");
		err = split_line(line, stop, each, arg, *ret_line, ret_problem);
	}
	return err;
}

int config__read(const char *path, char **ret_text, size_t *ret_len)
{
	char *text = malloc(CONFIG_BYTES_MAX + 1);
	size_t len = 0;
	ssize_t n = -1;
	int fd, err;

	if (!text)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		while ((n = read(fd, text + len, CONFIG_BYTES_MAX + 1 - len)) > 0)
			len += n;
	err = n < 0 ? -errno : len > CONFIG_BYTES_MAX ? -EFBIG : 0;
	if (fd >= 0)
		close(fd);
	if (err) {
		free(text);
		return err;
	}
	text[len] = 0;
	*ret_text = text;
	*ret_len = len;
	return 0;
}
