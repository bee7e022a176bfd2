// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/registry.h"

#ifdef __linux__
bool registry__number(const char *name, int64_t *ret)
{
	return false;
}

bool registry__text(const char *name, char *ret, size_t size)
{
	return false;
}

void registry__each_media(void (*tell)(void *arg, const struct registry_media *media), void *arg)
{
}
#else
#include <CoreFoundation/CoreFoundation.h>
#include <IOKit/IOKitLib.h>
#include <string.h>
#include <sys/sysctl.h>

/* Values have 4 or 8 bytes. */
bool registry__number(const char *name, int64_t *ret)
{
	union {
		int32_t narrow;
		int64_t wide;
	} value = { .wide = 0 };
	size_t size = sizeof(value);

	if (sysctlbyname(name, &value, &size, NULL, 0))
		return false;
	*ret = size == sizeof(value.narrow) ? value.narrow : value.wide;
	return size == sizeof(value.narrow) || size == sizeof(value.wide);
}

bool registry__text(const char *name, char *ret, size_t size)
{
	size_t n = size - 1;

	if (sysctlbyname(name, ret, &n, NULL, 0))
		return false;
	ret[n] = 0;
	return *ret;
}

/* ---- values of the I/O Registry ---- */

static void copy_text(CFTypeRef value, char *ret, size_t size)
{
	*ret = 0;
	if (value && CFGetTypeID(value) == CFStringGetTypeID() &&
	    !CFStringGetCString(value, ret, (CFIndex)size, kCFStringEncodingUTF8))
		*ret = 0;
}

static int64_t number_of(CFTypeRef value)
{
	int64_t n = -1;

	if (!value || CFGetTypeID(value) != CFNumberGetTypeID() ||
	    !CFNumberGetValue(value, kCFNumberSInt64Type, &n))
		return -1;
	return n;
}

static bool is_true(CFTypeRef value)
{
	return value && CFGetTypeID(value) == CFBooleanGetTypeID() && CFBooleanGetValue(value);
}

static CFTypeRef property(io_registry_entry_t entry, const char *key, bool of_parents)
{
	CFStringRef name =
		CFStringCreateWithCString(kCFAllocatorDefault, key, kCFStringEncodingUTF8);
	CFTypeRef value = NULL;

	if (!name)
		return NULL;
	if (of_parents)
		value = IORegistryEntrySearchCFProperty(
			entry, kIOServicePlane, name, kCFAllocatorDefault,
			kIORegistryIterateRecursively | kIORegistryIterateParents);
	else
		value = IORegistryEntryCreateCFProperty(entry, name, kCFAllocatorDefault, 0);
	CFRelease(name);
	return value;
}

static void text_property(io_registry_entry_t entry, const char *key, char *ret, size_t size)
{
	CFTypeRef value = property(entry, key, false);

	copy_text(value, ret, size);
	if (value)
		CFRelease(value);
}

static int64_t number_property(io_registry_entry_t entry, const char *key)
{
	CFTypeRef value = property(entry, key, false);
	int64_t n = number_of(value);

	if (value)
		CFRelease(value);
	return n;
}

static bool flag_property(io_registry_entry_t entry, const char *key)
{
	CFTypeRef value = property(entry, key, false);
	bool flag = is_true(value);

	if (value)
		CFRelease(value);
	return flag;
}

static void text_of(CFDictionaryRef from, const char *key, char *ret, size_t size)
{
	CFStringRef name =
		CFStringCreateWithCString(kCFAllocatorDefault, key, kCFStringEncodingUTF8);

	copy_text(name ? CFDictionaryGetValue(from, name) : NULL, ret, size);
	if (name)
		CFRelease(name);
}

/* IOStorageDeviceCharacteristics.h: the device above the medium has these properties. */
static void read_device(io_registry_entry_t entry, struct registry_media *m)
{
	CFTypeRef device = property(entry, "Device Characteristics", true);
	char medium[64] = "";

	if (device && CFGetTypeID(device) == CFDictionaryGetTypeID()) {
		text_of(device, "Product Name", m->model, sizeof(m->model));
		text_of(device, "Vendor Name", m->vendor, sizeof(m->vendor));
		text_of(device, "Medium Type", medium, sizeof(medium));
	}
	m->solid_state = !strcmp(medium, "Solid State");
	m->rotational = !strcmp(medium, "Rotational");
	if (device)
		CFRelease(device);
}

/* The keys of IOMedia.h and IOBSD.h. */
void registry__each_media(void (*tell)(void *arg, const struct registry_media *media), void *arg)
{
	io_iterator_t all = IO_OBJECT_NULL;
	io_object_t entry;

	/* It releases the dictionary of IOServiceMatching(). */
	if (IOServiceGetMatchingServices(kIOMainPortDefault, IOServiceMatching("IOMedia"), &all))
		return;
	while ((entry = IOIteratorNext(all))) {
		struct registry_media m = {
			.size_bytes = number_property(entry, "Size"),
			.block_bytes = number_property(entry, "Preferred Block Size"),
			.major = (int)number_property(entry, "BSD Major"),
			.minor = (int)number_property(entry, "BSD Minor"),
			.whole = flag_property(entry, "Whole"),
			.removable = flag_property(entry, "Removable"),
			.writable = flag_property(entry, "Writable"),
		};

		text_property(entry, "BSD Name", m.name, sizeof(m.name));
		text_property(entry, "Content", m.content, sizeof(m.content));
		read_device(entry, &m);
		tell(arg, &m);
		IOObjectRelease(entry);
	}
	IOObjectRelease(all);
}
#endif
