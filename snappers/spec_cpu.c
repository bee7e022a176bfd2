// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "snappers/spec.h"

#ifdef __linux__
#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"
#define CPUS_MAX 8192

/* The value of "KEY : value" in the first processor's block of /proc/cpuinfo. */
static bool cpuinfo(const char *key, char *buf, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t capacity = 0, len = strlen(key);
	bool got = false;

	while (f && !got && getline(&line, &capacity, f) > 0) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, key, len) ||
		    line + len + strspn(line + len, " \t") != colon)
			continue;
		colon += 1 + strspn(colon + 1, " \t");
		colon[strcspn(colon, "\n")] = 0;
		snprintf(buf, size, "%s", colon);
		got = true;
	}
	free(line);
	if (f)
		fclose(f);
	return got;
}

static json_t *cpuinfo_text(const char *key)
{
	char text[8192];

	return cpuinfo(key, text, sizeof(text)) ? json_text(text) : json_null();
}

/* A core is a pair of package and core id. */
struct cores {
	struct {
		int package, core;
	} list[CPUS_MAX];
	size_t n, sockets;
};

static void add_core(const char *name, void *arg)
{
	struct cores *c = arg;
	char package[32], core[32];
	bool new_socket = true;

	if (!spec__line(package, sizeof(package), CPU "/%s/topology/physical_package_id", name) ||
	    !spec__line(core, sizeof(core), CPU "/%s/topology/core_id", name) || c->n == CPUS_MAX)
		return;
	c->list[c->n].package = atoi(package);
	c->list[c->n].core = atoi(core);
	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i].package != c->list[c->n].package)
			continue;
		new_socket = false;
		if (c->list[i].core == c->list[c->n].core)
			return;
	}
	c->n++;
	c->sockets += new_socket;
}

static json_t *frequency(const char *file)
{
	char khz[64];

	if (!spec__line(khz, sizeof(khz), CPU "/cpu0/cpufreq/%s", file))
		return json_null();
	return json_real(atof(khz) / 1000);
}

static json_t *frequency_now(void)
{
	json_t *mhz = frequency("scaling_cur_freq");
	char text[64];

	if (!json_is_null(mhz) || !cpuinfo("cpu MHz", text, sizeof(text)))
		return mhz;
	return json_real(atof(text));
}

static void add_node(const char *name, void *arg)
{
	char line[256];
	unsigned long long kb = 0;
	FILE *f;

	if (name[4] < '0' || name[4] > '9')
		return;
	snprintf(line, sizeof(line), NODE "/%.32s/meminfo", name);
	f = fopen(line, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Node %*d MemTotal: %llu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	json_array_append_new(arg, json_pack("{s:i, s:o, s:I, s:o}", "node", atoi(name + 4), "cpus",
					     spec__string(NODE "/%s/cpulist", name),
					     "memory_total_bytes", (json_int_t)kb * 1024,
					     "distances", spec__string(NODE "/%s/distance", name)));
}

static void add_cache(const char *name, void *arg)
{
	const char *base = CPU "/cpu0/cache";

	json_array_append_new(arg, json_pack("{s:o, s:o, s:o, s:o}", "level",
					     spec__number("%s/%s/level", base, name), "type",
					     spec__string("%s/%s/type", base, name), "size",
					     spec__string("%s/%s/size", base, name), "shared_cpus",
					     spec__string("%s/%s/shared_cpu_list", base, name)));
}

json_t *spec__cpu(const struct spec *s)
{
	static struct cores cores; /* 64 KiB; only one thread makes specs */
	long logical = sysconf(_SC_NPROCESSORS_ONLN);
	json_t *nodes = json_array(), *caches = json_array();
	char brand[512];

	memset(&cores, 0, sizeof(cores));
	spec__each(CPU, "cpu0", add_core, &cores);
	for (char digit[] = "cpu1"; digit[3] <= '9'; digit[3]++)
		spec__each(CPU, digit, add_core, &cores);
	spec__each(NODE, "node", add_node, nodes);
	spec__each(CPU "/cpu0/cache", "index", add_cache, caches);
	/* On ARM, cpuinfo has only numbers of implementer and part. */
	if (!cpuinfo("model name", brand, sizeof(brand)) &&
	    !cpuinfo("Model", brand, sizeof(brand)) && !cpuinfo("cpu", brand, sizeof(brand)) &&
	    !cpuinfo("CPU part", brand, sizeof(brand)))
		*brand = 0;
	return json_pack(
		"{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s,"
		" s:o, s:o}",
		"brand", *brand ? json_text(brand) : json_null(), "cores_logical",
		(json_int_t)logical, "cores_physical",
		cores.n ? json_integer(cores.n) : json_null(), "frequency_mhz", frequency_now(),
		"frequency_min_mhz", frequency("cpuinfo_min_freq"), "frequency_max_mhz",
		frequency("cpuinfo_max_freq"), "sockets",
		cores.sockets ? json_integer(cores.sockets) : json_null(), "vendor",
		cpuinfo_text("vendor_id"), "family", cpuinfo_text("cpu family"), "model",
		cpuinfo_text("model"), "stepping", cpuinfo_text("stepping"), "flags",
		cpuinfo_text("flags"), "governor",
		spec__string(CPU "/cpu0/cpufreq/scaling_governor"), "frequency_driver",
		spec__string(CPU "/cpu0/cpufreq/scaling_driver"), "smt",
		spec__string(CPU "/smt/control"), "virtualization", spec__virtualization(),
		"numa_nodes", nodes, "caches", caches);
}
#else
static json_t *megahertz(const char *name)
{
	json_t *hertz = spec__registry_number(name);
	json_t *mhz =
		json_is_integer(hertz) ? json_real(json_integer_value(hertz) / 1e6) : json_null();

	json_decref(hertz);
	return mhz;
}

static void add_cache(json_t *caches, int level, const char *type, const char *name)
{
	json_t *bytes = spec__registry_number(name);

	if (json_is_integer(bytes))
		json_array_append_new(caches,
				      json_pack("{s:i, s:s, s:O, s:n}", "level", level, "type",
						type, "size", bytes, "shared_cpus"));
	json_decref(bytes);
}

/* Apple silicon has several kinds of cores, numbered from the fastest on. */
static json_t *kinds(void)
{
	json_t *list = json_array();

	for (int i = 0; i < 8; i++) {
		char name[64], logical[64];
		json_t *cores;

		snprintf(logical, sizeof(logical), "hw.perflevel%d.logicalcpu", i);
		snprintf(name, sizeof(name), "hw.perflevel%d.name", i);
		cores = spec__registry_number(logical);
		if (!json_is_integer(cores)) {
			json_decref(cores);
			break;
		}
		json_array_append_new(list,
				      json_pack("{s:o, s:o}", "name", spec__registry_string(name),
						"cores_logical", cores));
	}
	return list;
}

/* The keys are those of Linux; values that macOS does not report are null. */
json_t *spec__cpu(const struct spec *s)
{
	json_t *caches = json_array();

	add_cache(caches, 1, "Instruction", "hw.l1icachesize");
	add_cache(caches, 1, "Data", "hw.l1dcachesize");
	add_cache(caches, 2, "Unified", "hw.l2cachesize");
	add_cache(caches, 3, "Unified", "hw.l3cachesize");
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:n, s:n, s:n,"
		" s:s, s:[], s:o, s:o}",
		"brand", spec__registry_string("machdep.cpu.brand_string"), "cores_logical",
		spec__registry_number("hw.logicalcpu"), "cores_physical",
		spec__registry_number("hw.physicalcpu"), "frequency_mhz",
		megahertz("hw.cpufrequency"), "frequency_min_mhz", megahertz("hw.cpufrequency_min"),
		"frequency_max_mhz", megahertz("hw.cpufrequency_max"), "sockets",
		spec__registry_number("hw.packages"), "vendor",
		spec__registry_string("machdep.cpu.vendor"), "family",
		spec__registry_number("hw.cpufamily"), "model",
		spec__registry_number("machdep.cpu.model"), "stepping",
		spec__registry_number("machdep.cpu.stepping"), "flags",
		spec__registry_string("machdep.cpu.features"), "governor", "frequency_driver",
		"smt", "virtualization", spec__virtualization(), "numa_nodes", "caches", caches,
		"kinds", kinds());
}
#endif
