// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs the unit tests under ThreadSanitizer, in criterion's place: its runner wants memory at
 * addresses that the sanitizer keeps for itself ("Could not initialize inheritable arena"). Each
 * test is a process of its own, as there. The sanitizer's reports go to stderr, and make the test
 * fail. Closes with `N passed, N failed, N skipped`. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 300
#define SKIPPED 77

/* The section in which criterion's macros put tests (criterion/internal/test.h). */
extern struct criterion_test *tests_begin[] __asm__("__start_cr_tst"),
	*tests_end[] __asm__("__stop_cr_tst");
extern struct criterion_suite *suites_begin[] __asm__("__start_cr_sts"),
	*suites_end[] __asm__("__stop_cr_sts");

static const struct criterion_test *running;
static int failures;

static const struct criterion_suite *suite_of(const struct criterion_test *t)
{
	for (struct criterion_suite **s = suites_begin; s < suites_end; s++)
		if (*s && !strcmp((*s)->name, t->category))
			return *s;
	return NULL;
}

/* ---- functions that the tests call ---- */

void criterion_internal_test_setup(void)
{
	const struct criterion_suite *suite = suite_of(running);

	if (suite && suite->data->init)
		suite->data->init();
	if (running->data->init)
		running->data->init();
}

void criterion_internal_test_main(void (*fn)(void))
{
	fn();
}

void criterion_internal_test_teardown(void)
{
	const struct criterion_suite *suite = suite_of(running);

	if (running->data->fini)
		running->data->fini();
	if (suite && suite->data->fini)
		suite->data->fini();
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
	if (!stats->passed)
		fprintf(stderr, "%s:%u: %s\n", stats->file, stats->line, stats->message);
}

void criterion_continue_test(void)
{
	failures++;
}

void criterion_abort_test(void)
{
	_exit(1);
}

void criterion_skip_test(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(SKIPPED);
}

/* ---- */

/* Returns how the test ended, as wait() does. */
static int run(const struct criterion_test *t)
{
	pid_t child = fork();
	int status;

	if (child < 0) {
		perror("fork");
		return -1;
	}
	if (!child) {
		alarm(SECONDS);
		running = t;
		t->test();
		exit(failures > 0);
	}
	return waitpid(child, &status, 0) == child ? status : -1;
}

int main(void)
{
	size_t passed = 0, failed = 0, skipped = 0;

	for (struct criterion_test **t = tests_begin; t < tests_end; t++) {
		int status;

		if (!*t || (*t)->data->disabled)
			continue;
		status = run(*t);
		if (!status) {
			passed++;
		} else if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
			skipped++;
		} else {
			failed++;
			printf("FAILED  %s::%s\n", (*t)->category, (*t)->name);
		}
		fflush(stdout);
	}
	printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
	return failed > 0;
}
