// SPDX-License-Identifier: GPL-2.0-or-later
/* A recursive-descent parser builds a tree in an array; a node's children have lower indices. */
#include "export/where.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"

#define NODES_MAX 256
#define DEPTH_MAX 32

enum condition_kind { AND, OR, NOT, EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST, LIKE };

struct condition_node {
	enum condition_kind kind;
	int left, right;           /* AND, OR; NOT has only LEFT */
	int columns[STREAM_COUNT]; /* of the column in each stream; -1: the stream lacks it */
	char *text;                /* what it is compared with */
	size_t len;
};

struct condition {
	struct condition_node nodes[NODES_MAX];
	int n, root;
};

struct parser {
	struct condition *where;
	const char *at;
	uint32_t streams;
	int depth;
	char *why; /* "" if there is no error */
};

static int parse_or(struct parser *p);

static int fail_parse(struct parser *p, const char *what)
{
	if (!*p->why)
		snprintf(p->why, WHERE_WHY_MAX, "%s at '%.40s'", what, p->at);
	return -1;
}

static int add_node(struct parser *p, struct condition_node node)
{
	if (p->where->n == NODES_MAX)
		return fail_parse(p, "too long");
	p->where->nodes[p->where->n] = node;
	return p->where->n++;
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Consumes WORD, a keyword or an operator, if it is next. */
static bool take_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(p);
	if (strncmp(p->at, word, len) || (is_name(*word) && is_name(p->at[len])))
		return false;
	p->at += len;
	return true;
}

/* A column's name into NODE. */
static int parse_column(struct parser *p, struct condition_node *node)
{
	size_t len = 0;
	bool found = false;

	skip_blanks(p);
	while (is_name(p->at[len]))
		len++;
	for (int s = 0; s < STREAM_COUNT; s++) {
		node->columns[s] = p->streams >> s & 1 ? schema__column(s, p->at, len) : -1;
		found |= node->columns[s] >= 0;
	}
	if (!found)
		return fail_parse(p, "no column");
	p->at += len;
	return 0;
}

/* 'text', "text" or a number, into NODE, which then owns it. */
static int parse_value(struct parser *p, struct condition_node *node)
{
	char quote;

	skip_blanks(p);
	quote = *p->at;
	if (quote == '\'' || quote == '"')
		p->at++;
	else
		quote = '\0';
	node->len =
		quote ? strcspn(p->at, (char[]){ quote, '\0' }) : strspn(p->at, "+-.0123456789");
	if (quote ? !p->at[node->len] : !node->len)
		return fail_parse(p, "a number or 'text' expected");
	node->text = strndup(p->at, node->len);
	p->at += node->len + !!quote;
	return node->text ? 0 : fail_parse(p, "out of memory");
}

/* COLUMN in (value, ...): becomes a chain of comparisons. */
static int parse_in(struct parser *p, const struct condition_node *column)
{
	int any = -1;

	if (!take_word(p, "("))
		return fail_parse(p, "no (");
	do {
		struct condition_node node = *column;
		int one;

		node.kind = EQUAL;
		if (parse_value(p, &node))
			return -1;
		one = add_node(p, node);
		if (one < 0) {
			free(node.text);
			return -1;
		}
		any = any < 0 ? one :
				add_node(p, (struct condition_node){
						    .kind = OR, .left = any, .right = one });
	} while (any >= 0 && take_word(p, ","));
	return any < 0 || take_word(p, ")") ? any : fail_parse(p, "no )");
}

static int parse_comparison(struct parser *p)
{
	static const struct {
		const char *word;
		enum condition_kind kind;
	} operators[] = { { "==", EQUAL }, { "!=", UNEQUAL }, { "<=", AT_MOST }, { ">=", AT_LEAST },
			  { "<", LESS },   { ">", MORE },     { "=", EQUAL },    { "like", LIKE } };
	struct condition_node node = { 0 };
	int added;

	if (parse_column(p, &node))
		return -1;
	if (take_word(p, "in"))
		return parse_in(p, &node);
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!take_word(p, operators[i].word))
			continue;
		node.kind = operators[i].kind;
		if (parse_value(p, &node))
			return -1;
		added = add_node(p, node);
		if (added < 0)
			free(node.text);
		return added;
	}
	return fail_parse(p, "no comparison");
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static int parse_one(struct parser *p)
{
	int inner;

	if (++p->depth > DEPTH_MAX)
		return fail_parse(p, "too deep");
	if (take_word(p, "not")) {
		inner = parse_one(p);
		if (inner >= 0)
			inner = add_node(p, (struct condition_node){ .kind = NOT, .left = inner });
	} else if (take_word(p, "(")) {
		inner = parse_or(p);
		if (inner >= 0 && !take_word(p, ")"))
			inner = fail_parse(p, "no )");
	} else {
		inner = parse_comparison(p);
	}
	p->depth--;
	return inner;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static int parse_and(struct parser *p)
{
	int left = parse_one(p);

	while (left >= 0 && take_word(p, "and")) {
		int right = parse_one(p);

		left = right < 0 ? right : add_node(p, (struct condition_node){ AND, left, right });
	}
	return left;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static int parse_or(struct parser *p)
{
	int left = parse_and(p);

	while (left >= 0 && take_word(p, "or")) {
		int right = parse_and(p);

		left = right < 0 ? right : add_node(p, (struct condition_node){ OR, left, right });
	}
	return left;
}

int where__new(struct condition **ret, const char *text, uint32_t streams, char why[WHERE_WHY_MAX])
{
	struct condition *w = calloc(1, sizeof(*w));
	struct parser p = { .where = w, .at = text, .streams = streams, .why = why };

	if (!w)
		return -ENOMEM;
	*why = '\0';
	w->root = parse_or(&p);
	skip_blanks(&p);
	if (w->root >= 0 && *p.at)
		w->root = fail_parse(&p, "'and' or 'or' expected");
	if (w->root < 0) {
		where__free(w);
		return -EINVAL;
	}
	*ret = w;
	return 0;
}

struct condition *where__free(struct condition *w)
{
	for (int i = 0; w && i < w->n; i++)
		free(w->nodes[i].text);
	free(w);
	return NULL;
}

/* ---- rows ---- */

/* Whether a number can be compared as text: sign and digits without leading zeroes. */
static int compare_whole(const char *a, size_t a_len, const char *b, size_t b_len)
{
	bool negative = *a == '-';
	int order;

	if (negative != (*b == '-'))
		return negative ? -1 : 1;
	order = a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
	return negative ? -order : order;
}

static bool is_whole(const char *s, size_t len)
{
	size_t i = len && *s == '-', digits = i;

	while (digits < len && isdigit((unsigned char)s[digits]))
		digits++;
	return digits == len && digits > i;
}

/* Compares numbers as numbers, everything else as text. */
static int compare_field(const struct column *column, const struct row_field *f,
			 const struct condition_node *n)
{
	char text[64] = "";
	double a, b;
	int order;

	if (!schema__is_number(column->type) && column->type != COL_MONO) {
		order = memcmp(f->s, n->text, f->len < n->len ? f->len : n->len);
		return order ? order : f->len < n->len ? -1 : f->len > n->len;
	}
	if (is_whole(f->s, f->len) && is_whole(n->text, n->len))
		return compare_whole(f->s, f->len, n->text, n->len);
	memcpy(text, f->s, f->len < sizeof(text) - 1 ? f->len : sizeof(text) - 1);
	a = atof(text);
	b = atof(n->text);
	return a < b ? -1 : a > b;
}

/* % is any text, _ any byte. */
static bool like(const char *s, size_t len, const char *pattern)
{
	const char *star = NULL, *back = NULL, *end = s + len;

	while (s < end) {
		if (*pattern == '%') {
			star = ++pattern;
			back = s;
		} else if (*pattern == '_' || (*pattern && *pattern == *s)) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++back;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "%")] == '\0';
}

static bool meets_comparison(const struct condition_node *n, const struct export_row *row)
{
	int column = n->columns[row->stream], order;
	const struct row_field *f;

	if (column < 0 || !row->fields[column].len)
		return false;
	f = &row->fields[column];
	if (n->kind == LIKE)
		return like(f->s, f->len, n->text);
	order = compare_field(&schema_streams[row->stream].columns[column], f, n);
	switch (n->kind) {
	case EQUAL:
		return !order;
	case UNEQUAL:
		return order;
	case LESS:
		return order < 0;
	case AT_MOST:
		return order <= 0;
	case MORE:
		return order > 0;
	default:
		return order >= 0;
	}
}

bool where__meets(const struct condition *w, const struct export_row *row)
{
	bool met[NODES_MAX];

	for (int i = 0; i < w->n; i++) {
		const struct condition_node *n = &w->nodes[i];

		met[i] = n->kind == AND ? met[n->left] && met[n->right] :
			 n->kind == OR  ? met[n->left] || met[n->right] :
			 n->kind == NOT ? !met[n->left] :
					  meets_comparison(n, row);
	}
	return met[w->root];
}
