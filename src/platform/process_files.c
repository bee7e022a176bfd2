// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/process_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

/* Calls TELL with each entry of DIR whose name is a number. */
static void each_number(const char *dir, void (*tell)(void *arg, int number), void *arg)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (*entry->d_name >= '0' && *entry->d_name <= '9')
			tell(arg, atoi(entry->d_name));
	if (d)
		closedir(d);
}

void process_files__processes(void (*tell)(void *arg, pid_t pid), void *arg)
{
	each_number("/proc", tell, arg);
}

static int read_link(const char *link, char ret[PROCESS_PATH_SIZE])
{
	ssize_t n = readlink(link, ret, PROCESS_PATH_SIZE - 1);

	if (n < 0)
		return -errno;
	ret[n] = 0;
	return n == PROCESS_PATH_SIZE - 1 || *ret != '/' ? -ENAMETOOLONG : 0;
}

struct list {
	pid_t pid;
	void (*tell)(void *arg, int fd, bool closes, const char *path);
	void *arg;
};

/* "flags:" in /proc/PID/fdinfo/FD includes the descriptor's own flags. */
static bool is_closed_by_exec(pid_t pid, int fd)
{
	char name[64], line[64];
	unsigned int flags = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/fdinfo/%d", (int)pid, fd);
	f = fopen(name, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	if (f)
		fclose(f);
	return flags & O_CLOEXEC;
}

static void on_descriptor(void *arg, int fd)
{
	const struct list *l = arg;
	char link[64], path[PROCESS_PATH_SIZE];

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)l->pid, fd);
	if (!read_link(link, path))
		l->tell(l->arg, fd, is_closed_by_exec(l->pid, fd), path);
}

void process_files__list(pid_t pid, void (*tell)(void *arg, int fd, bool closes, const char *path),
			 void *arg)
{
	struct list l = { pid, tell, arg };
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	each_number(dir, on_descriptor, &l);
}

int process_files__cwd(pid_t pid, char ret[PROCESS_PATH_SIZE])
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
	return read_link(link, ret);
}

static ssize_t read_file(pid_t pid, const char *file, char *ret, size_t size, bool *ret_cut)
{
	char name[64], more;
	size_t n = 0;
	ssize_t got;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/%s", (int)pid, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((got = read(fd, ret + n, size - n)) > 0)
		n += (size_t)got;
	*ret_cut = n == size && read(fd, &more, 1) > 0;
	close(fd);
	return got < 0 ? -EIO : (ssize_t)n;
}

ssize_t process_files__arguments(pid_t pid, char *ret, size_t size, bool *ret_cut)
{
	return read_file(pid, "cmdline", ret, size, ret_cut);
}

ssize_t process_files__environment(pid_t pid, char *ret, size_t size)
{
	bool cut;

	return read_file(pid, "environ", ret, size, &cut);
}

int process_files__program(pid_t pid, char ret[PROCESS_PROGRAM_SIZE])
{
	bool cut;
	ssize_t n = read_file(pid, "comm", ret, PROCESS_PROGRAM_SIZE - 1, &cut);

	if (n < 0)
		return (int)n;
	ret[n] = 0;
	ret[strcspn(ret, "\n")] = 0;
	return 0;
}

struct threads {
	pid_t pid;
	void (*tell)(void *arg, pid_t pid, uint64_t thread);
	void *arg;
};

static void on_thread(void *arg, int number)
{
	const struct threads *t = arg;

	t->tell(t->arg, t->pid, (uint64_t)number);
}

void process_files__threads(pid_t pid, void (*tell)(void *arg, pid_t pid, uint64_t thread),
			    void *arg)
{
	struct threads t = { pid, tell, arg };
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/%d/task", (int)pid);
	each_number(dir, on_thread, &t);
}

pid_t process_files__parent(pid_t pid)
{
	char name[64], line[128];
	int parent = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
	f = fopen(name, "re");
	while (f && !parent && fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &parent) != 1)
			parent = 0;
	if (f)
		fclose(f);
	return parent;
}

#else
#include <libproc.h>
#include <sys/proc_info.h>
#include <sys/sysctl.h>

#define PROCESSES_MAX (1 << 16)
#define DESCRIPTORS_MAX (1 << 16)

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The kernel lists the youngest first. */
void process_files__processes(void (*tell)(void *arg, pid_t pid), void *arg)
{
	pid_t *pids = calloc(PROCESSES_MAX, sizeof(*pids));
	int bytes =
		pids ? proc_listpids(PROC_ALL_PIDS, 0, pids, (int)(PROCESSES_MAX * sizeof(*pids))) :
		       0;

	if (bytes > 0)
		qsort(pids, (size_t)bytes / sizeof(*pids), sizeof(*pids), by_pid);
	for (int i = 0; i < bytes / (int)sizeof(*pids); i++)
		if (pids[i] > 0)
			tell(arg, pids[i]);
	free(pids);
}

void process_files__list(pid_t pid, void (*tell)(void *arg, int fd, bool closes, const char *path),
			 void *arg)
{
	int capacity = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, NULL, 0), bytes;
	struct proc_fdinfo *fds = capacity > 0 && capacity <= DESCRIPTORS_MAX * (int)sizeof(*fds) ?
					  malloc(capacity) :
					  NULL;

	bytes = fds ? proc_pidinfo(pid, PROC_PIDLISTFDS, 0, fds, capacity) : 0;
	for (int i = 0; i < bytes / (int)sizeof(*fds); i++) {
		struct vnode_fdinfowithpath info;

		if (fds[i].proc_fdtype != PROX_FDTYPE_VNODE ||
		    proc_pidfdinfo(pid, fds[i].proc_fd, PROC_PIDFDVNODEPATHINFO, &info,
				   sizeof(info)) < (int)sizeof(info))
			continue;
		info.pvip.vip_path[sizeof(info.pvip.vip_path) - 1] = 0;
		if (*info.pvip.vip_path == '/')
			tell(arg, fds[i].proc_fd, info.pfi.fi_status & PROC_FP_CLEXEC,
			     info.pvip.vip_path);
	}
	free(fds);
}

int process_files__cwd(pid_t pid, char ret[PROCESS_PATH_SIZE])
{
	struct proc_vnodepathinfo info;

	if (proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &info, sizeof(info)) < (int)sizeof(info))
		return -errno;
	info.pvi_cdir.vip_path[sizeof(info.pvi_cdir.vip_path) - 1] = 0;
	snprintf(ret, PROCESS_PATH_SIZE, "%s", info.pvi_cdir.vip_path);
	return *ret == '/' ? 0 : -ENOENT;
}

/* KERN_PROCARGS2 (sysctl(3)): the number of arguments, the program's path, NULs, the arguments, the
 * environment. */
struct strings {
	char all[1 << 20]; /* KERN_ARGMAX */
	size_t n, at;      /* of the first argument */
	int argc;
};

static int read_strings(pid_t pid, struct strings *ret)
{
	int name[] = { CTL_KERN, KERN_PROCARGS2, pid };

	ret->n = sizeof(ret->all);
	if (sysctl(name, 3, ret->all, &ret->n, NULL, 0))
		return -errno;
	ret->at = sizeof(ret->argc);
	if (ret->n <= ret->at)
		return -EIO;
	memcpy(&ret->argc, ret->all, sizeof(ret->argc));
	while (ret->at < ret->n && ret->all[ret->at])
		ret->at++;
	while (ret->at < ret->n && !ret->all[ret->at])
		ret->at++;
	return 0;
}

ssize_t process_files__arguments(pid_t pid, char *ret, size_t size, bool *ret_cut)
{
	static struct strings s; /* of the thread that begins the recording, then the reader's */
	int err = read_strings(pid, &s);
	size_t len = 0;

	if (err)
		return err;
	*ret_cut = false;
	for (; s.argc > 0 && s.at < s.n; s.at++) {
		*ret_cut = len == size;
		if (*ret_cut)
			break;
		ret[len++] = s.all[s.at];
		s.argc -= !s.all[s.at];
	}
	return (ssize_t)len;
}

/* The kernel leaves it out for programs that System Integrity Protection protects. An empty string
 * ends it; what follows are the kernel's own ("executable_path="). */
ssize_t process_files__environment(pid_t pid, char *ret, size_t size)
{
	struct strings *s = malloc(sizeof(*s));
	int err = s ? read_strings(pid, s) : -ENOMEM;
	size_t len = 0;

	if (err) {
		free(s);
		return err;
	}
	for (; s->argc > 0 && s->at < s->n; s->at++)
		s->argc -= !s->all[s->at];
	while (s->at < s->n && s->all[s->at]) {
		size_t one = strnlen(s->all + s->at, s->n - s->at);

		if (one == s->n - s->at || one + 1 > size - len)
			break;
		memcpy(ret + len, s->all + s->at, one + 1);
		len += one + 1;
		s->at += one + 1;
	}
	free(s);
	return (ssize_t)len;
}

static bool read_info(pid_t pid, struct proc_bsdinfo *ret)
{
	return proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, ret, sizeof(*ret)) == (int)sizeof(*ret);
}

int process_files__program(pid_t pid, char ret[PROCESS_PROGRAM_SIZE])
{
	struct proc_bsdinfo info;

	if (!read_info(pid, &info))
		return -ESRCH;
	snprintf(ret, PROCESS_PROGRAM_SIZE, "%.*s", (int)sizeof(info.pbi_comm), info.pbi_comm);
	return 0;
}

/* xnu, bsd/sys/proc_info.h; not in every SDK. */
#ifndef PROC_PIDLISTTHREADIDS
#define PROC_PIDLISTTHREADIDS 28
#endif
#define THREADS_MAX 4096

void process_files__threads(pid_t pid, void (*tell)(void *arg, pid_t pid, uint64_t thread),
			    void *arg)
{
	uint64_t *ids = calloc(THREADS_MAX, sizeof(*ids));
	int bytes = ids ? proc_pidinfo(pid, PROC_PIDLISTTHREADIDS, 0, ids,
				       (int)(THREADS_MAX * sizeof(*ids))) :
			  0;

	for (int i = 0; i < bytes / (int)sizeof(*ids); i++)
		tell(arg, pid, ids[i]);
	free(ids);
}

pid_t process_files__parent(pid_t pid)
{
	struct proc_bsdinfo info;

	return read_info(pid, &info) ? (pid_t)info.pbi_ppid : 0;
}
#endif
