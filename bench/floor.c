// SPDX-License-Identifier: GPL-2.0-or-later
/* floor [all | nothing EVENT]: traces pread64, or all calls that a recorder of files has to know,
 * with the same hooks as iotrc, and discards every record. Prints 'ready' when the programs are
 * attached; on SIGINT it prints 'rows N lost M' and ends. With `nothing` it only attaches a program
 * that does nothing to the tracepoint EVENT. */
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

/* clang-format off */
/* What iotrc records by default, without processes, mounts and locks: the calls that 64-bit
 * architectures share, and the older ones of x86-64. */
static const short all_calls[] = {
	SYS_read, SYS_pread64, SYS_readv, SYS_preadv, SYS_preadv2, SYS_write, SYS_pwrite64,
	SYS_writev, SYS_pwritev, SYS_pwritev2, SYS_openat, SYS_openat2, SYS_close, SYS_close_range,
	SYS_dup3, SYS_newfstatat, SYS_fstat, SYS_statx, SYS_faccessat, SYS_faccessat2,
	SYS_readlinkat, SYS_getdents64, SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_sync,
	SYS_syncfs, SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_fadvise64, SYS_readahead,
	SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_linkat, SYS_symlinkat, SYS_mkdirat,
	SYS_mknodat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_mmap,
	SYS_munmap, SYS_msync, SYS_madvise, SYS_mremap, SYS_sendfile, SYS_copy_file_range,
	SYS_splice, SYS_tee, SYS_vmsplice, SYS_flock, SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr,
	SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_listxattr, SYS_llistxattr, SYS_flistxattr,
	SYS_removexattr, SYS_chdir, SYS_fchdir, SYS_socket, SYS_bind, SYS_listen, SYS_connect,
	SYS_accept, SYS_accept4, SYS_shutdown,
#ifdef __x86_64__
	SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_getdents,
	SYS_rename, SYS_unlink, SYS_link, SYS_symlink, SYS_mkdir, SYS_rmdir, SYS_mknod, SYS_chmod,
	SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_dup2,
#endif
};
/* clang-format on */

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

static void trace_call(struct floor *skel, int nr)
{
	skel->rodata->traced[nr / 64] |= 1ULL << (nr % 64);
}

/* Takes the program's arguments. Returns a negative errno. */
static int choose(struct floor *skel, int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "nothing"))
		return choose_nothing(skel, argv[2]);
	if (argc == 1) {
		trace_call(skel, SYS_pread64);
		return 0;
	}
	if (argc != 2 || strcmp(argv[1], "all"))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(all_calls) / sizeof(*all_calls); i++)
		trace_call(skel, all_calls[i]);
	return 0;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct ring_buffer *rb;
	struct floor *skel;
	int err;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	skel = floor__open();
	if (!skel)
		return 1;
	err = choose(skel, argc, argv);
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
