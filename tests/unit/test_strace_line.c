// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines as strace 6.1 writes them with the options of strace__command(), interpreted by its manual
 * page. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/strace/line.h"
#include "platform/macros.h"

static struct line line_of(const char *text)
{
	struct line l;

	line__parse(&l, text, strlen(text));
	return l;
}

static struct line_call call_of(const char *body)
{
	struct line_call c;

	cr_assert(line__call(&c, (struct span){ body, strlen(body) }), "%s", body);
	return c;
}

static struct span span(const char *s)
{
	return (struct span){ s, strlen(s) };
}

Test(strace_line, call)
{
	struct line l =
		line_of("4915  1795944172.312795981 openat(-100<\\x2f>, \"\\x61\", 0x80000) = "
			"3<\\x2f\\x61> <0.000009324>");
	struct line_call c;
	char text[16];

	cr_assert_eq(l.kind, LINE_CALL);
	cr_assert_eq(l.tid, 4915);
	cr_assert_eq(l.ns, UINT64_C(1795944172312795981));
	cr_assert(line__call(&c, l.body));
	cr_assert(c.name.len == 6 && !memcmp(c.name.s, "openat", 6));
	cr_assert_eq(c.n_args, 3);
	cr_assert_eq(c.ret, 3);
	cr_assert_eq(c.duration, 9324);
	cr_assert_eq(line__bytes(c.file.path, text, sizeof(text)), 2);
	cr_assert(!memcmp(text, "/a", 2));
	cr_assert_eq(line__text(c.args[1], text, sizeof(text)), 1);
	cr_assert_eq(*text, 'a');
}

Test(strace_line, results)
{
	cr_assert_eq(call_of("unlink(\"\\x61\") = -1 ENOENT (No such file or directory) <0.1>").ret,
		     -ENOENT);
	cr_assert_eq(call_of("chdir(\"\\x61\")      = 0 <0.000008>").ret, 0);
	cr_assert_eq(call_of("mmap(NULL, 1, 0x3, 0x22, -1, 0) = 0x7f119346d000 <0.1>").ret,
		     0x7f119346d000);
	cr_assert(!call_of("read(0, ) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)")
			   .finished);
	/* In a pid namespace, the namespace's id comes first … */
	cr_assert_eq(call_of("fork() = 2 /* 17 in strace's PID NS */ <0.1>").ret, 17,
		     "but the id here is wanted");
}

Test(strace_line, events)
{
	struct line l = line_of("7 1.000000001 +++ exited with 3 +++");

	cr_assert_eq(l.kind, LINE_ENDED);
	cr_assert(WIFEXITED(l.status) && WEXITSTATUS(l.status) == 3);
	l = line_of("7 1.5 +++ killed by SIGSEGV (core dumped) +++");
	cr_assert(l.kind == LINE_ENDED && WTERMSIG(l.status) == SIGSEGV);
	l = line_of("7 1.5 +++ superseded by execve in pid 9 +++");
	cr_assert(l.kind == LINE_SUPERSEDED && l.other == 9);
	l = line_of("9 1.5 execve(\"\\x61\", [], 0x1 /* 0 vars */ <pid changed to 7 ...>");
	cr_assert(l.kind == LINE_MOVED && l.other == 7);
	l = line_of("7 1.5 vfork( <unfinished ...>");
	cr_assert(l.kind == LINE_UNFINISHED && l.body.len == 6);
	l = line_of("7 1.5 <... vfork resumed>) = 8 <0.1>");
	cr_assert(l.kind == LINE_RESUMED && l.name.len == 5 && l.body.len == 11);
	cr_assert_eq(line_of("7 1.5 --- SIGINT {si_signo=SIGINT} ---").kind, LINE_IGNORED);
}

Test(strace_line, nonsense)
{
	static const char *const texts[] = { "",
					     "7",
					     "7 ",
					     "7 1",
					     "7 1.",
					     "x 1.5 read(",
					     "0 1.5 read(",
					     "99999999999999999999 1.5 read(",
					     "7 99999999999999999999.5 read(",
					     "7 1.5 <... read",
					     "7 1.5 read( ...>" };
	static const char *const bodies[] = { "",           "(",           ")",      "read",
					      "read(",      "read) = 0",   "read()", "read() =",
					      "read() = x", "read() = 0xg" };
	struct line_call c;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		cr_assert_eq(line_of(texts[i]).kind, LINE_BAD, "%s", texts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		cr_assert(!line__call(&c, span(bodies[i])), "%s", bodies[i]);
}

Test(strace_line, arguments)
{
	struct line_file f;
	uint64_t n;
	char text[8];

	cr_assert(line__number(span("0x1200000|17"), &n) && n == (0x1200000 | 17));
	cr_assert(line__number(span("0644"), &n) && n == 0644);
	cr_assert(line__number(span("-100"), &n) && (int)n == -100);
	cr_assert(!line__number(span("NULL"), &n));
	cr_assert(line__file(span("3<\\x2f\\x61>(deleted)"), &f) && f.number == 3 && f.deleted &&
		  f.path.len == 8);
	cr_assert(line__file(span("-1"), &f) && f.number == -1 && !f.path.len);
	cr_assert_eq(line__text(span("\"\\x61\"..."), text, sizeof(text)), -1, "cut short");
	cr_assert_eq(line__text(span("\"\\xff\\x0a\""), text, sizeof(text)), 2);
	cr_assert_eq(line__text(span("\"\\xf\""), text, sizeof(text)), -1);
	cr_assert_eq(line__text(span("\"\\x61\\x61\""), text, 1), -1, "no room");
	n = 0;
	cr_assert(line__number(line__member(span("{flags=0x2, resolve=0x8}"), "resolve="), &n) &&
		  n == 8);
	cr_assert_eq(line__member(span("{sq_off={flags=1}}"), "xflags=").len, 0);
}
