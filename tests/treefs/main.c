// SPDX-License-Identifier: GPL-2.0-or-later
/* treefs DIR SUBTYPE < TREE: mounts at DIR the tree that stdin describes, and says "ready" on
 * stdout. A line is
 *
 * 	DEPTH TYPE NAME TIMES CONTENT
 *
 * DEPTH is 0 in the root, and one more in a directory of an earlier line; TYPE is one of d - l p s
 * c b; NAME and CONTENT are hexadecimal (- is ""); the file's name is NAME repeated that many
 * TIMES. Ends when the filesystem is unmounted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/treefs/treefs.h"

#define DEPTH_MAX 1024
#define LINE_BYTES (1 << 20)

static const struct {
	char letter;
	mode_t mode;
} types[] = {
	{ 'd', S_IFDIR | 0755 }, { '-', S_IFREG | 0644 },  { 'l', S_IFLNK | 0777 },
	{ 'p', S_IFIFO | 0644 }, { 's', S_IFSOCK | 0644 }, { 'c', S_IFCHR | 0644 },
	{ 'b', S_IFBLK | 0644 },
};

static size_t unhex(const char *hex, char *to, size_t capacity)
{
	size_t n = 0;
	unsigned byte;

	for (; n < capacity && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		to[n++] = byte;
	return n;
}

static bool add_line(struct treefs *t, char *line, size_t above[DEPTH_MAX + 1])
{
	static char name_hex[LINE_BYTES], content_hex[LINE_BYTES], content[LINE_BYTES / 2];
	char name[TREEFS_NAME_MAX + 1], type;
	unsigned depth, times;
	size_t len, size, i = 0;

	if (sscanf(line, "%u %c %1048575s %u %1048575s", &depth, &type, name_hex, &times,
		   content_hex) != 5 ||
	    depth >= DEPTH_MAX)
		return false;
	while (i < sizeof(types) / sizeof(*types) && types[i].letter != type)
		i++;
	len = unhex(name_hex, name, sizeof(name));
	size = unhex(content_hex, content, sizeof(content));
	if (i == sizeof(types) / sizeof(*types) || !len || len * times > TREEFS_NAME_MAX)
		return false;
	for (size_t k = len; k < len * times; k++)
		name[k] = name[k - len];
	above[depth + 1] =
		treefs__add(t, above[depth], types[i].mode, name, len * times, content, size);
	return above[depth + 1];
}

static void say_ready(void *arg)
{
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char line[LINE_BYTES];
	static struct treefs tree;
	size_t above[DEPTH_MAX + 1] = { 0 };
	int number = 0;

	if (argc != 3)
		return 2;
	treefs__clear(&tree);
	while (fgets(line, sizeof(line), stdin)) {
		number++;
		if (!add_line(&tree, line, above)) {
			fprintf(stderr, "treefs: line %d can't be\n", number);
			return 2;
		}
	}
	return treefs__serve(&tree, argv[1], argv[2], say_ready, NULL);
}
