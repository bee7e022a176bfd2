// SPDX-License-Identifier: GPL-2.0-or-later
/* Kept records are read back unchanged; any other file does no harm. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/keep.h"
#include "engine/kept.h"
#include "platform/macros.h"

#define RECORDS_MAX 64

/* The calls of a sink: 'd', 'e' or 'c' for each, and their bytes. */
struct seen {
	char kinds[RECORDS_MAX + 1];
	size_t n, len;
	unsigned char bytes[64 * 1024];
};

static void note(struct seen *s, char kind, const void *record, size_t size)
{
	cr_assert_lt(s->n, RECORDS_MAX);
	cr_assert_eq((uintptr_t)record % 8, 0, "records begin on 8 bytes");
	s->kinds[s->n++] = kind;
	s->kinds[s->n] = 0;
	cr_assert_leq(s->len + size, sizeof(s->bytes));
	memcpy(s->bytes + s->len, record, size);
	s->len += size;
}

static void on_definition(void *arg, const void *record, size_t size)
{
	note(arg, 'd', record, size);
}

static void on_event(void *arg, const void *record, size_t size)
{
	note(arg, 'e', record, size);
}

static void on_clock(void *arg, uint64_t mono_ns, int64_t offset_ns)
{
	uint64_t both[] = { mono_ns, offset_ns };

	note(arg, 'c', both, sizeof(both));
}

static struct sink sink_of(struct seen *s)
{
	return (struct sink){
		.define = on_definition, .event = on_event, .clock = on_clock, .arg = s
	};
}

static char file[] = "/tmp/iotrc-test-XXXXXX";
static struct seen made, read_back;
static struct selection selection = { .streams = 1u << STREAM_FS | 1u << STREAM_BLOCK };

static void setup(void)
{
	int fd = mkstemp(file);

	cr_assert_geq(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(file);
}

static void define_path(const struct sink *to, uint64_t id, const char *path)
{
	_Alignas(8) char buf[256] = { 0 };
	struct rec_path *r = (struct rec_path *)buf;

	r->type = REC_PATH;
	r->id = id;
	r->len = strlen(path);
	strcpy(r->path, path);
	to->define(to->arg, r, sizeof(*r) + r->len);
}

static void define_task(const struct sink *to, uint64_t id)
{
	struct rec_task r = { .type = REC_TASK, .id = id, .pid = 7, .tid = 7, .comm = "sh" };

	to->define(to->arg, &r, sizeof(r));
}

static void use(const struct sink *to, uint64_t task, uint64_t path)
{
	struct rec_fs r = { .type = REC_FS, .op = FS_READ, .task = task, .path = path, .ns = 5 };

	to->event(to->arg, &r, sizeof(r));
}

/* d d e d e e, and the clock first. */
static void keep_some(void)
{
	struct sink own = sink_of(&made);
	struct reqnames names = { .ops[0] = "READ" };
	struct rec_block block = { .type = REC_BLOCK, .task = 1, .sector = 8 };
	const struct sink *to;
	struct clock *clock;
	struct keep *k;

	cr_assert_eq(clock__new(&clock), 0);
	cr_assert_eq(keep__new(&k, file, -1, -1, &names), 0);
	to = keep__sink(k, &own);
	keep__clock(k, clock);
	define_task(to, 1);
	define_path(to, 2, "/a/b");
	use(to, 1, 2);
	define_path(to, 3, "/odd");
	use(to, 1, 3);
	to->event(to->arg, &block, sizeof(block));
	cr_assert_eq(keep__close(k), 0);
	keep__free(k);
	clock__free(clock);
	cr_assert_str_eq(made.kinds, "ddedee");
}

static struct engine *open_file(char *problem)
{
	struct engine_config config = { .selection = &selection, .file = file };
	struct engine *e = NULL;
	int err = engine__open(&e, &engine_replay, &config, problem);

	cr_assert_eq(!err, !!e);
	return e;
}

static void drain_all(struct engine *e)
{
	struct sink to = sink_of(&read_back);

	while (!engine__ended(e)) {
		engine__mark(e);
		engine__drain(e, &to);
	}
}

Test(replay, gives_back_what_was_kept, .init = setup, .fini = teardown)
{
	struct engine_counts n;
	struct engine *e;
	char problem[ENGINE_PROBLEM_MAX] = "";

	keep_some();
	e = open_file(problem);
	cr_assert(e, "%s", problem);
	cr_expect(!engine__warning(e));
	cr_expect_str_eq(engine__request_names(e)->ops[0], "READ");
	drain_all(e);
	cr_assert_str_eq(read_back.kinds, "cddedee");
	cr_expect_eq(read_back.len, 16 + made.len);
	cr_expect(!memcmp(read_back.bytes + 16, made.bytes, made.len));
	engine__counts(e, STREAM_FS, &n);
	cr_expect_eq(n.seen, 2);
	engine__counts(e, STREAM_BLOCK, &n);
	cr_expect_eq(n.seen, 1);
	engine__free(e);
}

Test(replay, leaves_out_streams_that_are_not_selected, .init = setup, .fini = teardown)
{
	struct engine *e;
	char problem[ENGINE_PROBLEM_MAX];

	keep_some();
	selection.streams = 1u << STREAM_FS;
	e = open_file(problem);
	drain_all(e);
	cr_expect_str_eq(read_back.kinds, "cddede");
	engine__free(e);
}

/* Counts only; "e" after "d" shows the order. */
struct count {
	unsigned int definitions, events, definitions_after_an_event;
};

static void count_definition(void *arg, const void *record, size_t size)
{
	struct count *c = arg;

	c->definitions++;
	c->definitions_after_an_event += c->events > 0;
}

static void count_event(void *arg, const void *record, size_t size)
{
	((struct count *)arg)->events++;
}

static void count_clock(void *arg, uint64_t mono_ns, int64_t offset_ns)
{
}

static struct count drain_marked(struct engine *e)
{
	struct count n = { 0 };
	struct sink to = {
		.define = count_definition, .event = count_event, .clock = count_clock, .arg = &n
	};

	engine__mark(e);
	engine__drain(e, &to);
	return n;
}

#define MANY 5000 /* several batches */

Test(replay, sends_what_is_forgotten_again, .init = setup, .fini = teardown)
{
	struct count ignored, n;
	struct sink own = { .define = count_definition,
			    .event = count_event,
			    .clock = count_clock,
			    .arg = &ignored };
	const struct sink *to;
	char problem[ENGINE_PROBLEM_MAX];
	struct engine *e;
	struct keep *k;

	cr_assert_eq(keep__new(&k, file, -1, -1, NULL), 0);
	to = keep__sink(k, &own);
	define_task(to, 1);
	define_path(to, 2, "/a/b");
	define_path(to, 3, "/unused");
	for (int i = 0; i < MANY; i++)
		use(to, 1, 2);
	cr_assert_eq(keep__close(k), 0);
	keep__free(k);

	e = open_file(problem);
	n = drain_marked(e);
	cr_assert(n.definitions == 3 && n.events && n.events < MANY);
	n = drain_marked(e);
	cr_assert(!n.definitions && n.events, "nothing was forgotten");
	for (int i = 0; i < 2; i++) {
		engine__forget(e);
		n = drain_marked(e);
		cr_expect_eq(n.definitions, 2, "of those that are used");
		cr_expect_eq(n.definitions_after_an_event, 0);
		cr_expect_gt(n.events, 0);
	}
	engine__free(e);
}

/* ---- files that are not records ---- */

static char *slurp_file(size_t *ret_size)
{
	FILE *f = fopen(file, "r");
	char *data = malloc(1 << 20);

	*ret_size = fread(data, 1, 1 << 20, f);
	fclose(f);
	return data;
}

static void write_file(const char *data, size_t size)
{
	FILE *f = fopen(file, "w");

	cr_assert_eq(fwrite(data, 1, size, f), size);
	fclose(f);
}

static void take(struct engine *e)
{
	while (!engine__ended(e))
		drain_marked(e);
	engine__free(e);
}

Test(replay, a_file_that_is_cut_short, .init = setup, .fini = teardown)
{
	char problem[ENGINE_PROBLEM_MAX], *data;
	size_t size;

	keep_some();
	data = slurp_file(&size);
	for (size_t cut = size - 1; cut > sizeof(struct kept_head); cut--) {
		struct engine *e;

		write_file(data, cut);
		e = open_file(problem);
		cr_assert(e, "%s", problem);
		read_back.n = read_back.len = 0;
		drain_all(e);
		cr_expect(!strncmp("cddedee", read_back.kinds, read_back.n) && read_back.n < 7);
		engine__free(e);
	}
	for (size_t cut = 0; cut < sizeof(struct kept_head); cut += 61) {
		write_file(data, cut);
		cr_expect(!open_file(problem), "%zu", cut);
	}
	free(data);
}

Test(replay, other_heads_are_refused, .init = setup, .fini = teardown)
{
	char problem[ENGINE_PROBLEM_MAX], *data;
	struct kept_head *head;
	size_t size;

	keep_some();
	data = slurp_file(&size);
	head = (struct kept_head *)data;
	head->order = __builtin_bswap32(head->order);
	write_file(data, size);
	cr_expect(!open_file(problem));
	cr_expect(strstr(problem, "another kind of machine"), "%s", problem);
	head->order = KEPT_ORDER;
	head->sizes[REC_FS] += 8;
	write_file(data, size);
	cr_expect(!open_file(problem));
	head->sizes[REC_FS] -= 8;
	head->version++;
	write_file(data, size);
	cr_expect(!open_file(problem));
	head->version--;
	strcpy(head->names.flags[3], "A,\n");
	write_file(data, size);
	cr_expect(!open_file(problem), "a name that no row may have");
	memset(head->names.flags[3], 'A', sizeof(head->names.flags[3]));
	write_file(data, size);
	cr_expect(!open_file(problem), "a name without an end");
	memset(head->names.flags[3], 0, sizeof(head->names.flags[3]));
	write_file(data, size);
	take(open_file(problem));
	free(data);
}

Test(replay, entries_that_lie, .init = setup, .fini = teardown)
{
	static const uint32_t lies[] = { 0,         1,     15,        16,
					 65536,     65537, INT32_MAX, UINT32_MAX - 7,
					 UINT32_MAX };
	char problem[ENGINE_PROBLEM_MAX], *data;
	size_t size;

	keep_some();
	data = slurp_file(&size);
	for (size_t at = sizeof(struct kept_head); at < size; at += 4)
		for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
			uint32_t was;

			memcpy(&was, data + at, 4);
			memcpy(data + at, &lies[i], 4);
			write_file(data, size);
			take(open_file(problem));
			memcpy(data + at, &was, 4);
		}
	free(data);
}

Test(replay, what_is_no_file)
{
	struct engine_config config = { .selection = &selection, .file = "/dev/zero" };
	char problem[ENGINE_PROBLEM_MAX];
	struct engine *e;

	cr_expect_lt(engine__open(&e, &engine_replay, &config, problem), 0);
	config.file = "/nowhere/at/all";
	cr_expect_eq(engine__open(&e, &engine_replay, &config, problem), -ENOENT);
	cr_expect(strstr(problem, "/nowhere/at/all"), "%s", problem);
}

Test(replay, a_full_disk_is_reported)
{
	struct sink own = sink_of(&made);
	struct keep *k;

	cr_assert_eq(keep__new(&k, "/dev/full", -1, -1, NULL), 0);
	define_task(keep__sink(k, &own), 1);
	cr_expect_eq(keep__close(k), -ENOSPC);
	keep__free(k);
	cr_expect_str_eq(made.kinds, "d", "and the row is made all the same");
}

Test(engine, each_has_a_name_of_its_own)
{
	for (size_t i = 0; engines[i]; i++)
		cr_expect_eq(engine__find(engines[i]->name), engines[i]);
	cr_expect(!engine__find("none"));
}
