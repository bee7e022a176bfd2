// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "platform/link_address.h"
#include "platform/macros.h"
#include "snappers/spec.h"

/* Interface names that the kernel or udev derives from the location: eth0, enp3s0f1. Names derived
 * from an address (enx…) or given by a user are not among them. */
static bool is_common(const char *name)
{
#ifdef __APPLE__
	static const char *const starts[] = { "lo",   "en", "utun", "bridge", "awdl", "llw",
					      "anpi", "ap", "gif",  "stf",    "vmnet" };
#else
	static const char *const starts[] = { "eth",  "wlan",  "eno", "ens",    "enp",
					      "wlp",  "wls",   "ib",  "docker", "virbr",
					      "bond", "dummy", "sit", "tun",    "tap" };
#endif

	if (!strcmp(name, "lo"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		const char *s = name + strlen(starts[i]);

		if (strncmp(name, starts[i], strlen(starts[i])) || !isdigit((unsigned char)*s))
			continue;
		while (isdigit((unsigned char)*s) ||
		       (*s && strchr("sfdnp", *s) && isdigit((unsigned char)s[1])))
			s++;
		if (!*s)
			return true;
	}
	return false;
}

static char *interface_name(const struct spec *s, const char *name,
			    char buf[ANONYMIZE_MAX(IF_NAMESIZE)])
{
	if (s->anon && !is_common(name))
		*anonymize__name(s->anon, buf, name, strlen(name)) = 0;
	else
		/* NOLINTNEXTLINE(*.strcpy): a name of the kernel, of less than IF_NAMESIZE */
		strcpy(buf, name);
	return buf;
}

static json_t *ip_text(const struct spec *s, const struct sockaddr *address, bool mask)
{
	uint8_t raw[16];
	char text[INET6_ADDRSTRLEN];
	bool v4 = address && address->sa_family == AF_INET;

	if (!address)
		return json_null();
	if (v4)
		memcpy(raw, &((const struct sockaddr_in *)address)->sin_addr, 4);
	else
		memcpy(raw, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
	if (s->anon && !mask)
		(v4 ? anonymize__ipv4 : anonymize__ipv6)(s->anon, raw);
	return json_string(inet_ntop(v4 ? AF_INET : AF_INET6, raw, text, sizeof(text)));
}

static int prefix_len(const struct sockaddr *mask)
{
	const uint8_t *raw;
	int n = 0, bytes;

	if (!mask)
		return 0;
	raw = mask->sa_family == AF_INET ?
		      (const uint8_t *)&((const struct sockaddr_in *)mask)->sin_addr :
		      (const uint8_t *)&((const struct sockaddr_in6 *)mask)->sin6_addr;
	bytes = mask->sa_family == AF_INET ? 4 : 16;
	for (int i = 0; i < bytes; i++)
		n += __builtin_popcount(raw[i]);
	return n;
}

static json_t *hardware_address(const struct spec *s, const struct sockaddr *address)
{
	uint8_t raw[LINK_ADDRESS_MAX];
	char text[3 * sizeof(raw) + 1] = "", *p = text;
	int len = link_address__get(address, raw);

	if (len < 0)
		return NULL;
	if (s->anon && len == 6)
		anonymize__mac(s->anon, raw);
	else if (s->anon) /* InfiniBand and others */
		memset(raw, 0, sizeof(raw));
	for (int i = 0; i < len; i++)
		p += sprintf(p, "%s%02x", i ? ":" : "", raw[i]);
	return json_pack("{s:s, s:s, s:n, s:n, s:n}", "family", link_address_family, "address",
			 text, "netmask", "prefix_len", "broadcast");
}

static json_t *address_of(const struct spec *s, const struct ifaddrs *i)
{
	bool broadcast = i->ifa_flags & IFF_BROADCAST;

	switch (i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC) {
	case AF_INET:
		return json_pack("{s:s, s:o, s:o, s:i, s:o}", "family", "AF_INET", "address",
				 ip_text(s, i->ifa_addr, false), "netmask",
				 ip_text(s, i->ifa_netmask, true), "prefix_len",
				 prefix_len(i->ifa_netmask), "broadcast",
				 ip_text(s, broadcast ? i->ifa_broadaddr : NULL, false));
	case AF_INET6:
		return json_pack("{s:s, s:o, s:o, s:i, s:n}", "family", "AF_INET6", "address",
				 ip_text(s, i->ifa_addr, false), "netmask",
				 ip_text(s, i->ifa_netmask, true), "prefix_len",
				 prefix_len(i->ifa_netmask), "broadcast");
	default:
		return i->ifa_addr ? hardware_address(s, i->ifa_addr) : NULL;
	}
}

#ifdef __linux__
#define NET "/sys/class/net"

static json_t *driver(const char *name)
{
	char path[256], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), NET "/%s/device/driver", name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return json_null();
	target[n] = 0;
	return json_text(strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}

static json_t *speed(const char *name)
{
	json_t *mbps = spec__number(NET "/%s/speed", name);

	/* -1: unknown to the driver; psutil reports 0 then. */
	if (json_integer_value(mbps) > 0)
		return mbps;
	json_decref(mbps);
	return json_integer(0);
}

static json_t *interface(const char *name, unsigned int flags, const void *data)
{
	return json_pack("{s:[], s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "addresses",
			 "is_up", !!(flags & IFF_UP), "speed_mbps", speed(name), "mtu",
			 spec__number(NET "/%s/mtu", name), "is_running", !!(flags & IFF_RUNNING),
			 "operstate", spec__string(NET "/%s/operstate", name), "duplex",
			 spec__string(NET "/%s/duplex", name), "driver", driver(name),
			 "tx_queue_len", spec__number(NET "/%s/tx_queue_len", name), "type",
			 spec__number(NET "/%s/type", name));
}

/* For a service with a private network, in which getifaddrs() shows no interfaces of the machine.
 * /sys has all of them, without IP addresses. */
static void add_others(const struct spec *s, json_t *interfaces)
{
	DIR *dir = opendir(NET);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char name[ANONYMIZE_MAX(IF_NAMESIZE)];
		json_t *flags;

		if (*e->d_name == '.' || strlen(e->d_name) >= IF_NAMESIZE ||
		    json_object_get(interfaces, interface_name(s, e->d_name, name)))
			continue;
		flags = spec__string(NET "/%s/flags", e->d_name);
		if (json_is_string(flags)) /* bonding_masters is a file */
			json_object_set_new(interfaces, name,
					    interface(e->d_name,
						      strtoul(json_string_value(flags), NULL, 16),
						      NULL));
		json_decref(flags);
	}
	if (dir)
		closedir(dir);
}
#else
/* getifaddrs(3) returns it with the hardware address, which comes first. */
static json_t *interface(const char *name, unsigned int flags, const void *data)
{
	const struct if_data *d = data;

	return json_pack("{s:[], s:b, s:I, s:o, s:b, s:n, s:n, s:n, s:n, s:o}", "addresses",
			 "is_up", !!(flags & IFF_UP), "speed_mbps",
			 d ? (json_int_t)d->ifi_baudrate / 1000000 : 0, "mtu",
			 d ? json_integer(d->ifi_mtu) : json_null(), "is_running",
			 !!(flags & IFF_RUNNING), "operstate", "duplex", "driver", "tx_queue_len",
			 "type", d ? json_integer(d->ifi_type) : json_null());
}

/* It shows all. */
static void add_others(const struct spec *s, json_t *interfaces)
{
}
#endif

json_t *spec__network(const struct spec *s)
{
	json_t *interfaces = json_object();
	struct ifaddrs *list = NULL;
	struct utsname u = { 0 };
	char name[ANONYMIZE_MAX(IF_NAMESIZE)];

	if (getifaddrs(&list) < 0)
		list = NULL;
	for (struct ifaddrs *i = list; i; i = i->ifa_next) {
		char base[IF_NAMESIZE];
		json_t *one, *address = address_of(s, i);

		/* An alias (eth0:1) belongs to its interface. */
		snprintf(base, sizeof(base), "%.*s", (int)strcspn(i->ifa_name, ":"), i->ifa_name);
		interface_name(s, base, name);
		one = json_object_get(interfaces, name);
		if (!one) {
			json_object_set_new(interfaces, name,
					    interface(base, i->ifa_flags, i->ifa_data));
			one = json_object_get(interfaces, name);
		}
		if (address)
			json_array_append_new(json_object_get(one, "addresses"), address);
	}
	freeifaddrs(list);
	add_others(s, interfaces);
	uname(&u);
	return json_pack("{s:o, s:o, s:o, s:o}", "hostname", spec__name(s, u.nodename),
			 "interfaces", interfaces, "tcp_congestion_control",
			 spec__string("/proc/sys/net/ipv4/tcp_congestion_control"), "default_qdisc",
			 spec__string("/proc/sys/net/core/default_qdisc"));
}
