// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/glob.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/array.h"

#define SPECIAL "*?[{\\"

struct glob {
	char *text;
	const char *path; /* the length, if it is a literal path */
	bool negative, used;
};

/* Compiled twice: for paths in UTF-8, where ? matches a character, and for other paths. */
struct pattern {
	uint32_t glob;
	pcre2_code *text, *bytes;
};

struct literal {
	uint32_t glob;
	char *path;
};

struct globs {
	struct glob *globs;
	struct pattern *patterns;
	struct literal *literals; /* sorted by path after globs__finish() */
	size_t n_globs, n_patterns, n_literals, n_positive;
	size_t globs_capacity, patterns_capacity, literals_capacity;
	pcre2_convert_context *convert;
	pcre2_match_data *match;
};

struct globs *globs__new(void)
{
	struct globs *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->convert = pcre2_convert_context_create(NULL);
	g->match = pcre2_match_data_create(1, NULL);
	if (!g->convert || !g->match)
		return globs__free(g), NULL;
	pcre2_set_glob_escape(g->convert, '\\');
	return g;
}

void globs__free(struct globs *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_globs; i++)
		free(g->globs[i].text);
	for (size_t i = 0; i < g->n_literals; i++)
		free(g->literals[i].path);
	for (size_t i = 0; i < g->n_patterns; i++) {
		pcre2_code_free(g->patterns[i].text);
		pcre2_code_free(g->patterns[i].bytes);
	}
	pcre2_match_data_free(g->match);
	pcre2_convert_context_free(g->convert);
	free(g->globs);
	free(g->literals);
	free(g->patterns);
	free(g);
}

/* ---- adding ---- */

/* Takes PATH. */
static int add_literal(struct globs *g, char *path)
{
	void *grown = path ? array__grow(g->literals, g->n_literals, &g->literals_capacity,
					 sizeof(*g->literals)) :
			     NULL;

	if (!grown) {
		free(path);
		return -ENOMEM;
	}
	g->literals = grown;
	g->literals[g->n_literals++] = (struct literal){ g->n_globs - 1, path };
	return 0;
}

int globs__add_alias(struct globs *g, const char *path)
{
	return add_literal(g, strdup(path));
}

static int say(char why[GLOB_WHY_MAX], const char *text)
{
	snprintf(why, GLOB_WHY_MAX, "%s", text);
	return -EINVAL;
}

static pcre2_code *compile(struct globs *g, const char *text, uint32_t utf, char why[GLOB_WHY_MAX])
{
	uint32_t options = PCRE2_CONVERT_GLOB | (utf ? PCRE2_CONVERT_UTF : 0);
	char said[GLOB_WHY_MAX] = "";
	pcre2_code *code = NULL;
	PCRE2_UCHAR *regex = NULL;
	PCRE2_SIZE len, at;
	int err = pcre2_pattern_convert((PCRE2_SPTR)text, strlen(text), options, &regex, &len,
					g->convert);

	if (!err)
		code = pcre2_compile(regex, len, PCRE2_DOLLAR_ENDONLY | utf, &err, &at, NULL);
	pcre2_converted_pattern_free(regex);
	if (code)
		return code;
	pcre2_get_error_message(err, (PCRE2_UCHAR *)said, sizeof(said));
	say(why, said);
	return NULL;
}

static int add_pattern(struct globs *g, const char *text, char why[GLOB_WHY_MAX])
{
	void *grown = array__grow(g->patterns, g->n_patterns, &g->patterns_capacity,
				  sizeof(*g->patterns));
	struct pattern p = { .glob = g->n_globs - 1 };

	if (!grown)
		return -ENOMEM;
	g->patterns = grown;
	p.bytes = compile(g, text, 0, why);
	if (!p.bytes)
		return -EINVAL;
	/* NULL if the glob is not UTF-8: it then matches no path in UTF-8. */
	p.text = compile(g, text, PCRE2_UTF, why);
	g->patterns[g->n_patterns++] = p;
	return 0;
}

static char *without_escapes(const char *text)
{
	char *path = malloc(strlen(text) + 1), *p = path;

	for (; path && *text; text++) {
		text += *text == '\\' && text[1];
		*p++ = *text;
	}
	if (path)
		*p = 0;
	return path;
}

static bool is_literal(const char *text)
{
	for (; *text; text++)
		if (*text == '\\' && text[1])
			text++;
		else if (strchr("*?[", *text))
			return false;
	return true;
}

/* A glob without braces. */
static int add_plain(struct globs *g, char *text, char why[GLOB_WHY_MAX])
{
	size_t len = strlen(text);
	bool below = len && text[len - 1] == '/';
	char *all;
	int err;

	if (is_literal(text)) {
		while (len > 1 && text[len - 1] == '/')
			text[--len] = 0;
		return add_literal(g, without_escapes(text));
	}
	if (!below)
		return add_pattern(g, text, why);
	if (asprintf(&all, "%s**", text) < 0)
		return -ENOMEM;
	err = add_pattern(g, all, why);
	free(all);
	return err;
}

/* Returns the end of the class that begins at S, or S if there is none. */
static const char *skip_class(const char *s)
{
	const char *end = s + 1;

	end += *end == '!' || *end == '^';
	end += *end == ']';
	end = strchr(end, ']');
	return end ?: s;
}

/* Parses the braces that begin at OPEN: sets *RET_CLOSE and returns the number of commas on their
 * level. 0: these braces are ordinary characters. */
static size_t find_braces(const char *open, const char **ret_close)
{
	size_t depth = 0, commas = 0;

	for (const char *s = open; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '[')
			s = skip_class(s);
		else if (*s == '{')
			depth++;
		else if (*s == ',' && depth == 1)
			commas++;
		else if (*s == '}' && !--depth) {
			*ret_close = s;
			return commas;
		}
	}
	return 0;
}

/* Returns the first braces of TEXT that contain alternatives, or NULL. */
static const char *first_braces(const char *text, const char **ret_close)
{
	for (const char *s = text; *s; s++)
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '[')
			s = skip_class(s);
		else if (*s == '{' && find_braces(s, ret_close))
			return s;
	return NULL;
}

/* Returns the end of the alternative that begins at S. */
static const char *alternative_end(const char *s)
{
	for (size_t depth = 0;; s++)
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '[')
			s = skip_class(s);
		else if (*s == '{')
			depth++;
		else if (!depth && (*s == ',' || *s == '}'))
			return s;
		else if (*s == '}')
			depth--;
}

/* Adds each glob that TEXT expands to; at most *LEFT more are allowed.
 * NOLINTNEXTLINE(misc-no-recursion): GLOB_BRACES_MAX */
static int add_expanded(struct globs *g, const char *text, size_t *left, char why[GLOB_WHY_MAX])
{
	const char *close, *open = first_braces(text, &close), *from, *end;
	int err = 0;

	if (!open) {
		char *copy = strdup(text);

		err = copy ? add_plain(g, copy, why) : -ENOMEM;
		free(copy);
		return err;
	}
	for (from = open + 1; !err && from <= close; from = end + 1) {
		char *one;

		end = alternative_end(from);
		if (!(*left)--)
			return say(why, "its braces stand for too many globs");
		if (asprintf(&one, "%.*s%.*s%s", (int)(open - text), text, (int)(end - from), from,
			     close + 1) < 0)
			return -ENOMEM;
		err = add_expanded(g, one, left, why);
		free(one);
	}
	return err;
}

int globs__add(struct globs *g, const char *text, char why[GLOB_WHY_MAX])
{
	size_t left = GLOB_BRACES_MAX, literals = g->n_literals, patterns = g->n_patterns;
	struct glob *glob;
	void *grown;
	int err;

	if (strlen(text) > GLOB_LENGTH_MAX || g->n_globs == GLOBS_MAX)
		return say(why, "too long, or there are too many");
	grown = array__grow(g->globs, g->n_globs, &g->globs_capacity, sizeof(*g->globs));
	if (!grown)
		return -ENOMEM;
	g->globs = grown;
	glob = &g->globs[g->n_globs];
	*glob = (struct glob){ .text = strdup(text), .negative = *text == '!' };
	if (!glob->text)
		return -ENOMEM;
	g->n_globs++;
	text += glob->negative;
	while (!strncmp(text, "./", 2) && text[2])
		text += 2;
	if (!*text)
		return say(why, "it is empty");
	g->n_positive += !glob->negative;
	err = add_expanded(g, strcmp(text, ".") && strcmp(text, "./") ? text : "**", &left, why);
	if (!err && g->n_patterns == patterns && g->n_literals == literals + 1)
		g->globs[g->n_globs - 1].path = g->literals[literals].path;
	return err;
}

static int compare_literals(const void *a, const void *b)
{
	return strcmp(((const struct literal *)a)->path, ((const struct literal *)b)->path);
}

void globs__finish(struct globs *g)
{
	if (g->n_literals)
		qsort(g->literals, g->n_literals, sizeof(*g->literals), compare_literals);
}

/* ---- matching ---- */

static bool meets(const struct globs *g, const struct pattern *p, const char *path)
{
	size_t len = strlen(path);
	int n = p->text ? pcre2_match(p->text, (PCRE2_SPTR)path, len, 0, 0, g->match, NULL) :
			  PCRE2_ERROR_UTF8_ERR1;

	if (n <= PCRE2_ERROR_UTF8_ERR1 && n >= PCRE2_ERROR_UTF8_ERR21)
		n = pcre2_match(p->bytes, (PCRE2_SPTR)path, len, 0, 0, g->match, NULL);
	return n >= 0;
}

/* Returns the index of the first literal that equals the first LEN bytes of PATH, or the number of
 * literals. */
static size_t find_literal(const struct globs *g, const char *path, size_t len)
{
	size_t low = 0, high = g->n_literals;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *other = g->literals[middle].path;
		int order = strncmp(other, path, len);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < g->n_literals &&
	    (strncmp(g->literals[low].path, path, len) || g->literals[low].path[len]))
		return g->n_literals;
	return low;
}

/* Calls FOUND() with each glob that matches PATH, until it returns true. */
static bool each(const struct globs *g, const char *path, bool (*found)(void *, uint32_t),
		 void *arg)
{
	size_t len = strlen(path);

	for (size_t end = len; end; end--) {
		if (path[end] && path[end] != '/')
			continue;
		for (size_t i = find_literal(g, path, end); i < g->n_literals; i++) {
			if (strncmp(g->literals[i].path, path, end) || g->literals[i].path[end])
				break;
			if (found(arg, g->literals[i].glob))
				return true;
		}
	}
	for (size_t i = 0; i < g->n_patterns; i++)
		if (meets(g, &g->patterns[i], path) && found(arg, g->patterns[i].glob))
			return true;
	return false;
}

struct search {
	const struct globs *globs;
	bool negative;
};

static bool is_of_kind(void *arg, uint32_t glob)
{
	struct search *s = arg;

	return s->globs->globs[glob].negative == s->negative;
}

bool globs__match(const struct globs *g, const char *path)
{
	struct search negative = { g, true }, positive = { g, false };

	if (g->n_positive < g->n_globs && each(g, path, is_of_kind, &negative))
		return false;
	return g->n_positive ? each(g, path, is_of_kind, &positive) : g->n_globs > 0;
}

static bool note(void *arg, uint32_t glob)
{
	struct globs *g = arg;

	g->globs[glob].used |= !g->globs[glob].negative;
	return false;
}

bool globs__use(struct globs *g, const char *path)
{
	bool matched = globs__match(g, path);

	if (matched)
		each(g, path, note, g);
	return matched;
}

/* ---- what a glob is ---- */

size_t globs__count(const struct globs *g)
{
	return g->n_globs;
}

const char *globs__text(const struct globs *g, size_t i)
{
	return g->globs[i].text;
}

bool globs__is_negative(const struct globs *g, size_t i)
{
	return g->globs[i].negative;
}

bool globs__is_used(const struct globs *g, size_t i)
{
	return g->globs[i].used;
}

const char *globs__path(const struct globs *g, size_t i)
{
	return g->globs[i].path;
}

char *globs__escape(const char *path)
{
	char *text = malloc(2 * strlen(path) + 1), *p = text;

	for (const char *s = path; text && *s; s++) {
		if (strchr(SPECIAL, *s) || (*s == '!' && s == path))
			*p++ = '\\';
		*p++ = *s;
	}
	if (text)
		*p = 0;
	return text;
}
