// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/write_all.h"
#include "platform/macros.h"
#include "platform/memory_file.h"
#include "uploader/checksums.h"
#include "uploader/target_kind.h"

static const struct {
	const char *scheme;
	const struct target_kind *kind;
} kinds[] = {
	{ "s3://", &target_s3 },
	{ "https://", &target_gateway },
	{ "http://", &target_gateway },
	{ "file://", &target_file },
};

int target__new(struct target **ret, const struct target_config *config,
		char problem[TARGET_REASON_MAX])
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strncmp(config->url, kinds[i].scheme, strlen(kinds[i].scheme)))
			continue;
		if (kinds[i].kind)
			return kinds[i].kind->new (ret, config, problem);
		target__say(problem,
			    "this is the static iotrc, without libcurl, which only sends to "
			    "file://; for %s use one that uses the system's libraries",
			    kinds[i].scheme);
		return -EOPNOTSUPP;
	}
	target__say(problem,
		    "'%.100s' is not a target: s3://BUCKET/PREFIX, https://GATEWAY or "
		    "file:///DIRECTORY",
		    config->url);
	return -EINVAL;
}

struct target *target__free(struct target *t)
{
	if (t)
		t->kind->free(t);
	return NULL;
}

/* Keys consist of names that iotrc chose; a key that leaves its directory is a caller's bug, or an
 * attack by names on the disk. */
/* Sends only what was recorded, not what a faulty disk has made of it. */
static bool is_whole(const struct target_object *object, const struct target_hooks *hooks,
		     struct checksums *sums, struct target_result *r)
{
	int err = checksums__file(sums, object->fd, 0, object->size, 0, hooks);

	if (err == -ECANCELED)
		target__result(r, TARGET_CANCELLED, false, "cancelled");
	else if (err == -EOPNOTSUPP)
		target__result(r, TARGET_REFUSED, true,
			       "the system's cryptography library has no MD5");
	else if (err == -ENOMEM)
		target__result(r, TARGET_RETRY, true, "out of memory");
	else if (err == -ENODATA)
		target__result(r, TARGET_LOCAL, false, "the file has been truncated");
	else if (err)
		target__result(r, TARGET_LOCAL, false, "can't read the file: %s", strerror(-err));
	else if (object->sha256 && strcmp(object->sha256, sums->sha256))
		target__result(r, TARGET_LOCAL, false,
			       "the file does not match its SHA-256 in the manifest");
	else
		return true;
	return false;
}

/* Puts the file and, if CHECK requests it, reads it back. */
static void put(struct target *t, const struct target_object *object, bool check,
		const struct target_hooks *hooks, struct target_result *r)
{
	struct checksums sums;

	if (!target__is_key(object->key)) {
		target__result(r, TARGET_LOCAL, false, "'%.100s' is not a valid key", object->key);
	} else if (is_whole(object, hooks, &sums, r)) {
		t->kind->put(t, object, &sums, hooks, r);
		if (check && r->verdict == TARGET_DONE && t->kind->check)
			t->kind->check(t, object, &sums, hooks, r);
	}
}

void target__put(struct target *t, const struct target_object *object,
		 const struct target_hooks *hooks, struct target_result *ret_result)
{
	put(t, object, false, hooks, ret_result);
}

void target__abort(struct target *t, const char *key, const char *upload_id,
		   struct target_result *ret_result)
{
	target__result(ret_result, TARGET_DONE, false, "%s", "");
	if (t->kind->abort)
		t->kind->abort(t, key, upload_id, ret_result);
}

static bool can_read(struct target *t, struct target_result *r)
{
	memset(r, 0, sizeof(*r));
	if (!t->kind->list)
		target__result(r, TARGET_REFUSED, true, "only s3:// targets can be read");
	return t->kind->list;
}

void target__list(struct target *t, const char *prefix,
		  bool (*on_object)(void *arg, const struct target_found *found), void *arg,
		  struct target_result *ret_result)
{
	if (can_read(t, ret_result))
		t->kind->list(t, prefix, on_object, arg, ret_result);
}

void target__get(struct target *t, const char *key, int fd, struct target_result *ret_result)
{
	if (can_read(t, ret_result))
		t->kind->get(t, key, fd, ret_result);
}

void target__remove(struct target *t, const char *key, struct target_result *ret_result)
{
	if (can_read(t, ret_result))
		t->kind->remove(t, key, ret_result);
}

void target__telemetry(struct target *t, const char *json, struct target_result *ret_result)
{
	target__result(ret_result, TARGET_DONE, false, "%s", "");
	if (t->kind->telemetry)
		t->kind->telemetry(t, json, ret_result);
}

void target__test(struct target *t, const char *bucket, const char *machine_id,
		  const struct target_hooks *hooks, struct target_result *ret_result)
{
	static const char content[] = "iotrc upload --test\n";
	char key[TARGET_KEY_MAX];
	struct target_object object = { .key = key, .size = sizeof(content) - 1 };
	int err;

	snprintf(key, sizeof(key), "%s/%s/upload-test/upload-test/upload-test.txt", bucket,
		 machine_id);
	object.fd = memory_file__new("iotrc-upload-test");
	err = object.fd < 0 ? object.fd : write_all(object.fd, content, object.size, 0);
	if (err)
		target__result(ret_result, TARGET_RETRY, true, "cannot create a file in memory: %s",
			       strerror(-err));
	else
		put(t, &object, true, hooks, ret_result);
	if (object.fd >= 0)
		close(object.fd);
}
