// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "platform/macros.h"
#include "platform/registry.h"
#include "snappers/spec.h"

#define GIB (1024.0 * 1024 * 1024)

static double round_to_hundredths(double v)
{
	return (long long)(v * 100 + 0.5) / 100.0;
}

#ifdef __linux__
/* vm.* settings for writeback and reclaim. */
static const char *const settings[] = {
	"swappiness",
	"dirty_ratio",
	"dirty_bytes",
	"dirty_background_ratio",
	"dirty_background_bytes",
	"dirty_expire_centisecs",
	"dirty_writeback_centisecs",
	"dirtytime_expire_seconds",
	"vfs_cache_pressure",
	"overcommit_memory",
	"overcommit_ratio",
	"min_free_kbytes",
	"watermark_scale_factor",
	"page-cluster",
	"zone_reclaim_mode",
	"laptop_mode",
	"nr_hugepages",
};

json_t *spec__memory(const struct spec *s)
{
	unsigned long long total = 0, available = 0, swap_total = 0, swap_free = 0, kb;
	json_t *vm = json_object(), *meminfo = json_object();
	FILE *f = fopen("/proc/meminfo", "re");
	char line[256], key[64];

	while (f && fgets(line, sizeof(line), f)) {
		bool pages = !strstr(line, " kB"); /* HugePages_* are counts */

		if (sscanf(line, "%63[^:]: %llu", key, &kb) != 2)
			continue;
		json_object_set_new(meminfo, key, json_integer(pages ? kb : kb * 1024));
		total = strcmp(key, "MemTotal") ? total : kb * 1024;
		available = strcmp(key, "MemAvailable") ? available : kb * 1024;
		swap_total = strcmp(key, "SwapTotal") ? swap_total : kb * 1024;
		swap_free = strcmp(key, "SwapFree") ? swap_free : kb * 1024;
	}
	if (f)
		fclose(f);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		json_object_set_new(vm, settings[i], spec__number("/proc/sys/vm/%s", settings[i]));
	return json_pack(
		"{s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
		"total_bytes", (json_int_t)total, "available_bytes", (json_int_t)available,
		"used_bytes", (json_int_t)(total - available), "percent_used",
		total ? round_to_hundredths(100.0 * (total - available) / total) : 0.0, "total_gb",
		round_to_hundredths(total / GIB), "available_gb",
		round_to_hundredths(available / GIB), "swap_total_bytes", (json_int_t)swap_total,
		"swap_used_bytes", (json_int_t)(swap_total - swap_free), "swap_free_bytes",
		(json_int_t)swap_free, "meminfo", meminfo, "sysctl_vm", vm, "transparent_hugepages",
		spec__string("/sys/kernel/mm/transparent_hugepage/enabled"), "zswap",
		spec__string("/sys/module/zswap/parameters/enabled"), "ksm",
		spec__number("/sys/kernel/mm/ksm/run"));
}
#else
#include <mach/mach.h>
#include <sys/sysctl.h>
#include <unistd.h>

static const char *const settings[] = {
	"vm.swap_enabled",     "vm.compressor_mode", "vm.page_free_target",
	"vm.vm_page_free_min", "kern.maxvnodes",     "kern.memorystatus_vm_pressure_level",
};

/* What vm_stat(1) prints, in bytes where it counts pages. */
static json_t *statistics(uint64_t page, int64_t *ret_available)
{
	vm_statistics64_data_t vm;
	mach_msg_type_number_t n = HOST_VM_INFO64_COUNT;

	*ret_available = 0;
	if (host_statistics64(mach_host_self(), HOST_VM_INFO64, (host_info64_t)&vm, &n))
		return json_object();
	/* As Activity Monitor: file pages and what is free can be had at once. */
	*ret_available =
		(int64_t)((vm.free_count + vm.external_page_count + vm.purgeable_count) * page);
#define BYTES(member) #member, (json_int_t)(vm.member * page)
#define COUNT(member) #member, (json_int_t)vm.member
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 BYTES(free_count), BYTES(active_count), BYTES(inactive_count),
			 BYTES(speculative_count), BYTES(wire_count), BYTES(purgeable_count),
			 BYTES(external_page_count), BYTES(internal_page_count),
			 BYTES(compressor_page_count), COUNT(pageins), COUNT(pageouts),
			 COUNT(swapins), COUNT(swapouts), COUNT(faults));
#undef BYTES
#undef COUNT
}

json_t *spec__memory(const struct spec *s)
{
	struct xsw_usage swap = { 0 };
	size_t size = sizeof(swap);
	int64_t total = 0, available;
	json_t *vm = json_object(), *counts = statistics((uint64_t)getpagesize(), &available);

	(void)registry__number("hw.memsize", &total);
	if (sysctlbyname("vm.swapusage", &swap, &size, NULL, 0))
		swap = (struct xsw_usage){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		json_object_set_new(vm, settings[i], spec__registry_number(settings[i]));
	return json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:o, s:o, s:n, s:n, s:n}",
			 "total_bytes", (json_int_t)total, "available_bytes", (json_int_t)available,
			 "used_bytes", (json_int_t)(total - available), "percent_used",
			 total ? round_to_hundredths(100.0 * (total - available) / total) : 0.0,
			 "total_gb", round_to_hundredths(total / GIB), "available_gb",
			 round_to_hundredths(available / GIB), "swap_total_bytes",
			 (json_int_t)swap.xsu_total, "swap_used_bytes", (json_int_t)swap.xsu_used,
			 "swap_free_bytes", (json_int_t)swap.xsu_avail, "meminfo", counts,
			 "sysctl_vm", vm, "transparent_hugepages", "zswap", "ksm");
}
#endif
