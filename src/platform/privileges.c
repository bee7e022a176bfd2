// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/privileges.h"

#include <errno.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/capability.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "platform/macros.h"

#define CAP(name) (UINT64_C(1) << CAP_##name)
#define FIRST_USER_NAMESPACE 0xeffffffdU /* its inode: PROC_USER_INIT_INO of linux/proc_ns.h */

/* BPF and PERFMON are needed to load and attach; attached programs stay attached without them.
 * docs/privileges.md has the same table in words. */
static const struct {
	uint64_t cap;
	size_t use; /* the member of struct privileges_use that needs it */
} table[] = {
#define USE(member) offsetof(struct privileges_use, member)
	{ CAP(CHOWN), USE(gives_files) },        /* files are given to the user who called sudo */
	{ CAP(DAC_OVERRIDE), USE(gives_files) }, /* … and so are the directories of the next one */
	{ CAP(SETUID),
	  USE(gives_files) }, /* whose older sessions are recovered with their rights */
	{ CAP(SETGID), USE(gives_files) },
	{ CAP(DAC_READ_SEARCH), USE(reads_all_files) }, /* all directories are read */
	{ CAP(FOWNER), USE(reads_all_files) },          /* … with O_NOATIME */
	{ CAP(SYS_NICE), USE(in_background) }, /* threads of low priority are raised at the end */
	{ CAP(SYS_PTRACE), USE(reads_all_processes) }, /* /proc may be mounted with hidepid */
};

uint64_t privileges__needed(const struct privileges_use *use)
{
	uint64_t caps = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (*(const bool *)((const char *)use + table[i].use))
			caps |= table[i].cap;
	return caps;
}

int privileges__drop(uint64_t keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (syscall(SYS_capget, &header, data))
		return -errno;
	/* Dropping from the bounding set needs CAP_SETPCAP, which a service may lack. It cannot
	 * gain capabilities by exec then either, because of no_new_privs. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= keep >> (32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* The system calls are used directly, because glibc's functions change all threads. */
int privileges__become(uid_t uid, gid_t gid)
{
	bool other = uid != (uid_t)-1 && uid != geteuid();
	int err = other ? privileges__drop(CAP(SETUID) | CAP(SETGID)) : 0;

	if (!err && other &&
	    (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
	     syscall(SYS_setresuid, uid, uid, uid) < 0))
		err = -errno;
	return err ? err : privileges__drop(0);
}

bool privileges__in_user_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/user", &st) && st.st_ino != FIRST_USER_NAMESPACE;
}

bool privileges__allow_bpf(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	const uint64_t both = CAP(BPF) | CAP(PERFMON);
	uint64_t have;

	if (privileges__in_user_namespace() || syscall(SYS_capget, &header, data))
		return false;
	have = data[0].effective | (uint64_t)data[1].effective << 32;
	return have & CAP(SYS_ADMIN) || (have & both) == both;
}
#else
/* macOS has no capabilities: the user id decides. */
uint64_t privileges__needed(const struct privileges_use *use)
{
	return 0;
}

int privileges__drop(uint64_t keep)
{
	return 0;
}

/* pthread_setugid_np() changes the ids of one thread (xnu, bsd/kern/kern_prot.c, settid()); the
 * thread then has no supplementary groups. */
int privileges__become(uid_t uid, gid_t gid)
{
	if (uid == (uid_t)-1 || uid == geteuid())
		return 0;
	return pthread_setugid_np(uid, gid) ? -errno : 0;
}

bool privileges__in_user_namespace(void)
{
	return false;
}

bool privileges__allow_bpf(void)
{
	return false;
}
#endif
