// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/json_text.h"
#include "base/shown.h"
#include "commands/self_test.h"
#include "commit.h"
#include "dataset/disk_budget.h"
#include "engine/engine.h"
#include "options/options.h"
#include "platform/machine_id.h"
#include "platform/macros.h"
#include "platform/mountinfo.h"
#include "platform/privileges.h"
#include "schema/schema.h"
#include "uploader/upload.h"

enum state { OK, NOTE, BAD, STATES };

static const char *const state_words[STATES] = { "ok", "note", "BAD" };
static const char *const state_keys[STATES] = { "ok", "note", "bad" };

struct finding {
	enum state state;
	bool private; /* the text contains names of this machine: not for a bundle */
	char text[ENGINE_PROBLEM_MAX + 256];
	char fix[256]; /* "" if nothing needs to be done */
};

/* The result of a hook in the self-test. */
enum hook_state { FIRES, RARE, NOT_DONE, SILENT, ABSENT, HOOK_STATES };

static const char *const hook_words[HOOK_STATES] = { "fires", "rare", "not exercised", "silent",
						     "absent" };

struct hook_finding {
	struct manifest_hook hook;
	enum hook_state state;
	char text[256];
};

struct doctor {
	struct options options;
	char message[OPTIONS_MESSAGE_MAX]; /* the error in the configuration, or "" */
	char dir[PATH_MAX]; /* for test files: the traces' directory, or its parent */
	struct hook_finding hooks[ENGINE_HOOKS_MAX];
	size_t n_hooks;
	const char *limits[ENGINE_LIMITS_MAX];
	size_t n_limits;
	uint32_t dead;     /* streams that cannot be recorded */
	bool in_namespace; /* … of process ids */
};

static void set_finding(struct finding *f, enum state state, const char *fix, const char *format,
			...) __attribute__((format(printf, 4, 5)));

static void set_finding(struct finding *f, enum state state, const char *fix, const char *format,
			...)
{
	va_list args;

	f->state = state;
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	snprintf(f->fix, sizeof(f->fix), "%s", fix ?: "");
}

/* Reads the first line of a small file; false on failure. */
static bool read_first_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	buf[n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return true;
}

/* ---- the checks ---- */

static bool older_than(unsigned int major, unsigned int minor)
{
	unsigned int own_major = 0, own_minor = 0;
	struct utsname u;

	uname(&u);
	sscanf(u.release, "%u.%u", &own_major, &own_minor);
	return own_major < major || (own_major == major && own_minor < minor);
}

static void check_kernel(struct doctor *d, struct finding *f)
{
	struct utsname u;

	uname(&u);
	if (older_than(5, 10))
		set_finding(f, BAD, "use Linux 5.10 or later", "Linux %s %s is too old", u.release,
			    u.machine);
	else
		set_finding(f, OK, NULL, "Linux %s %s", u.release, u.machine);
}

static void check_btf(struct doctor *d, struct finding *f)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		set_finding(f, OK, NULL, "the kernel has type information");
	else
		set_finding(
			f, BAD,
			access("/sys/kernel", F_OK) ?
				"mount -t sysfs sysfs /sys" :
				"use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions do",
			"/sys/kernel/btf/vmlinux: %s", strerror(errno));
}

static void check_lockdown(struct doctor *d, struct finding *f)
{
	char line[128];

	if (!read_first_line("/sys/kernel/security/lockdown", line, sizeof(line)))
		set_finding(f, OK, NULL, "no lockdown known");
	else if (strstr(line, "[confidentiality]"))
		set_finding(f, BAD, "boot with lockdown=integrity, or without lockdown=",
			    "confidentiality: BPF programs may not read the kernel's memory");
	else
		set_finding(f, OK, NULL, "%s",
			    strstr(line, "[integrity]") ?
				    "integrity, which does not affect recording" :
				    "none");
}

static void check_capabilities(struct doctor *d, struct finding *f)
{
	const struct {
		int bit;
		const char *name;
		enum state lack;
		bool unneeded;
	} wanted[] = {
		{ 39, "CAP_BPF", BAD },
		{ 38, "CAP_PERFMON", BAD },
		{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", NOTE },
		/* As in scripts/iotrc-generator. */
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", BAD, older_than(5, 11) || !older_than(6, 10) },
	};
	char line[64], lacking[128] = "";
	unsigned long long effective = 0;
	enum state worst = OK;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "CapEff: %llx", &effective);
	if (file)
		fclose(file);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		bool has = effective >> wanted[i].bit & 1 || wanted[i].unneeded ||
			   (wanted[i].lack == BAD && effective >> CAP_SYS_ADMIN & 1);

		if (has)
			continue;
		snprintf(lacking + strlen(lacking), sizeof(lacking) - strlen(lacking), " %s",
			 wanted[i].name);
		worst = wanted[i].lack > worst ? wanted[i].lack : worst;
	}
	if (privileges__in_user_namespace())
		set_finding(f, BAD, "record outside of it; a rootless container is in one",
			    "of a user namespace: the kernel asks for those of the machine");
	else if (worst == OK)
		set_finding(f, OK, NULL, "all present");
	else
		set_finding(f, worst,
			    geteuid() ? "sudo iotrc doctor" :
					"grant them to the container or service",
			    "missing:%s%s", lacking,
			    worst == BAD ?
				    "" :
				    "; snapshots lack directories that only their owners may read");
}

static void check_locked_memory(struct doctor *d, struct finding *f)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (!older_than(5, 11) || limit.rlim_max == RLIM_INFINITY)
		set_finding(f, OK, NULL, "no limit that matters here");
	else
		set_finding(f, NOTE, "ulimit -l unlimited, as root",
			    "before Linux 5.11 ring buffers count as locked memory, "
			    "which is limited to %llu KiB",
			    (unsigned long long)limit.rlim_max >> 10);
}

static bool is_mounted(const char *path, long magic)
{
	struct statfs s;

	return !statfs(path, &s) && s.f_type == magic;
}

static void check_tracefs(struct doctor *d, struct finding *f)
{
	if (is_mounted("/sys/kernel/tracing", TRACEFS_MAGIC) ||
	    is_mounted("/sys/kernel/debug/tracing", TRACEFS_MAGIC))
		set_finding(f, OK, NULL, "mounted");
	else
		set_finding(
			f, NOTE, "mount -t tracefs tracefs /sys/kernel/tracing",
			"not mounted; needed only from Linux 7.1 on, where iotrc mounts its own if allowed");
}

static void check_bpffs(struct doctor *d, struct finding *f)
{
	set_finding(f, OK, NULL, "%s; iotrc does not need it",
		    is_mounted("/sys/fs/bpf", BPF_FS_MAGIC) ? "mounted" : "not mounted");
}

static void check_machine_id(struct doctor *d, struct finding *f)
{
	char id[MACHINE_ID_SIZE];
	int err = machine_id__get(id);

	if (err)
		set_finding(f, BAD,
			    "systemd-machine-id-setup, or dbus-uuidgen --ensure=/etc/machine-id",
			    "no machine id in /etc/machine-id: %s", strerror(-err));
	else
		set_finding(f, OK, NULL, "present");
}

static void check_container(struct doctor *d, struct finding *f)
{
	char kind[64] = "";
	bool container = read_first_line("/run/systemd/container", kind, sizeof(kind)) ||
			 !access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK);

	if (d->in_namespace)
		set_finding(
			f, NOTE,
			"record on the host, or share its process ids (docker run --pid=host)",
			"a pid namespace%s%s: the whole machine's I/O is recorded, with the host's ids, "
			"which --pid takes too; process snapshots list only this namespace",
			*kind ? ", " : "", kind);
	else if (container)
		set_finding(f, OK, NULL, "a container%s%s that sees the machine's processes",
			    *kind ? ", " : "", kind);
	else
		set_finding(f, OK, NULL, "none");
}

static void check_clock(struct doctor *d, struct finding *f)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	if (state == TIME_ERROR || t.status & STA_UNSYNC)
		set_finding(f, NOTE, "run chrony, ntpd or systemd-timesyncd",
			    "the clock is not synchronised (no NTP service): wall times "
			    "may be wrong, mono_ns is not affected");
	else
		set_finding(f, OK, NULL, "synchronised");
}

static void check_configuration(struct doctor *d, struct finding *f)
{
	f->private = true;
	if (*d->message)
		set_finding(f, BAD, "correct it; iotrc --check-config checks it", "%s", d->message);
	else if (d->options.config)
		set_finding(f, OK, NULL, "%s", d->options.config);
	else
		set_finding(f, OK, NULL, "none, using the defaults");
}

#define GB (1000 * 1000 * 1000)
#define LEAST (1 << 20) /* for a manifest, independent of --min-free */

static void check_space(struct doctor *d, struct finding *f)
{
	struct disk_budget_config config = {
		.fd = *d->dir && !access(d->dir, W_OK) ?
			      open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
			      -1,
		.min_free = d->options.min_free,
		.min_free_percent = d->options.min_free_percent,
	};
	uint64_t free, stays;
	struct disk_budget *budget;
	bool low;

	if (config.fd < 0 || disk_budget__new(&budget, &config)) {
		f->private = true;
		set_finding(f, BAD, "choose another --output, or repair its parent directory",
			    "cannot write to %s: %s", d->options.output, strerror(errno));
	} else {
		low = disk_budget__check(budget, 0);
		free = disk_budget__free_bytes(budget);
		stays = disk_budget__min_free(budget);
		low |= free < LEAST;
		set_finding(f,
			    low               ? BAD :
			    free - stays < GB ? NOTE :
						OK,
			    low ? "free some space, choose another --output, or lower --min-free" :
			    free - stays < GB ? "free some space, or choose another --output" :
						NULL,
			    "%.1f GB free in the output directory, %.1f GB reserved (--min-free)",
			    (double)free / GB, (double)stays / GB);
		disk_budget__free(budget);
	}
	if (config.fd >= 0)
		close(config.fd);
}

static void check_upload(struct doctor *d, struct finding *f)
{
	char reason[TARGET_REASON_MAX];
	bool works;

	f->private = d->options.upload.target.url;
	if (!d->options.upload.target.url)
		set_finding(f, OK, NULL, "off: everything stays on this machine");
	else if (upload__test(&d->options.upload, &works, reason))
		set_finding(f, BAD, "correct the upload configuration", "%s", reason);
	else if (!works)
		set_finding(f, NOTE, "files stay on this machine and are sent once it works",
			    "does not work now: %s", reason);
	else
		set_finding(f, OK, NULL, "works%s%s", *reason ? ": " : "", reason);
}

static void judge_hook(struct hook_finding *h, const int results[SELF_TEST_MAX], bool tested)
{
	const char *rare = self_test__rare(h->hook.name);
	int test = self_test__of(h->hook.name);

	if (!h->hook.attached) {
		h->state = ABSENT;
		snprintf(h->text, sizeof(h->text), "not on this kernel");
	} else if (h->hook.fired) {
		h->state = FIRES;
	} else if (rare) {
		h->state = RARE;
		snprintf(h->text, sizeof(h->text), "needs %s", rare);
	} else if (!tested || test < 0 || results[test]) {
		h->state = NOT_DONE;
		snprintf(h->text, sizeof(h->text), "%s: %s", test < 0 ? "" : self_test__what(test),
			 tested && test >= 0 ? strerror(-results[test]) : "was not possible");
	} else {
		h->state = SILENT;
		snprintf(h->text, sizeof(h->text), "attached, but did not fire on: %s",
			 self_test__what(test));
	}
}

/* Loads and attaches everything for STREAMS; with hooks, also makes them fire. */
static int try_streams(struct doctor *d, uint32_t streams, char problem[ENGINE_PROBLEM_MAX])
{
	struct selection selection = { .streams = streams, .ops = ALL_OPS };
	struct memory_plan memory;
	struct engine_config config = { .selection = &selection, .memory = &memory };
	struct manifest_hook hooks[ENGINE_HOOKS_MAX];
	struct self_test e = { 0 };
	struct engine *engine;
	bool begun = !self_test__begin(&e, d->dir), tested = false;
	int err;

	memory__plan(&memory, 0, memory__cpus());
	err = engine__open(&engine, engines[0], &config, problem);
	if (begun && !err)
		tested = !self_test__run(&e);
	else if (begun) {
		close(e.go_fd);
		close(e.done_fd);
	}
	if (err)
		return err;
	/* Requests complete some time after the test that made them. */
	usleep(200000);
	d->n_hooks = engine__hooks(engine, hooks);
	for (size_t i = 0; i < d->n_hooks; i++) {
		d->hooks[i].hook = hooks[i];
		judge_hook(&d->hooks[i], e.results, tested);
	}
	d->n_limits = engine__limits(engine, d->limits);
	d->in_namespace = engine__own_pid(engine) != getpid();
	engine__free(engine);
	return 0;
}

#define CAPTURED ((1u << STREAM_CAPTURED) - 1)

static void check_hooks(struct doctor *d, struct finding *f)
{
	char problem[ENGINE_PROBLEM_MAX], first[ENGINE_PROBLEM_MAX] = "",
					  ignored[ENGINE_PROBLEM_MAX];
	unsigned int n[HOOK_STATES] = { 0 };
	int err = try_streams(d, CAPTURED, problem);
	bool privileges = err == -EPERM || err == -EACCES;

	/* One unsupported stream makes all fail: find out which. */
	for (int s = 0; err && s < STREAM_CAPTURED; s++)
		if (try_streams(d, 1u << s, *first ? ignored : first))
			d->dead |= 1u << s;
	if (err && d->dead != CAPTURED && try_streams(d, CAPTURED & ~d->dead, ignored))
		d->dead = CAPTURED;
	if (d->dead & d->options.selection.streams) {
		set_finding(f, BAD,
			    privileges ? "see capabilities and lockdown" :
					 "use --streams to leave out the streams that fail",
			    "%s", problem);
		return;
	}
	for (size_t i = 0; i < d->n_hooks; i++)
		n[d->hooks[i].state]++;
	set_finding(
		f, n[SILENT] || d->dead ? NOTE : OK,
		n[SILENT] ? "please report this, with iotrc doctor --bundle FILE" : NULL,
		"%zu attached: %u fire, %u need something rare, %u could not be tested, %u are silent; "
		"this kernel lacks %u",
		d->n_hooks - n[ABSENT], n[FIRES], n[RARE], n[NOT_DONE], n[SILENT], n[ABSENT]);
}

static const struct doctor_check {
	const char *name;
	void (*check)(struct doctor *d, struct finding *f);
} checks[] = {
	{ "configuration", check_configuration },
	{ "kernel", check_kernel },
	{ "BTF", check_btf },
	{ "lockdown", check_lockdown },
	{ "capabilities", check_capabilities },
	{ "locked memory", check_locked_memory },
	{ "tracefs", check_tracefs },
	{ "bpffs", check_bpffs },
	{ "hooks", check_hooks },
	{ "container", check_container },
	{ "machine id", check_machine_id },
	{ "clock", check_clock },
	{ "space", check_space },
	{ "upload", check_upload },
};
#define N_CHECKS ARRAY_SIZE(checks)

/* ---- the result for each stream ---- */

/* Returns what STREAM lacks, one item after the other from I = 0 on; NULL at the end. */
static const char *next_lack(const struct doctor *d, int stream, size_t *i)
{
	while (*i < d->n_hooks) {
		const struct hook_finding *h = &d->hooks[(*i)++];

		if (h->state == ABSENT && h->hook.streams >> stream & 1)
			return h->hook.gives;
	}
	return NULL;
}

static void print_text(const struct doctor *d, const struct finding *found)
{
	for (size_t i = 0; i < N_CHECKS; i++) {
		shown__line(stdout, "%-14s %-5s %s", checks[i].name, state_words[found[i].state],
			    found[i].text);
		if (*found[i].fix)
			shown__line(stdout, "%20s -> %s", "", found[i].fix);
	}
	printf("\n%-14s\n", "streams");
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		size_t i = 0;
		const char *lack = next_lack(d, s, &i);

		printf("  %-12s %s%s", schema_streams[s].key,
		       d->dead >> s & 1 ? "cannot be recorded" :
		       lack             ? "missing: " :
					  "complete",
		       lack ?: "");
		while (lack && (lack = next_lack(d, s, &i)))
			printf("; %s", lack);
		printf("\n");
	}
	if (d->n_limits)
		printf("\nthis kernel\n");
	for (size_t i = 0; i < d->n_limits; i++)
		shown__line(stdout, "  %s", d->limits[i]);
	for (size_t i = 0; i < d->n_hooks; i++)
		if (d->hooks[i].state == SILENT || d->hooks[i].state == NOT_DONE)
			printf("  %s: %s\n", d->hooks[i].hook.name, d->hooks[i].text);
}

static json_t *streams_of(uint32_t streams)
{
	json_t *list = json_array();

	for (int s = 0; s < STREAM_CAPTURED; s++)
		if (streams >> s & 1)
			json_array_append_new(list, json_string(schema_streams[s].key));
	return list;
}

static json_t *to_json(const struct doctor *d, const struct finding *found, bool ok, bool bundle)
{
	json_t *list = json_array(), *hooks = json_array(), *streams = json_object(),
	       *limits = json_array();

	for (size_t i = 0; i < N_CHECKS; i++) {
		const struct finding *f = &found[i];
		const char *text = bundle && f->private ? "(left out)" : f->text;

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "check",
						      checks[i].name, "state", state_keys[f->state],
						      "text", text, "fix", f->fix));
	}
	for (size_t i = 0; i < d->n_hooks; i++) {
		const struct hook_finding *h = &d->hooks[i];

		json_array_append_new(
			hooks, json_pack("{s:s, s:o, s:b, s:s, s:I, s:s}", "name", h->hook.name,
					 "streams", streams_of(h->hook.streams), "attached",
					 h->hook.attached, "state", hook_words[h->state], "fired",
					 (json_int_t)h->hook.fired, "text", h->text));
	}
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		json_t *lacks = json_array();
		const char *lack;

		for (size_t i = 0; (lack = next_lack(d, s, &i));)
			json_array_append_new(lacks, json_string(lack));
		json_object_set_new(
			streams, schema_streams[s].key,
			json_pack("{s:b, s:o}", "recorded", !(d->dead >> s & 1), "lacks", lacks));
	}
	for (size_t i = 0; i < d->n_limits; i++)
		json_array_append_new(limits, json_string(d->limits[i]));
	return json_pack("{s:b, s:{s:s, s:s}, s:o, s:o, s:o, s:o}", "ok", ok, "iotrc", "version",
			 IOTRC_VERSION, "commit", IOTRC_COMMIT, "checks", list, "streams", streams,
			 "hooks", hooks, "limits", limits);
}

/* ---- the bundle: the report and the machine, without names ---- */

/* Returns the value of KEY in /etc/os-release. */
static void add_os(json_t *machine, const char *key, const char *as)
{
	char line[256];
	size_t len = strlen(key);
	FILE *f = fopen("/etc/os-release", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == '=') {
			char *value = line + len + 1 + (line[len + 1] == '"');

			value[strcspn(value, "\"\n")] = 0;
			json_object_set_new(machine, as, json_string(value));
		}
	if (f)
		fclose(f);
}

/* The types of mounted file systems and how many there are of each. Mount points would be names. */
static json_t *filesystems(void)
{
	json_t *types = json_object();
	struct mountinfo m = { 0 };
	FILE *f = mountinfo__open();

	while (f && mountinfo__next(&m, f))
		json_object_set_new(
			types, m.type,
			json_integer(json_integer_value(json_object_get(types, m.type)) + 1));
	mountinfo__clear(&m);
	if (f)
		fclose(f);
	return types;
}

static json_t *describe_machine(void)
{
	json_t *machine = json_object();
	struct utsname u;

	uname(&u);
	json_object_set_new(machine, "kernel", json_string(u.release));
	json_object_set_new(machine, "kernel_version", json_string(u.version));
	json_object_set_new(machine, "machine", json_string(u.machine));
	json_object_set_new(machine, "cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(
		machine, "memory_bytes",
		json_integer((json_int_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)));
	json_object_set_new(machine, "page_size", json_integer(sysconf(_SC_PAGESIZE)));
	add_os(machine, "ID", "os");
	add_os(machine, "VERSION_ID", "os_version");
	json_object_set_new(machine, "filesystems", filesystems());
	return machine;
}

static int write_bundle(const char *path, json_t *report)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), err = 0;

	if (fd < 0)
		return -errno;
	if (json_dumpfd(report, fd, JSON_INDENT(1)) || write(fd, "\n", 1) != 1)
		err = -EIO;
	if (close(fd))
		err = -errno;
	return err;
}

/* ---- the command ---- */

/* The options that a recording would use. An invalid configuration is a finding. */
static void read_options(struct doctor *d, const char *config)
{
	char *argv[] = { "iotrc", "--config", (char *)config, NULL };

	if (!config && !access(OPTIONS_CONFIG, R_OK))
		argv[2] = (char *)OPTIONS_CONFIG;
	if (!argv[2] || options__parse(&d->options, 3, argv, d->message)) {
		char ignored[OPTIONS_MESSAGE_MAX];

		options__parse(&d->options, 1, (char *[]){ "iotrc", NULL }, ignored);
	}
	d->options.argv = NULL;
}

/* The directory of the traces, or its parent if it is missing: only the last component is
 * created. */
static void choose_dir(struct doctor *d)
{
	char *slash;
	size_t len;

	snprintf(d->dir, sizeof(d->dir), "%s", d->options.output);
	for (len = strlen(d->dir); len > 1 && d->dir[len - 1] == '/';)
		d->dir[--len] = 0;
	if (!access(d->dir, F_OK))
		return;
	/* What the service is given, or creates. */
	if (!strncmp(d->dir, "/var/lib/iotrc", 14) && access("/var/lib/iotrc", F_OK)) {
		strcpy(d->dir, "/var/lib");
		return;
	}
	slash = strrchr(d->dir, '/');
	if (!slash)
		strcpy(d->dir, ".");
	else
		slash[slash == d->dir] = 0;
}

static int examine(const char *config, bool as_json, const char *bundle)
{
	struct doctor *d = calloc(1, sizeof(*d));
	struct finding *found = calloc(N_CHECKS, sizeof(*found));
	json_t *report;
	bool ok = true;
	int err = 0;

	if (!d || !found) {
		command__cannot(&doctor_command, "out of memory");
		free(found);
		free(d);
		return 1;
	}
	read_options(d, config);
	choose_dir(d);
	for (size_t i = 0; i < N_CHECKS; i++) {
		checks[i].check(d, &found[i]);
		ok &= found[i].state != BAD;
	}
	if (as_json) {
		report = to_json(d, found, ok, false);
		json_text__print(report, JSON_INDENT(1));
		json_decref(report);
	} else {
		print_text(d, found);
		puts(ok ? "\nRecording will work." :
			  "\nRecording will not work: see the checks marked BAD.");
	}
	if (bundle) {
		report = to_json(d, found, ok, true);
		json_object_set_new(report, "machine", describe_machine());
		err = write_bundle(bundle, report);
		json_decref(report);
		if (err)
			command__cannot(&doctor_command, "cannot write %s: %s", bundle,
					strerror(-err));
	}
	options__done(&d->options);
	free(found);
	free(d);
	return err || !ok;
}

static const struct command_option doctor_options[] = {
	{ "json", 0, NULL, "print JSON" },
	{ "config", 0, "FILE",
	  "check the recording that FILE configures (default\n" OPTIONS_CONFIG ", if it exists)" },
	{ "bundle", 0, "FILE",
	  "write the results and a description of the machine\nto FILE, for a bug report; contains no names of\n"
	  "hosts, users or files" },
	{ .name = NULL },
};
enum { AS_JSON, CONFIG, BUNDLE };

static int doctor(int argc, char **argv)
{
	const struct command *c = &doctor_command;
	const char *values[] = { [AS_JSON] = NULL, [CONFIG] = NULL, [BUNDLE] = NULL };
	struct command_line l;
	int option;

	command__begin(&l, c, argc, argv, false);
	while ((option = command__next(&l)) >= 0)
		values[option] = l.value ?: "";
	if (option != COMMAND_END)
		return command__ended(&l, option);
	if (l.at != argc)
		return command__usage(c, "it takes options only");
	return command__flush(c, examine(values[CONFIG], values[AS_JSON], values[BUNDLE]));
}

const struct command doctor_command = {
	.name = "doctor",
	.usage = "[OPTION...]",
	.summary = "check whether recording works on this machine",
	.synopsis = "[--json] [--config FILE] [--bundle FILE]",
	.description =
		"Checks whether recording will work on this machine, which streams will be complete, and\n"
		"what to do about each problem. Looks at the kernel, privileges, mounts, clock and disk;\n"
		"attaches every hook and makes each one fire.",
	.options = doctor_options,
	.exit_codes = "0 recording will work, 1 it will not, 2 usage.",
	.examples = "sudo iotrc doctor\n"
		    "sudo iotrc doctor --json | jq '.checks[] | select(.state != \"ok\")'\n"
		    "sudo iotrc doctor --bundle iotrc-doctor.json",
	.main = doctor,
};
