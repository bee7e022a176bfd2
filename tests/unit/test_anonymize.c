// SPDX-License-Identifier: GPL-2.0-or-later
/* The expected tokens were made by Python's hmac and hashlib. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/anonymize.h"
#include "base/state.h"
#include "platform/macros.h"

static struct anonymizer *anon, *keeping;

static void setup(void)
{
	unsigned char key[ANONYMIZE_KEY_SIZE];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	cr_assert_eq(anonymizer__new(&anon, key, false), 0);
	cr_assert_eq(anonymizer__new(&keeping, key, true), 0);
}

static void teardown(void)
{
	anonymizer__free(anon);
	anonymizer__free(keeping);
}

TestSuite(anonymize, .init = setup, .fini = teardown);

static char out[ANONYMIZE_MAX(8192) + 1];

static const char *path(struct anonymizer *a, const char *s)
{
	*anonymize__path(a, out, s, strlen(s)) = 0;
	return out;
}

#define HOME "f65947c0b3127c8c"
#define ALICE "f5d2556646b08bbc"
#define REPORT "4acce37d96785ded"
#define X "b25033d81b823621"

Test(anonymize, names_and_paths)
{
	char longest[600];

	for (int i = 0; i < 2; i++) { /* from the cache as well */
		cr_expect_str_eq(path(anon, "/home/alice/report.pdf"),
				 "/" HOME "/" ALICE "/" REPORT ".pdf");
		cr_expect_str_eq(path(anon, "home//alice/"), HOME "//" ALICE "/");
		cr_expect_str_eq(path(anon, "../alice/./x"), "../" ALICE "/./" X);
	}
	cr_expect_str_eq(path(anon, "/"), "/");
	cr_expect_str_eq(path(anon, ""), "");
	cr_expect_str_eq(path(anon, "a b\xff"), "4c0109585d7f1066");
	memset(longest, 'n', sizeof(longest));
	*anonymize__name(anon, out, longest, sizeof(longest)) = 0;
	cr_expect_str_eq(out, "48cd633895e395dc");
}

Test(anonymize, only_common_extensions_stay)
{
	static const struct {
		const char *name, *kept;
	} rows[] = {
		{ "a.tar.gz", ".gz" }, { "A.JPG", ".JPG" },
		{ "x.alice", "" },     { ".gz", "" },
		{ "x.", "" },          { "alice.smith", "" },
		{ "gz", "" },          { "a.parquet", ".parquet" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		path(anon, rows[i].name);
		cr_expect_str_eq(out + ANONYMIZE_TOKEN_LEN, rows[i].kept, "%s: %s", rows[i].name,
				 out);
		cr_expect(anonymize__is_token(out, strlen(out)), "%s", out);
	}
	cr_expect(!anonymize__is_token("alice", 5));
	cr_expect(!anonymize__is_token(ALICE ".alice", 22));
	cr_expect(!anonymize__is_token("F5D2556646B08BBC", 16));
}

Test(anonymize, arguments)
{
	static const char args[] = "alice\0/home/alice\0\0x";

	*anonymize__args(anon, out, args, sizeof(args) - 1) = 0;
	cr_expect_str_eq(out, ALICE " /" HOME "/" ALICE "  " X);
}

Test(anonymize, the_documented_size_is_enough)
{
	char many[8192];

	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? 'x' : '/';
	cr_expect_leq(anonymize__path(anon, out, many, sizeof(many)) - out, (long)sizeof(out));
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? 0 : 'x';
	cr_expect_leq(anonymize__args(anon, out, many, sizeof(many)) - out, (long)sizeof(out));
}

Test(anonymize, system_paths_stay_as_requested)
{
	cr_expect_str_eq(path(keeping, "/usr/lib/x/alice"), "/usr/lib/x/alice");
	cr_expect_str_eq(path(keeping, "/etc/passwd"), "/etc/passwd");
	cr_expect_str_eq(path(keeping, "/etc/x/alice"), "/etc/x/" ALICE);
	cr_expect_str_eq(path(keeping, "/home/alice"), "/home/" ALICE);
	cr_expect_str_eq(path(keeping, "/usr/local/bin/x"), "/usr/local/bin/" X);
	cr_expect_str_eq(path(keeping, "/var/lib/x"), "/var/lib/" X);
	cr_expect_neq(strcmp(path(keeping, "/usrx"), "/usrx"), 0);
	cr_expect(!strstr(path(keeping, "/usr/../home/alice"), "alice"));
	cr_expect(!strstr(path(keeping, "usr/lib/alice"), "alice"), "not absolute");
	cr_expect(anonymize__is_system("/usr/lib/x", 10));
	cr_expect(anonymize__is_system("/home", 5));
	cr_expect(!anonymize__is_system("/home/alice", 11));
	cr_expect(!anonymize__is_system("/etc/a/b", 8));
}

Test(anonymize, system_paths_of_macos_stay_as_requested)
{
	cr_expect_str_eq(path(keeping, "/System/Library/x/alice"), "/System/Library/x/alice");
	cr_expect_str_eq(path(keeping, "/System/Volumes/alice"), "/System/Volumes/" ALICE);
	cr_expect_str_eq(path(keeping, "/Users/alice/x"), "/Users/" ALICE "/" X);
	cr_expect_str_eq(path(keeping, "/Library/Caches/alice"), "/Library/Caches/" ALICE);
	cr_expect_str_eq(path(keeping, "/private/etc/hosts"), "/private/etc/hosts");
	cr_expect_str_eq(path(keeping, "/private/var/folders/x"), "/private/var/folders/" X);
	cr_expect_str_eq(path(keeping, "/private/tmp/alice"), "/private/tmp/" ALICE);
	cr_expect_str_eq(path(keeping, "/Applications/x"), "/Applications/" X);
	cr_expect_str_eq(path(keeping, "/Volumes/alice"), "/Volumes/" ALICE);
}

static const char *ip(const char *text)
{
	static char buf[INET6_ADDRSTRLEN];
	uint8_t raw[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	cr_assert_eq(inet_pton(family, text, raw), 1);
	(family == AF_INET ? anonymize__ipv4 : anonymize__ipv6)(anon, raw);
	return inet_ntop(family, raw, buf, sizeof(buf));
}

Test(anonymize, addresses)
{
	static const struct {
		const char *clear, *token;
	} rows[] = {
		{ "10.1.2.3", "171.130.18.243" },
		{ "10.1.2.77", "171.130.18.137" },
		{ "10.200.0.1", "171.80.255.92" },
		{ "192.168.1.1", "12.149.150.43" },
		{ "2001:db8::1", "e34f:f9d0:c6ad:6be6:bab:e9d1:bc1a:e67" },
		{ "2001:db8::ffff", "e34f:f9d0:c6ad:6be6:bab:e9d1:bc1a:c112" },
		{ "fe80::1", "6041:80bc:9e58:1d6a:dd99:1b36:e1f5:ebe9" },
		{ "127.0.0.1", "127.0.0.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "::1", "::1" },
		{ "::", "::" },
	};
	uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 }, none[6] = { 0 };
	static const uint8_t token[6] = { 0xf6, 0xc4, 0x07, 0x4f, 0x99, 0xaa };

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			cr_expect_str_eq(ip(rows[i].clear), rows[i].token, "%s", rows[i].clear);
	anonymize__mac(anon, mac);
	cr_expect_eq(memcmp(mac, token, 6), 0);
	anonymize__mac(anon, none);
	cr_expect_eq(none[0] | none[5], 0);
}

static unsigned int shared_bits(uint32_t a, uint32_t b)
{
	return a == b ? 32 : __builtin_clz(a ^ b);
}

/* Prefixes: two addresses have as many equal leading bits after as before. */
Test(anonymize, prefixes_are_kept)
{
	uint32_t clear[64], token[64], seed = 7;

	for (int i = 0; i < 64; i++) {
		uint8_t raw[4];

		seed = seed * 1664525 + 1013904223;
		/* Neighbours of the last one at all distances, except those that stay readable. */
		clear[i] = i ? clear[i - 1] ^ (1u << seed % 24) : 0x0a010203;
		for (int k = 0; k < 4; k++)
			raw[k] = clear[i] >> (24 - 8 * k);
		anonymize__ipv4(anon, raw);
		token[i] = (uint32_t)raw[0] << 24 | raw[1] << 16 | raw[2] << 8 | raw[3];
	}
	for (int i = 0; i < 64; i++)
		for (int k = 0; k < 64; k++)
			cr_expect_eq(shared_bits(clear[i], clear[k]),
				     shared_bits(token[i], token[k]));
}

/* ---- the key ---- */

Test(anonymize, key_id)
{
	unsigned char key[ANONYMIZE_KEY_SIZE] = { 1 }, other[ANONYMIZE_KEY_SIZE] = { 2 };
	char id[3][ANONYMIZE_TOKEN_LEN + 1];
	struct anonymizer *a[3];

	cr_assert_eq(anonymizer__new(&a[0], key, false), 0);
	cr_assert_eq(anonymizer__new(&a[1], key, true), 0);
	cr_assert_eq(anonymizer__new(&a[2], other, false), 0);
	for (int i = 0; i < 3; i++) {
		anonymizer__key_id(a[i], id[i]);
		cr_expect_eq(strspn(id[i], "0123456789abcdef"), ANONYMIZE_TOKEN_LEN);
		anonymizer__free(a[i]);
	}
	cr_expect_str_eq(id[0], id[1]);
	cr_expect_str_neq(id[0], id[2]);
}

Test(anonymize, the_key_is_made_once_and_kept_close)
{
	char dir[] = "/tmp/iotrc-state-XXXXXX", name[64];
	unsigned char a[32], b[32];
	struct stat st;
	int fd;

	cr_assert(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/deeper/state", dir);
	fd = state__open(name);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_assert_eq(state__secret(fd, "key", a, sizeof(a)), 0);
	cr_assert_eq(state__secret(fd, "key", b, sizeof(b)), 0);
	cr_expect_eq(memcmp(a, b, sizeof(a)), 0);
	cr_assert_eq(state__secret(fd, "other", b, sizeof(b)), 0);
	cr_expect_neq(memcmp(a, b, sizeof(a)), 0);
	cr_assert_eq(fstatat(fd, "key", &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_expect_eq(st.st_size, 32);

	cr_expect_eq(state__secret(fd, "key", a, 16), -EINVAL);
	cr_assert_eq(fchmodat(fd, "key", 0640, 0), 0);
	cr_expect_eq(state__secret(fd, "key", a, sizeof(a)), -EPERM);
	cr_assert_eq(symlinkat("other", fd, "link"), 0);
	cr_expect_eq(state__secret(fd, "link", a, sizeof(a)), -ELOOP);
	cr_assert_eq(fchmod(fd, 0755), 0);
	close(fd);
	cr_expect_eq(state__open(name), -EPERM, "others may enter");
	snprintf(name, sizeof(name), "rm -rf %s", dir);
	cr_assert_eq(system(name), 0);
}
