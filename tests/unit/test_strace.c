// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataset/memory.h"
#include "engine/engine.h"
#include "schema/fs_ops.h"
#include "schema/records.h"
#include "schema/selection.h"

#define GENERATIONS 100000

static unsigned int forks, gaps;

static void ignore(void *arg, const void *record, size_t size)
{
}

static void count(void *arg, const void *record, size_t size)
{
	forks += ((const struct rec_fs *)record)->op == FS_PROCESS_FORK;
}

static void note_gap(void *arg, const char *text)
{
	gaps++;
}

/* The lines of each process precede the end of the call that has created it: all wait for the
 * first one's, however many there are. */
Test(strace, generations_in_reverse, .timeout = 60)
{
	static const struct selection selection = { .streams = 1 << STREAM_FS, .ops = ALL_OPS };
	static const struct sink sink = { .define = ignore, .event = count };
	char path[] = "/tmp/iotrc-test-XXXXXX", problem[ENGINE_PROBLEM_MAX];
	struct engine_config config = { .selection = &selection, .file = path };
	FILE *f = fdopen(mkstemp(path), "w");
	struct engine *e;

	cr_assert(f);
	fputs("1000 1700000000.000000001 clone(flags=0x11 <unfinished ...>\n", f);
	for (int i = GENERATIONS; i > 0; i--)
		fprintf(f, "%d 1700000000.000000002 clone(flags=0x11) = %d <0.000000001>\n",
			1000 + i, 1001 + i);
	fputs("1000 1700000000.000000003 <... clone resumed>) = 1001 <0.000000002>\n", f);
	fclose(f);
	cr_assert_eq(engine__open(&e, &engine_strace, &config, problem), 0, "%s", problem);
	while (!engine__ended(e)) {
		engine__mark(e);
		engine__drain(e, &sink);
	}
	engine__gaps(e, note_gap, NULL);
	cr_expect_eq(forks, GENERATIONS + 1);
	cr_expect_eq(gaps, 1, "strace ended before the command did");
	engine__free(e);
	unlink(path);
}
