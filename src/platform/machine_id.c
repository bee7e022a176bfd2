// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/machine_id.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/macros.h"

/* The id of a system that has not booted yet (machine-id(5)), and ids that cannot be real; machines
 * with one of these would share it. */
static bool is_placeholder(const char *id, size_t len)
{
	static const char uninitialized[] = "uninitialized";
	size_t zeroes = 0;

	while (zeroes < len && id[zeroes] == '0')
		zeroes++;
	return zeroes == len ||
	       (len == sizeof(uninitialized) - 1 && !memcmp(id, uninitialized, len));
}

int machine_id__hash(const char *id, size_t len, char ret[MACHINE_ID_SIZE])
{
	unsigned char hash[EVP_MAX_MD_SIZE];

	while (len && isspace((unsigned char)id[len - 1]))
		len--;
	for (; len && isspace((unsigned char)*id); len--)
		id++;
	if (!len || is_placeholder(id, len))
		return -ENOENT;
	if (!EVP_Digest(id, len, hash, NULL, EVP_sha256(), NULL))
		return -EIO;
	for (int i = 0; i < 8; i++)
		snprintf(ret + 2 * i, 3, "%02X", hash[i]);
	return 0;
}

#ifdef __linux__
/* D-Bus had an id before systemd; machines without systemd may have only that one. */
static const char *const paths[] = { "/etc/machine-id", "/var/lib/dbus/machine-id" };

static int hash_file(const char *path, char ret[MACHINE_ID_SIZE])
{
	char id[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, id, sizeof(id));
	close(fd);
	return len < 0 ? -EIO : machine_id__hash(id, len, ret);
}

int machine_id__get(char ret[MACHINE_ID_SIZE])
{
	int err = -ENOENT;

	for (size_t i = 0; err && i < ARRAY_SIZE(paths); i++)
		err = hash_file(paths[i], ret);
	return err;
}

int boot_id__get(char ret[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, ret, BOOT_ID_SIZE - 1);
	close(fd);
	if (len != BOOT_ID_SIZE - 1)
		return -EIO;
	ret[len] = '\0';
	return 0;
}
#else
#include <sys/sysctl.h>
#include <uuid/uuid.h>

/* The platform's UUID, which ioreg shows as IOPlatformUUID (gethostuuid(2)), in upper case as
 * there. */
int machine_id__get(char ret[MACHINE_ID_SIZE])
{
	static const struct timespec soon = { 1, 0 };
	uuid_string_t text;
	uuid_t id;

	if (gethostuuid(id, &soon))
		return -ENOENT;
	uuid_unparse_upper(id, text);
	return machine_id__hash(text, strlen(text), ret);
}

/* A UUID made at boot (xnu, bsd/kern/kern_sysctl.c). */
int boot_id__get(char ret[BOOT_ID_SIZE])
{
	size_t size = BOOT_ID_SIZE;

	if (sysctlbyname("kern.bootsessionuuid", ret, &size, NULL, 0))
		return -errno;
	return size == BOOT_ID_SIZE ? 0 : -EIO;
}
#endif
