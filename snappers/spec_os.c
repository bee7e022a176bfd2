// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "platform/macros.h"
#include "platform/registry.h"
#include "snappers/spec.h"

#ifdef __linux__
/* Vendor strings of the firmware, and the hypervisor that they stand for. */
static const struct {
	const char *text, *name;
} products[] = {
	{ "KVM", "kvm" },           { "QEMU", "qemu" },
	{ "VMware", "vmware" },     { "VirtualBox", "oracle" },
	{ "innotek", "oracle" },    { "Xen", "xen" },
	{ "Bochs", "bochs" },       { "Parallels", "parallels" },
	{ "BHYVE", "bhyve" },       { "Microsoft Corporation", "microsoft" },
	{ "Amazon EC2", "amazon" }, { "Google", "google" },
	{ "OpenStack", "kvm" },     { "Firecracker", "firecracker" },
};

static bool has_hypervisor_flag(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t capacity = 0;
	bool found = false;

	while (f && !found && getline(&line, &capacity, f) > 0)
		found = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
	free(line);
	if (f)
		fclose(f);
	return found;
}

const char *spec__virtualization(void)
{
	static const char *const files[] = { "sys_vendor", "product_name", "board_vendor",
					     "bios_vendor" };
	bool hypervisor = has_hypervisor_flag();
	char text[256];

	if (spec__line(text, sizeof(text), "/sys/hypervisor/type") && !strcmp(text, "xen"))
		return "xen";
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		/* Microsoft, Amazon and Google also build physical machines. */
		if (!spec__line(text, sizeof(text), "/sys/class/dmi/id/%s", files[i]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(products); k++)
			if (strstr(text, products[k].text) && (hypervisor || k < 8))
				return products[k].name;
	}
	return hypervisor ? "unknown" : "none";
}

static const char *container(void)
{
	char text[64];

	if (spec__line(text, sizeof(text), "/run/systemd/container"))
		return strcmp(text, "docker") ? "other" : "docker";
	if (!access("/.dockerenv", F_OK))
		return "docker";
	return access("/run/.containerenv", F_OK) ? "none" : "podman";
}

/* The unquoted value of KEY in os-release(5). */
static json_t *os_release(const char *key)
{
	FILE *f = fopen("/etc/os-release", "re");
	char line[512];
	json_t *value = NULL;
	size_t len = strlen(key);

	if (!f)
		f = fopen("/usr/lib/os-release", "re");
	while (f && !value && fgets(line, sizeof(line), f)) {
		char *s = line + len + 1;

		if (strncmp(line, key, len) || line[len] != '=')
			continue;
		s[strcspn(s, "\n")] = 0;
		if (*s == '"' || *s == '\'') {
			s[strlen(s) - 1] = 0;
			s++;
		}
		value = json_text(s);
	}
	if (f)
		fclose(f);
	return value ? value : json_null();
}

static const char *cgroup_version(void)
{
	bool v2 = !access("/sys/fs/cgroup/cgroup.controllers", F_OK);

	if (v2)
		return "2";
	if (!access("/sys/fs/cgroup/unified/cgroup.controllers", F_OK))
		return "hybrid";
	return access("/sys/fs/cgroup", F_OK) ? "none" : "1";
}

json_t *spec__os(const struct spec *s)
{
	struct utsname u = { 0 };

	uname(&u);
	return json_pack(
		"{s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:I, s:I, s:o, s:o}",
		"system", u.sysname, "release", json_text(u.release), "version",
		json_text(u.version), "machine", u.machine, "hostname", spec__name(s, u.nodename),
		"distribution", os_release("PRETTY_NAME"), "distribution_id", os_release("ID"),
		"distribution_version", os_release("VERSION_ID"), "cgroup_version",
		cgroup_version(), "virtualization", spec__virtualization(), "container",
		container(), "page_size_bytes", (json_int_t)sysconf(_SC_PAGESIZE),
		"clock_ticks_per_second", (json_int_t)sysconf(_SC_CLK_TCK), "clocksource",
		spec__string("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
		"preemption", spec__string("/sys/kernel/debug/sched/preempt"));
}
#else
const char *spec__virtualization(void)
{
	int64_t guest;

	return registry__number("kern.hv_vmm_present", &guest) && guest ? "unknown" : "none";
}

json_t *spec__os(const struct spec *s)
{
	struct utsname u = { 0 };
	char product[64], name[80] = "macOS";

	uname(&u);
	if (registry__text("kern.osproductversion", product, sizeof(product)))
		snprintf(name, sizeof(name), "macOS %s", product);
	return json_pack(
		"{s:s, s:o, s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:I, s:I, s:n, s:n}",
		"system", u.sysname, "release", json_text(u.release), "version",
		json_text(u.version), "machine", u.machine, "hostname", spec__name(s, u.nodename),
		"distribution", name, "distribution_id", "macos", "distribution_version",
		spec__registry_string("kern.osproductversion"), "build",
		spec__registry_string("kern.osversion"), "cgroup_version", "none", "virtualization",
		spec__virtualization(), "container", "none", "page_size_bytes",
		(json_int_t)sysconf(_SC_PAGESIZE), "clock_ticks_per_second",
		(json_int_t)sysconf(_SC_CLK_TCK), "clocksource", "preemption");
}
#endif
