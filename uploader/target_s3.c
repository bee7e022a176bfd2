// SPDX-License-Identifier: GPL-2.0-or-later
/* The target s3://: its configuration, and requests for one object at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "uploader/answer.h"
#include "uploader/etag.h"
#include "uploader/s3.h"

#define SCHEME "s3://"
#define DEFAULT_REGION "us-east-1" /* the region of stores without regions */
/* Before 7.87 libcurl signed none of a request's own headers. */
#define CURL_NEEDED 0x075800

static const char *environment(const char *const *names)
{
	const char *value = NULL;

	for (; *names && !(value && *value); names++)
		value = getenv(*names);
	return value && *value ? value : NULL;
}

/* AWS allows lower-case letters, digits, - and . here; older buckets and other stores allow more.
 * No character may end a host name or a path component. */
static bool is_bucket(const char *s, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";

	if (len < 1 || len > 255 || !memcmp(s, "..", len < 2 ? len : 2))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!memchr(allowed, s[i], sizeof(allowed) - 1))
			return false;
	return true;
}

/* Builds base URL and host from ENDPOINT, in which {bucket} stands for the bucket's name; without
 * it the bucket is the first component of the path. */
static int set_base(struct s3_target *t, const char *endpoint, const char *bucket,
		    char problem[TARGET_REASON_MAX])
{
	static const char mark[] = "{bucket}";
	const char *scheme = strstr(endpoint, "://"), *at = strstr(endpoint, mark);
	size_t len = strlen(endpoint), n = at ? (size_t)(at - endpoint) : 0;
	int made;

	if (!scheme ||
	    (strncasecmp(endpoint, "https://", 8) && strncasecmp(endpoint, "http://", 7)) ||
	    !scheme[3] || scheme[3] == '/' || len > S3_ENDPOINT_MAX ||
	    strpbrk(endpoint, "?#@ \t\r\n")) {
		target__say(problem,
			    "'%.200s' is not an S3 endpoint: https://HOST[:PORT], or "
			    "https://{bucket}.HOST for virtual-host style",
			    endpoint);
		return -EINVAL;
	}
	while (endpoint[len - 1] == '/')
		len--;
	if (at)
		made = asprintf(&t->base, "%.*s%s%.*s/", (int)n, endpoint, bucket,
				(int)(len - n - strlen(mark)), at + strlen(mark));
	else
		made = asprintf(&t->base, "%.*s/%s/", (int)len, endpoint, bucket);
	if (made < 0) {
		t->base = NULL;
		return -ENOMEM;
	}
	scheme = strstr(t->base, "://") + 3;
	t->host = strndup(scheme, strcspn(scheme, "/"));
	return t->host ? 0 : -ENOMEM;
}

static int set_prefix(struct s3_target *t, const char *prefix, char problem[TARGET_REASON_MAX])
{
	size_t len = strlen(prefix);
	char *bare;
	bool ok;

	while (len && prefix[len - 1] == '/')
		len--;
	bare = strndup(prefix, len);
	if (!bare)
		return -ENOMEM;
	ok = !len || target__is_key(bare);
	if (!ok)
		target__say(problem,
			    "'%.200s' is not a valid prefix: it has an empty component, . or ..",
			    bare);
	else if (asprintf(&t->prefix, "%s%s", bare, len ? "/" : "") < 0)
		t->prefix = NULL;
	free(bare);
	return !ok ? -EINVAL : t->prefix ? 0 : -ENOMEM;
}

static int set_provider(struct s3_target *t, const char *region)
{
	static const char *const names[] = { "AWS_REGION", "AWS_DEFAULT_REGION", NULL };

	if (!region)
		region = environment(names) ?: DEFAULT_REGION;
	/* It is written between colons, in a header. */
	if (region[strspn(region,
			  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")])
		return -EINVAL;
	if (asprintf(&t->provider, "aws:amz:%s:s3", region) < 0) {
		t->provider = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void s3_free(struct target *target)
{
	struct s3_target *t = (struct s3_target *)target;

	http__free(t->http);
	credentials__free(t->credentials);
	free(t->credentials_file);
	free(t->base);
	free(t->host);
	free(t->prefix);
	free(t->provider);
	free(t);
}

static int set_up_s3(struct s3_target *t, const struct target_config *config,
		     char problem[TARGET_REASON_MAX])
{
	static const char *const names[] = { "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", NULL };
	const char *endpoint = config->s3_endpoint ?: environment(names);
	const char *rest = config->url + strlen(SCHEME);
	size_t len = strcspn(rest, "/");
	char bucket[256];
	int err;

	if (!is_bucket(rest, len)) {
		target__say(problem, "'%.200s' names no bucket: s3://BUCKET/PREFIX", config->url);
		return -EINVAL;
	}
	snprintf(bucket, sizeof(bucket), "%.*s", (int)len, rest);
	if (strlen(rest) > TARGET_KEY_MAX / 2) {
		target__say(problem, "the prefix of '%.100s...' is too long", config->url);
		return -EINVAL;
	}
	if (!endpoint) {
		target__say(problem,
			    "s3:// needs --s3-endpoint URL or AWS_ENDPOINT_URL_S3 (of AWS it is "
			    "https://s3.REGION.amazonaws.com, with --s3-region REGION)");
		return -EINVAL;
	}
	if (curl_version_info(CURLVERSION_NOW)->version_num < CURL_NEEDED) {
		target__say(problem, "s3:// needs libcurl 7.88 or later, here is %s",
			    curl_version_info(CURLVERSION_NOW)->version);
		return -EOPNOTSUPP;
	}
	err = set_provider(t, config->s3_region);
	if (err == -EINVAL) {
		target__say(problem, "'%.100s' is not a valid region",
			    config->s3_region ?: "the environment's");
		return err;
	}
	if (!err)
		err = set_base(t, endpoint, bucket, problem);
	if (err == -EINVAL)
		return err;
	if (!err)
		err = set_prefix(t, rest + len + (rest[len] == '/'), problem);
	if (err == -EINVAL)
		return err;
	if (!err && config->credentials) {
		t->credentials_file = strdup(config->credentials);
		err = t->credentials_file ? 0 : -ENOMEM;
	}
	if (err) {
		target__say(problem, "out of memory");
		return err;
	}
	t->part_bytes = config->part_bytes ?: TARGET_PART_BYTES;
	err = http__new(&t->http, config, problem);
	if (!err)
		err = credentials__keys(&t->credentials, t->credentials_file, problem);
	return err;
}

static int s3_new(struct target **ret, const struct target_config *config,
		  char problem[TARGET_REASON_MAX])
{
	struct s3_target *t = calloc(1, sizeof(*t));
	int err;

	if (!t) {
		target__say(problem, "out of memory");
		return -ENOMEM;
	}
	t->target.kind = &target_s3;
	err = set_up_s3(t, config, problem);
	if (err) {
		s3_free(&t->target);
		return err;
	}
	*ret = &t->target;
	return 0;
}

static void put_whole(struct s3_target *t, const struct target_object *object,
		      const struct checksums *sums, const struct target_hooks *hooks,
		      struct target_result *result)
{
	struct s3_request r = {
		.method = "PUT",
		.key = object->key,
		.sha256 = sums->sha256,
		.md5 = sums->md5,
		.meta_sha256 = sums->sha256,
		.fd = object->fd,
		.len = object->size,
	};
	const struct http_answer *a;
	char expected[ETAG_MD5_SIZE];

	etag__expect(expected, sums->md5);
	if (s3__ask(t, &r, hooks, &a, result) &&
	    etag__check(a, t->host, a->head.etag, expected, result) &&
	    s3__confirm(t, object, sums, expected, hooks, result))
		target__result(result, TARGET_DONE, false, "%s", "");
}

static void s3_put(struct target *target, const struct target_object *object,
		   const struct checksums *sums, const struct target_hooks *hooks,
		   struct target_result *result)
{
	struct s3_target *t = (struct s3_target *)target;

	if (strlen(t->prefix) + strlen(object->key) > TARGET_KEY_MAX)
		target__result(result, TARGET_REFUSED, false, "the key is longer than %d bytes",
			       TARGET_KEY_MAX);
	else if (object->size > t->part_bytes)
		s3_parts__put(t, object, sums, hooks, result);
	else
		put_whole(t, object, sums, hooks, result);
}

/* Uploading needs neither read nor delete permission; missing permissions are only reported. */
static void s3_check(struct target *target, const struct target_object *object,
		     const struct checksums *sums, const struct target_hooks *hooks,
		     struct target_result *result)
{
	struct s3_target *t = (struct s3_target *)target;
	struct s3_request get = { .method = "GET", .key = object->key };
	struct s3_request delete = { .method = "DELETE", .key = object->key };
	const struct http_answer *a;
	struct target_result note;
	struct checksums there;

	if (s3__ask(t, &get, hooks, &a, &note)) {
		if (checksums__memory(&there, a->body, a->body_len) ||
		    strcmp(there.sha256, sums->sha256)) {
			target__result(result, TARGET_RETRY, true,
				       "%.150s: its object is not what was sent", t->host);
			return;
		}
	} else {
		target__result(result, TARGET_DONE, true, "it could not be read back: %s",
			       note.reason);
	}
	if (!s3__ask(t, &delete, hooks, &a, &note))
		target__result(result, TARGET_DONE, true, "%s%sthe test object stays there: %s",
			       result->reason, *result->reason ? "; " : "", note.reason);
}

const struct target_kind target_s3 = {
	.new = s3_new,
	.free = s3_free,
	.put = s3_put,
	.abort = s3_parts__abort,
	.check = s3_check,
	.list = s3_objects__list,
	.get = s3_objects__get,
	.remove = s3_objects__remove,
};
