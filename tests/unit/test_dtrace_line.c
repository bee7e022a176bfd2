// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <string.h>

#include "engine/macos/darwin.h"
#include "engine/macos/dtrace_line.h"
#include "engine/macos/dtrace_said.h"
#include "engine/macos/order.h"
#include "engine/macos/process_table.h"
#include "platform/macros.h"

static bool parse(struct call_line *l, char *buf, const char *text)
{
	strcpy(buf, text);
	return dtrace_line__parse(l, buf, strlen(buf));
}

Test(dtrace_line, numbers_and_texts)
{
	struct call_line l;
	char buf[256];

	cr_assert(parse(&l, buf,
			"rename 3 10 11 123456789012 77 -1 2 0 -100 18446744073709551615 "
			"5:/a\\n\\\"b\\0 4:\\303\\251 x\\0"));
	cr_assert_str_eq(l.name, "rename");
	cr_assert_eq(l.cpu, 3);
	cr_assert_eq(l.pid, 10);
	cr_assert_eq(l.tid, 11);
	cr_assert_eq(l.ns, 123456789012);
	cr_assert_eq(l.duration, 77);
	cr_assert_eq(l.ret, -1);
	cr_assert_eq(l.error, 2);
	cr_assert_eq(l.n_numbers, 3);
	cr_assert_eq(l.n[1], -100);
	cr_assert_eq(l.n[2], -1);
	cr_assert_eq(l.n_texts, 2);
	cr_assert(l.text[0].len == 5 && !memcmp(l.text[0].s, "/a\n\"b", 5));
	cr_assert(l.text[1].len == 4 && !memcmp(l.text[1].s, "\303\251 x", 4));
}

Test(dtrace_line, what_is_none)
{
	static const char *const bad[] = {
		"",
		"read",
		"read 1 2 3 4 5 6",
		"READ 1 2 3 4 5 6 7",
		"read -1 2 3 4 5 6 7",
		"read 1 4294967296 3 4 5 6 7",
		"read 1 2 3 4 5 6 7 ",
		"read 1 2 3 4 5 6 7 x",
		"read 1 2 3 4 5 6 7 3:ab",
		"read 1 2 3 4 5 6 7 2:abc",
		"read 1 2 3 4 5 6 7 1:\\0",
		"read 1 2 3 4 5 6 7 1:\\777",
		"read 1 2 3 4 5 6 7 1:\\",
		"read 1 2 3 4 5 6 7 1:\\z",
		"read 1 2 3 4 5 6 7 -1:",
		"read 1 2 3 4 5 6 7 1:a 1:b 1:c",
		"read 1 2 3 4 5 6 7 1:a 5",
		"read 1 2 3 4 5 6 7 1 2 3 4 5 6 7 8 9 10 11",
		"read 1 2 3 18446744073709551616 5 6 7",
	};
	struct call_line l;
	char buf[256];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_not(parse(&l, buf, bad[i]), "%s", bad[i]);
}

Test(dtrace_said, messages)
{
	struct dtrace_said said = dtrace_said__parse("dtrace: 17 drops on CPU 3");

	cr_assert(said.kind == DTRACE_SAID_DROPS && said.count == 17 && said.cpu == 3);
	said = dtrace_said__parse("dtrace: 5 dynamic variable drops with non-empty dirty list");
	cr_assert(said.kind == DTRACE_SAID_DROPS && said.count == 5 && said.cpu == -1);
	said = dtrace_said__parse(
		"dtrace: error on enabled probe ID 1 (ID 2: syscall::open:return): "
		"invalid address (0x0) in action #1 at DIF offset 24");
	cr_assert(said.kind == DTRACE_SAID_DROPS && said.count == 1);
	cr_assert_eq(dtrace_said__parse("dtrace: 5 probes matched").kind, DTRACE_SAID_OTHER);
	cr_assert_eq(dtrace_said__parse("").kind, DTRACE_SAID_OTHER);
	cr_assert_eq(
		dtrace_said__parse("dtrace: invalid probe specifier x: probe description x does "
				   "not match any probes. System Integrity Protection is on")
			.kind,
		DTRACE_SAID_SIP);
}

static void put(struct order *o, uint32_t cpu, uint64_t ns)
{
	struct call_line l = { .cpu = cpu, .ns = ns };

	cr_assert_eq(order__put(o, &l, "", 0), 0);
}

static uint64_t next(struct order *o, bool all)
{
	const struct call_line *l = order__next(o, all);

	return l ? l->ns : 0;
}

Test(dtrace_order, waits_for_each_cpu)
{
	struct order *o;

	cr_assert_eq(order__new(&o, 2), 0);
	order__restart(o, 100);
	put(o, 1, 300);
	put(o, 1, 400);
	cr_assert_eq(next(o, false), 0, "CPU 0 may still have earlier ones");
	put(o, 0, 200);
	cr_assert_eq(next(o, false), 200);
	cr_assert_eq(next(o, false), 0);
	order__beat(o, 0, 350);
	cr_assert_eq(next(o, false), 300);
	cr_assert_eq(next(o, false), 0);
	/* A CPU that is offline does not delay the others. */
	order__beat(o, 1, 5000000000);
	cr_assert_eq(next(o, false), 400);
	put(o, 0, 6000000000);
	put(o, 1, 5500000000);
	cr_assert_eq(next(o, true), 5500000000);
	cr_assert_eq(next(o, true), 6000000000);
	cr_assert_eq(order__count(o), 0);
	order__free(o);
}

Test(dtrace_processes, descriptors)
{
	struct process_table *t;
	struct process *p, *child;
	struct opened *o;

	cr_assert_eq(process_table__new(&t), 0);
	p = process_table__get(t, 7);
	for (int i = 40; i >= 0; i -= 2)
		cr_assert(process__open(t, p, i, i % 4 == 0, "/x", 2));
	process__dup(t, p, 40, 3, false);
	process__close(t, p, 40);
	cr_assert_null(process__opened(p, 40));
	cr_assert_not_null(process__opened(p, 3));
	child = process_table__fork(t, p, 8, NULL);
	process_table__rename(t, "/x", 2, "/longer", 7);
	cr_assert_str_eq(process__opened(child, 3)->path, "/longer");
	process__exec(t, child, 8);
	cr_assert_null(process__opened(child, 8));
	cr_assert_not_null(process__opened(child, 10));
	cr_assert_not_null(process__opened(p, 8));
	cr_assert_null(process__open(t, p, DESCRIPTOR_MAX, false, "/x", 2));
	cr_assert_null(process__open(t, p, -1, false, "/x", 2));
	o = process__open_socket(t, p, 5, true);
	cr_assert(o && o->is_socket);
	process_table__unlink(t, "/longer", 7);
	cr_assert(process__opened(child, 10)->deleted);
	process_table__free(t);
}

/* 65,536 processes. */
Test(dtrace_processes, more_than_fit)
{
	struct process_table *t;
	uint32_t n = 0;

	cr_assert_eq(process_table__new(&t), 0);
	while (process_table__get(t, n + 1))
		n++;
	cr_assert_eq(n, PROCESSES_MAX);
	cr_assert_null(process_table__find(t, n + 1));
	cr_assert_null(process_table__fork(t, process_table__find(t, 1), n + 1, NULL));
	cr_assert_not_null(process_table__get(t, n), "those that are there stay");
	process_table__remove(t, 7);
	cr_assert_not_null(process_table__fork(t, process_table__find(t, 1), n + 1, NULL));
	cr_assert_null(process_table__get(t, 7));
	process_table__free(t);
}

/* 1,048,576 descriptors. */
Test(dtrace_processes, more_descriptors_than_fit)
{
	struct process_table *t;
	struct process *p, *other, *child;
	int n = 1;

	cr_assert_eq(process_table__new(&t), 0);
	p = process_table__get(t, 1);
	other = process_table__get(t, 2);
	cr_assert(process__open(t, p, 0, false, "/x", 2));
	while (n < DESCRIPTOR_MAX && !process_table__left_out(t))
		process__dup(t, p, 0, n++, false);
	cr_assert_eq(n, DESCRIPTORS_MAX);
	cr_assert_eq(process_table__left_out(t), 0);
	cr_assert_null(process__open(t, other, 3, false, "/y", 2));
	cr_assert_null(process__opened(other, 3));
	cr_assert_eq(process_table__left_out(t), 1);
	child = process_table__fork(t, p, 3, NULL);
	cr_assert_eq(child->n_descriptors, 0);
	cr_assert_eq(process_table__left_out(t), 1 + (uint64_t)n);
	cr_assert_str_eq(process__opened(p, n - 1)->path, "/x", "those that are there stay");
	process__close(t, p, 5);
	cr_assert_not_null(process__open(t, other, 3, false, "/y", 2));
	process_table__rename(t, "/y", 2, "/z", 2);
	cr_assert_str_eq(process__opened(other, 3)->path, "/z");
	process_table__free(t);
}

/* 16,384 threads with a directory of their own. For one that does not fit, nothing is guessed. */
Test(dtrace_processes, more_thread_dirs_than_fit)
{
	struct process_table *t;
	struct process *p, *other;

	cr_assert_eq(process_table__new(&t), 0);
	p = process_table__get(t, 1);
	other = process_table__get(t, 2);
	process__set_cwd(p, "/p", 2);
	process__set_cwd(other, "/other", 6);
	for (uint32_t tid = 1; tid <= THREAD_DIRS_MAX; tid++)
		process__set_thread_dir(t, p, tid, "/own", 4);
	cr_assert_str_eq(process__cwd(p, THREAD_DIRS_MAX), "/own");
	cr_assert_str_eq(process__cwd(p, THREAD_DIRS_MAX + 1), "/p");
	process__set_thread_dir(t, other, 7, "/own", 4);
	cr_assert_null(process__cwd(other, 7));
	cr_assert_null(process__cwd(other, 8));
	process__set_thread_dir(t, p, 5, "/new", 4);
	cr_assert_str_eq(process__cwd(p, 5), "/new", "those that are there change");
	process__exec(t, other, 7);
	cr_assert_null(process__cwd(other, 7));
	cr_assert(other->not_queried);
	process__set_cwd(other, "/other", 6);
	process_table__remove(t, 1);
	process__set_thread_dir(t, other, 7, "/own", 4);
	cr_assert_str_eq(process__cwd(other, 7), "/own", "there is room again");
	cr_assert_str_eq(process__cwd(other, 8), "/other");
	process_table__free(t);
}

Test(dtrace_darwin, numbers)
{
	cr_assert_eq(darwin__errno(2), 2);
	cr_assert_eq(darwin__errno(35), 11);
	cr_assert_eq(darwin__errno(66), 39);
	cr_assert_eq(darwin__errno(9999), 5);
	cr_assert_eq(darwin__open_flags(0x601), 01 | 0100 | 01000);
	cr_assert_eq(darwin__family(30), 10);
	cr_assert_eq(darwin__map_flags(0x1002), 0x22);
}
