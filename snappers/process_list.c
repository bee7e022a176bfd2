// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/process_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/macros.h"

#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>

int process_list__open(struct process_list *ret, const char *proc)
{
	ret->tick_ns = NSEC_PER_SEC / sysconf(_SC_CLK_TCK);
	ret->proc = open(proc ? proc : "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return ret->proc < 0 ? -errno : 0;
}

void process_list__close(struct process_list *l)
{
	close(l->proc);
}

/* The name can contain blanks and parentheses: it ends at the last ')' (proc(5)). */
static bool parse_stat(char *text, size_t len, struct process_facts *ret)
{
	char *open = memchr(text, '(', len), *close = memrchr(text, ')', len);
	unsigned long long field[25] = { 0 };
	int64_t pages;
	char *s;

	text[len] = 0;
	if (!open || !close || close < open || close[1] != ' ')
		return false;
	ret->pid = strtoul(text, NULL, 10);
	ret->name = open + 1;
	ret->name_len = close - open - 1;
	ret->state = close[2];
	s = close + 3;
	for (int i = 4; i <= 24; i++) { /* numbered as in proc(5) */
		char *end;

		field[i] = strtoull(s, &end, 10); /* strtoull also accepts a minus sign */
		if (end == s)
			return false;
		s = end;
	}
	ret->ticks = field[14] + field[15];
	ret->start = field[22];
	ret->virtual_kb = field[23] / 1024;
	pages = (int64_t)field[24];
	ret->resident_kb = pages > 0 ? pages * (sysconf(_SC_PAGESIZE) / 1024) : 0;
	return true;
}

static ssize_t read_file(int proc, const char *pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n = 0, got;
	int fd;

	snprintf(path, sizeof(path), "%.20s/%s", pid, name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buf + n, size - n);
		n += got > 0 ? got : 0;
	} while (got > 0 && (size_t)n < size && strcmp(name, "stat"));
	close(fd);
	return got < 0 ? -errno : n;
}

ssize_t process_list__arguments(const struct process_list *l, uint32_t pid, char *buf, size_t size)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", pid);
	return read_file(l->proc, name, "cmdline", buf, size);
}

int process_list__each(struct process_list *l,
		       int (*tell)(void *arg, const struct process_facts *facts), void *arg)
{
	char entries[16384], text[1024];
	struct process_facts facts;
	int err = 0;
	long n;

	if (lseek(l->proc, 0, SEEK_SET) < 0)
		return -errno;
	while (!err && (n = syscall(SYS_getdents64, l->proc, entries, sizeof(entries))) > 0)
		for (long i = 0; !err && i < n;) {
			struct dirent64 *d = (struct dirent64 *)(entries + i);
			ssize_t len = -1;

			i += d->d_reclen;
			if (*d->d_name >= '1' && *d->d_name <= '9')
				len = read_file(l->proc, d->d_name, "stat", text, sizeof(text) - 1);
			/* A process that has ended meanwhile has no text (ENOENT, ESRCH). */
			if (len > 0 && parse_stat(text, len, &facts))
				err = tell(arg, &facts);
		}
	return err;
}
#else
#include <libproc.h>
#include <mach/mach_time.h>
#include <stdio.h>
#include <sys/proc.h>
#include <time.h>

#include "platform/process_files.h"

#define TICK_NS (10 * NSEC_PER_MSEC)

int process_list__open(struct process_list *ret, const char *proc)
{
	*ret = (struct process_list){ -1, TICK_NS };
	return 0;
}

void process_list__close(struct process_list *l)
{
}

static int64_t ns_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * (int64_t)NSEC_PER_SEC + t.tv_nsec;
}

/* libproc reports CPU times in units of mach_absolute_time(). */
static uint64_t ticks_of(uint64_t units)
{
	static mach_timebase_info_data_t base;

	if (!base.denom)
		mach_timebase_info(&base);
	return (uint64_t)((double)units * base.numer / base.denom / TICK_NS);
}

/* Every process is "runnable"; its threads show whether it runs. */
static char state_of(const struct proc_taskallinfo *info)
{
	switch (info->pbsd.pbi_status) {
	case SZOMB:
		return 'Z';
	case SSTOP:
		return 'T';
	default:
		return info->ptinfo.pti_numrunning > 0 ? 'R' : 'S';
	}
}

struct list_pass {
	int (*tell)(void *arg, const struct process_facts *facts);
	void *arg;
	int64_t boot_ns; /* wall time of the boot */
	int err;
};

static void on_process(void *arg, pid_t pid)
{
	struct list_pass *p = arg;
	struct proc_taskallinfo info;
	const char *name;
	int64_t began;

	if (p->err ||
	    proc_pidinfo(pid, PROC_PIDTASKALLINFO, 0, &info, sizeof(info)) != (int)sizeof(info))
		return;
	name = *info.pbsd.pbi_name ? info.pbsd.pbi_name : info.pbsd.pbi_comm;
	began = (int64_t)(info.pbsd.pbi_start_tvsec * NSEC_PER_SEC +
			  info.pbsd.pbi_start_tvusec * 1000) -
		p->boot_ns;
	p->err = p->tell(p->arg, &(struct process_facts){
					 .pid = (uint32_t)pid,
					 .state = state_of(&info),
					 .name = name,
					 .name_len = strnlen(name, sizeof(info.pbsd.pbi_name)),
					 .start = began > 0 ? (uint64_t)began / TICK_NS : 0,
					 .ticks = ticks_of(info.ptinfo.pti_total_user +
							   info.ptinfo.pti_total_system),
					 .virtual_kb = info.ptinfo.pti_virtual_size / 1024,
					 .resident_kb = info.ptinfo.pti_resident_size / 1024,
				 });
}

/* CLOCK_MONOTONIC counts from the boot, time in sleep included (clock_gettime(3)). */
int process_list__each(struct process_list *l,
		       int (*tell)(void *arg, const struct process_facts *facts), void *arg)
{
	struct list_pass p = { tell, arg, ns_of(CLOCK_REALTIME) - ns_of(CLOCK_MONOTONIC), 0 };

	process_files__processes(on_process, &p);
	return p.err;
}

ssize_t process_list__arguments(const struct process_list *l, uint32_t pid, char *buf, size_t size)
{
	bool cut;

	return process_files__arguments((pid_t)pid, buf, size, &cut);
}
#endif
