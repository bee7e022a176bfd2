// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/system_calls.h"

#include <errno.h>

#ifdef __linux__
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "platform/macros.h"

#define CALL(name) SCMP_SYS(name)

/* The calls of glibc and of our libraries: libcurl with its resolver and OpenSSL, libzstd, libbpf,
 * jansson. Calls that an architecture lacks are skipped. */
static const int allowed[] = {
	/* files */
	CALL(access),
	CALL(close),
	CALL(close_range),
	CALL(copy_file_range),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(fadvise64),
	CALL(fallocate),
	CALL(fchdir),
	CALL(fchmod),
	CALL(fchmodat),
	CALL(fchown),
	CALL(fchownat),
	CALL(fcntl),
	CALL(fdatasync),
	CALL(fgetxattr),
	CALL(flock),
	CALL(fstat),
	CALL(fstatfs),
	CALL(fsync),
	CALL(ftruncate),
	CALL(getcwd),
	CALL(getdents),
	CALL(getdents64),
	CALL(inotify_add_watch),
	CALL(lgetxattr),
	CALL(linkat),
	CALL(lseek),
	CALL(lstat),
	CALL(mkdir),
	CALL(mkdirat),
	CALL(newfstatat),
	CALL(open),
	CALL(openat),
	CALL(openat2),
	CALL(pipe),
	CALL(pipe2),
	CALL(pread64),
	CALL(preadv),
	CALL(pwrite64),
	CALL(pwritev),
	CALL(read),
	CALL(readahead),
	CALL(readlink),
	CALL(readlinkat),
	CALL(readv),
	CALL(rename),
	CALL(renameat),
	CALL(renameat2),
	CALL(rmdir),
	CALL(sendfile),
	CALL(stat),
	CALL(statfs),
	CALL(statx),
	CALL(sync_file_range),
	CALL(syncfs),
	CALL(umask),
	CALL(unlink),
	CALL(unlinkat),
	CALL(utimensat),
	CALL(write),
	CALL(writev),
	/* waiting */
	CALL(clock_getres),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_pwait),
	CALL(epoll_pwait2),
	CALL(epoll_wait),
	CALL(eventfd2),
	CALL(futex),
	CALL(gettimeofday),
	CALL(nanosleep),
	CALL(pause),
	CALL(poll),
	CALL(ppoll),
	CALL(pselect6),
	CALL(restart_syscall),
	CALL(select),
	CALL(time),
	CALL(timerfd_create),
	CALL(timerfd_gettime),
	CALL(timerfd_settime),
	/* memory */
	CALL(brk),
	CALL(get_mempolicy),
	CALL(madvise),
	CALL(membarrier),
	CALL(memfd_create),
	CALL(mincore),
	CALL(mlock),
	CALL(mlock2),
	CALL(mremap),
	CALL(msync),
	CALL(munlock),
	CALL(munmap),
	/* threads, and the end of this process */
	CALL(exit),
	CALL(exit_group),
	CALL(get_robust_list),
	CALL(rseq),
	CALL(rt_sigaction),
	CALL(rt_sigpending),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(rt_sigtimedwait),
	CALL(sched_get_priority_max),
	CALL(sched_get_priority_min),
	CALL(sched_getaffinity),
	CALL(sched_getattr),
	CALL(sched_getparam),
	CALL(sched_getscheduler),
	CALL(sched_setaffinity),
	CALL(sched_setattr),
	CALL(sched_setparam),
	CALL(sched_setscheduler),
	CALL(sched_yield),
	CALL(set_robust_list),
	CALL(set_tid_address),
	CALL(setpriority),
	CALL(getpriority),
	CALL(ioprio_get),
	CALL(ioprio_set),
	CALL(sigaltstack),
	CALL(tgkill),
	/* ids and names; fewer rights for some threads */
	CALL(capget),
	CALL(capset),
	CALL(getcpu),
	CALL(getegid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getgroups),
	CALL(getpid),
	CALL(getppid),
	CALL(getrandom),
	CALL(getresgid),
	CALL(getresuid),
	CALL(getrlimit),
	CALL(getrusage),
	CALL(gettid),
	CALL(getuid),
	CALL(landlock_restrict_self),
	CALL(prctl),
	CALL(prlimit64),
	CALL(setfsgid),
	CALL(setfsuid),
	CALL(setgroups),
	CALL(setresgid),
	CALL(setresuid),
	CALL(sysinfo),
	CALL(times),
	CALL(uname),
	/* sockets; socket() limits their families */
	CALL(accept4),
	CALL(bind),
	CALL(connect),
	CALL(getpeername),
	CALL(getsockname),
	CALL(getsockopt),
	CALL(recvfrom),
	CALL(recvmmsg),
	CALL(recvmsg),
	CALL(sendmmsg),
	CALL(sendmsg),
	CALL(sendto),
	CALL(setsockopt),
	CALL(shutdown),
};

/* iotrc uses none of these; a process that does has been taken over. */
static const int fatal[] = {
	CALL(execve),          CALL(execveat),   CALL(finit_module),      CALL(init_module),
	CALL(kexec_file_load), CALL(kexec_load), CALL(process_vm_writev), CALL(ptrace),
	CALL(userfaultfd),
};

/* Reading and changing maps. Attached programs stay attached; nothing else is loaded. */
static const uint32_t bpf_commands[] = {
	BPF_MAP_LOOKUP_ELEM,
	BPF_MAP_UPDATE_ELEM,
	BPF_MAP_DELETE_ELEM,
	BPF_MAP_GET_NEXT_KEY,
	BPF_MAP_LOOKUP_AND_DELETE_ELEM,
	BPF_MAP_LOOKUP_BATCH,
	BPF_MAP_LOOKUP_AND_DELETE_BATCH,
	BPF_OBJ_GET_INFO_BY_FD,
	BPF_PROG_TEST_RUN,
	BPF_LINK_DETACH,
	BPF_ITER_CREATE,
};

/* For terminals, sockets and perf events, and to copy by sharing blocks. */
static const uint32_t ioctls[] = {
	0x5401 /* TCGETS */,
	TIOCGWINSZ,
	FIONBIO,
	FIONREAD,
	0x2400 /* PERF_EVENT_IOC_ENABLE */,
	0x2401 /* PERF_EVENT_IOC_DISABLE */,
	0x40049409 /* FICLONE */,
};

/* Only address families for messages to the service manager and syslog, and for the list of
 * interfaces. */
static const uint32_t families[] = { AF_UNIX, AF_NETLINK, AF_INET, AF_INET6 };
#define LOCAL_FAMILIES 2

static int add_values(scmp_filter_ctx c, int call, unsigned int arg, const uint32_t *values,
		      size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, call, 1,
				       SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, values[i]));
	return err;
}

static int add_list(scmp_filter_ctx c, uint32_t action, const int *calls, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		if (calls[i] >= 0)
			err = seccomp_rule_add(c, action, calls[i], 0);
	return err;
}

/* No mapping is both writable and executable, and none becomes executable later. */
static int add_memory(scmp_filter_ctx c)
{
	int err = seccomp_rule_add(c, SCMP_ACT_ALLOW, CALL(mmap), 1,
				   SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, CALL(mmap), 1,
				       SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_WRITE, 0));
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, CALL(mprotect), 1,
				       SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

/* Threads, but no processes. A filter cannot read the flags of clone3(), which are in memory; if
 * clone3() is missing, glibc uses clone(). */
static int add_threads(scmp_filter_ctx c)
{
	int err = seccomp_rule_add(c, SCMP_ACT_ALLOW, CALL(clone), 1,
				   SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	return err ?: seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
}

static int add_rules(scmp_filter_ctx c, bool network)
{
	int err = add_list(c, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));

	if (!err)
		err = add_list(c, SCMP_ACT_KILL_PROCESS, fatal, ARRAY_SIZE(fatal));
	if (!err)
		err = add_values(c, CALL(bpf), 0, bpf_commands, ARRAY_SIZE(bpf_commands));
	if (!err)
		err = add_values(c, CALL(ioctl), 1, ioctls, ARRAY_SIZE(ioctls));
	if (!err)
		err = add_values(c, CALL(socket), 0, families,
				 network ? ARRAY_SIZE(families) : LOCAL_FAMILIES);
	if (!err)
		err = add_values(c, CALL(socketpair), 0, families, 1);
	if (!err)
		err = add_memory(c);
	return err ?: add_threads(c);
}

int system_calls__restrict(bool network)
{
	scmp_filter_ctx c = SANITIZED ? NULL : seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!c)
		return SANITIZED ? -EOPNOTSUPP : -ENOMEM;
	/* A binary tree, so that each call takes only about 10 more instructions. */
	seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_attr_set(c, SCMP_FLTATR_CTL_LOG, 1);
	seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);
	seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	err = add_rules(c, network);
	if (!err)
		err = seccomp_load(c);
	seccomp_release(c);
	return err;
}
#else
/* seccomp is Linux's. macOS' sandbox (sandbox_init(3)) does not filter system calls. */
int system_calls__restrict(bool network)
{
	return -ENOSYS;
}
#endif
