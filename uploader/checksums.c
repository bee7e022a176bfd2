// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/checksums.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK (UINT64_C(1) << 20)

struct hashing {
	EVP_MD_CTX *sha256, *md5;
};

static int begin_hashing(struct hashing *h)
{
	h->sha256 = EVP_MD_CTX_new();
	h->md5 = EVP_MD_CTX_new();
	if (!h->sha256 || !h->md5)
		return -ENOMEM;
	/* A crypto policy (FIPS) may refuse MD5. */
	if (EVP_DigestInit_ex(h->sha256, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestInit_ex(h->md5, EVP_md5(), NULL) != 1)
		return -EOPNOTSUPP;
	return 0;
}

static void hash_bytes(struct hashing *h, const void *data, size_t len)
{
	EVP_DigestUpdate(h->sha256, data, len);
	EVP_DigestUpdate(h->md5, data, len);
}

static void end_hashing(struct hashing *h, struct checksums *ret)
{
	unsigned char sha256[EVP_MAX_MD_SIZE];

	EVP_DigestFinal_ex(h->sha256, sha256, NULL);
	for (int i = 0; i < 32; i++)
		snprintf(ret->sha256 + 2 * i, 3, "%02x", sha256[i]);
	EVP_DigestFinal_ex(h->md5, ret->md5, NULL);
}

static void drop_hashing(struct hashing *h)
{
	EVP_MD_CTX_free(h->sha256);
	EVP_MD_CTX_free(h->md5);
}

static int add_file(struct hashing *h, int fd, uint64_t at, uint64_t len, uint64_t sent, char *buf,
		    const struct target_hooks *hooks)
{
	while (len) {
		ssize_t n = pread(fd, buf, len < CHUNK ? len : CHUNK, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		if (!target_hooks__progress(hooks, sent))
			return -ECANCELED;
		hash_bytes(h, buf, n);
		at += n;
		len -= n;
	}
	return 0;
}

int checksums__file(struct checksums *ret, int fd, uint64_t at, uint64_t len, uint64_t sent,
		    const struct target_hooks *hooks)
{
	struct hashing h = { NULL, NULL };
	char *buf = malloc(CHUNK);
	int err = buf ? begin_hashing(&h) : -ENOMEM;

	if (!err)
		err = add_file(&h, fd, at, len, sent, buf, hooks);
	if (!err)
		end_hashing(&h, ret);
	drop_hashing(&h);
	free(buf);
	return err;
}

int checksums__memory(struct checksums *ret, const void *data, uint64_t len)
{
	struct hashing h = { NULL, NULL };
	int err = begin_hashing(&h);

	if (!err) {
		hash_bytes(&h, data, len);
		end_hashing(&h, ret);
	}
	drop_hashing(&h);
	return err;
}
