// SPDX-License-Identifier: GPL-2.0-or-later
/* rows RECORDS DIR: replays a file that --keep-records wrote and writes its rows to the empty
 * directory DIR, as a recorder does. Prints the number of rows, and the CPU time per row in ns (of
 * all threads, with compression). */
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/capture.h"
#include "platform/macros.h"

static uint64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * UINT64_C(1000);
}

static void on_ended(void *arg)
{
	sem_post(arg);
}

static int fail(const char *what)
{
	fprintf(stderr, "rows: %s\n", what);
	return 1;
}

/* Runs from the first record to the last byte of the last file. Returns 0, or prints a message and
 * returns 1. */
static int write_rows(struct engine *engine, const struct memory_plan *memory, int dir,
		      uint64_t *ret_rows)
{
	static const struct selection all = { .streams = (1u << STREAM_CAPTURED) - 1,
					      .ops = ALL_OPS };
	struct writer_config config = { .session_fd = dir,
					.rotate_age_s = 3600,
					.rotate_bytes = UINT64_MAX,
					.level = WRITER_LEVEL,
					.queue_chunks = memory->queue_chunks,
					.uid = -1,
					.gid = -1 };
	struct capture_setup setup = {
		.engine = engine,
		.encoder = { .selection = &all,
			     .memory = memory,
			     .request_names = engine__request_names(engine) },
		.ended = on_ended,
	};
	struct capture *capture;
	uint64_t faults[FAULTS];
	sem_t ended;

	sem_init(&ended, 0, 0);
	setup.arg = &ended;
	if (clock__new(&setup.encoder.clock) || writer__new(&setup.writer, &config) ||
	    capture__new(&capture, &setup))
		return fail("cannot start");
	sem_wait(&ended);
	capture__stop(capture);
	if (writer__close(setup.writer) || capture__faults(capture, faults))
		return fail("not all rows could be written");
	*ret_rows = 0;
	for (int s = 0; s < STREAM_COUNT; s++) {
		struct row_counts n;

		capture__counts(capture, s, &n);
		*ret_rows += n.written;
	}
	capture__free(capture);
	writer__free(setup.writer);
	clock__free(setup.encoder.clock);
	sem_destroy(&ended);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct selection all = { .streams = (1u << STREAM_CAPTURED) - 1,
					      .ops = ALL_OPS };
	struct memory_plan memory;
	struct engine_config config = { .selection = &all,
					.memory = &memory,
					.file = argc == 3 ? argv[1] : "" };
	int dir = argc == 3 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, code;
	char problem[ENGINE_PROBLEM_MAX];
	struct engine *engine;
	uint64_t rows, begun;

	if (dir < 0)
		return fail("RECORDS and DIR");
	memory__plan(&memory, 0, 1);
	if (engine__open(&engine, &engine_replay, &config, problem))
		return fail(problem);
	begun = cpu_ns();
	code = write_rows(engine, &memory, dir, &rows);
	if (!code)
		printf("%llu %.1f\n", (unsigned long long)rows,
		       (double)(cpu_ns() - begun) / (double)rows);
	engine__free(engine);
	close(dir);
	return code;
}
