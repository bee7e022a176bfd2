// SPDX-License-Identifier: GPL-2.0-or-later
/* The floor: traces pread64 with the same hooks as iotrc and discards every record. Prints 'ready'
 * when the programs are attached; on SIGINT it prints 'rows N lost M' and ends. With the name of a
 * tracepoint as its argument, it only attaches a program that does nothing to that tracepoint. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include <bpf/libbpf.h>

#include "floor.h"
#include "floor.skel.h"

#define POLL_NS 2000000

static volatile sig_atomic_t stop;
static unsigned long long rows;

static void on_signal(int sig)
{
	stop = sig;
}

static int on_record(void *arg, void *data, size_t size)
{
	(void)arg, (void)data, (void)size;
	rows++;
	return 0;
}

/* Attaches only the program that does nothing, to EVENT. */
static int choose_nothing(struct floor *skel, const char *event)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.on_nothing);
	return bpf_program__set_attach_target(skel->progs.on_nothing, 0, event);
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct ring_buffer *rb;
	struct floor *skel;
	int err = 0;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	skel = floor__open();
	if (!skel)
		return 1;
	skel->rodata->traced_nr = SYS_pread64;
	if (argc > 1)
		err = choose_nothing(skel, argv[1]);
	if (!err)
		err = floor__load(skel);
	if (!err)
		err = floor__attach(skel);
	if (err) {
		fprintf(stderr, "floor: can't load or attach: %s\n", strerror(-err));
		return 1;
	}
	rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_record, NULL, NULL);
	if (!rb) {
		fprintf(stderr, "floor: no ring buffer: %s\n", strerror(errno));
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	puts("ready");
	fflush(stdout);
	while (!stop) {
		nanosleep(&pause, NULL);
		ring_buffer__consume(rb);
	}
	ring_buffer__consume(rb);
	printf("rows %llu lost %llu\n", rows, (unsigned long long)skel->bss->lost);
	ring_buffer__free(rb);
	floor__destroy(skel);
	return 0;
}
