// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP(name) (UINT64_C(1) << CAP_##name)

static bool giving(const struct options *o, bool gives)
{
	return gives;
}

static bool files(const struct options *o, bool gives)
{
	return o->fs_interval_ns;
}

static bool processes(const struct options *o, bool gives)
{
	return o->process_interval_ns;
}

static bool in_background(const struct options *o, bool gives)
{
	return o->upload || o->fs_interval_ns || o->process_interval_ns;
}

/* BPF and PERFMON are for loading and attaching: what is attached stays so without them. docs/privileges.md
 * has the same table in words. */
static const struct {
	uint64_t cap;
	bool (*needed)(const struct options *o, bool gives);
} table[] = {
	{ CAP(CHOWN), giving },        /* files are given to whom sudo was called by */
	{ CAP(DAC_OVERRIDE), giving }, /* … and so are the directories that the next are made in */
	{ CAP(DAC_READ_SEARCH), files }, /* all directories are looked into */
	{ CAP(FOWNER), files },          /* … by O_NOATIME: without a trace */
	{ CAP(SYS_NICE),
	  in_background }, /* what works at low priority is no longer kept back at the end */
	{ CAP(SYS_PTRACE), processes }, /* /proc may be mounted with hidepid */
};

uint64_t privileges__needed(const struct options *o, bool gives)
{
	uint64_t caps = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].needed(o, gives))
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
	/* The bounding set takes CAP_SETPCAP, which a service may lack: then it can't exec into more
	 * anyway, by the flag above. */
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
