// SPDX-License-Identifier: GPL-2.0-or-later
/* A gateway that knows the store, and returns a presigned URL for each file. */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_text.h"
#include "platform/macros.h"
#include "uploader/answer.h"
#include "uploader/credentials.h"
#include "uploader/etag.h"
#include "uploader/http.h"
#include "uploader/target_kind.h"

#define URL_MAX 16384
#define GATEWAY_MAX 1024
#define DEPTH_MAX 3 /* of the JSON that is searched for a URL */

struct gateway_target {
	struct target target;
	struct http *http;
	struct credentials *credentials;
	bool refused; /* of the token file, so that a new token is read */
	char *credentials_file;
	char *url;  /* without a slash at its end */
	char *host; /* of messages */
};

static bool is_https(const char *url)
{
	return !strncasecmp(url, "https://", 8);
}

static bool is_http(const char *url)
{
	return !strncasecmp(url, "http://", 7);
}

/* A token, and a URL that allows writing, must not be sent over a network unencrypted. */
static bool is_allowed(const char *url)
{
	return is_https(url) || http__is_local(url);
}

static void gateway_free(struct target *target)
{
	struct gateway_target *t = (struct gateway_target *)target;

	http__free(t->http);
	credentials__free(t->credentials);
	free(t->credentials_file);
	free(t->url);
	free(t->host);
	free(t);
}

static int set_up_gateway(struct gateway_target *t, const struct target_config *config,
			  char problem[TARGET_REASON_MAX])
{
	const char *url = config->url;
	size_t len = strlen(url);
	int err;

	if (len > GATEWAY_MAX || strpbrk(url, "?#@ \t\r\n") ||
	    strchr(":/", strstr(url, "://")[3])) {
		target__say(problem, "'%.200s' is not a gateway: https://HOST[:PORT][/PATH]", url);
		return -EINVAL;
	}
	while (url[len - 1] == '/')
		len--;
	t->url = strndup(url, len);
	t->host = t->url ? http__host(t->url) : NULL;
	if (config->credentials)
		t->credentials_file = strdup(config->credentials);
	if (!t->host || (config->credentials && !t->credentials_file)) {
		target__say(problem, "'%.200s' is not a gateway, or out of memory", url);
		return -EINVAL;
	}
	if (!is_allowed(t->url)) {
		target__say(problem, "%.200s: a gateway beyond this machine must be https://",
			    t->host);
		return -EINVAL;
	}
	err = http__new(&t->http, config, problem);
	return err ?: credentials__token(&t->credentials, t->credentials_file, problem);
}

static int gateway_new(struct target **ret, const struct target_config *config,
		       char problem[TARGET_REASON_MAX])
{
	struct gateway_target *t = calloc(1, sizeof(*t));
	int err;

	if (!t) {
		target__say(problem, "out of memory");
		return -ENOMEM;
	}
	t->target.kind = &target_gateway;
	err = set_up_gateway(t, config, problem);
	if (err) {
		gateway_free(&t->target);
		return err;
	}
	*ret = &t->target;
	return 0;
}

/* Asks the gateway. Returns NULL, or a failed answer described in RESULT. */
static const struct http_answer *ask(struct gateway_target *t, struct http_request *r,
				     const char *type, const struct target_hooks *hooks,
				     struct target_result *result)
{
	const struct http_answer *a = NULL;
	struct curl_slist *headers = NULL;
	bool ok = true;

	if (t->refused)
		credentials__renew(&t->credentials, t->credentials_file, credentials__token);
	t->refused = false;
	if (*t->credentials->token)
		http__header(&headers, &ok, "Authorization: Bearer %s", t->credentials->token);
	if (type)
		http__header(&headers, &ok, "Content-Type: %s", type);
	r->headers = headers;
	r->host = t->host;
	r->local = http__is_local(t->url);
	if (ok)
		a = http__do(t->http, r, 0, hooks);
	else
		target__result(result, TARGET_RETRY, true, "out of memory");
	curl_slist_free_all(headers);
	if (a && !answer__ok(a)) {
		answer__explain(a, t->host, result);
		if (!a->error && (a->status == 401 || a->status == 403)) {
			target__result(
				result, TARGET_REFUSED, true,
				"%.150s: the gateway does not accept %s (%ld)", t->host,
				*t->credentials->token ?
					"this token" :
					"this without a token (IOTRC_UPLOAD_TOKEN, or in the file of "
					"--upload-credentials)",
				a->status);
			t->refused = true;
		}
	}
	return a;
}

/* Returns the first string in JSON that is a URL. */
/* NOLINTNEXTLINE(misc-no-recursion): DEPTH is decremented */
static const char *find_url(const json_t *json, int depth)
{
	const char *key, *url = NULL;
	json_t *value;
	size_t i;

	if (json_is_string(json)) {
		url = json_string_value(json);
		return is_https(url) || is_http(url) ? url : NULL;
	}
	if (!depth)
		return NULL;
	json_object_foreach((json_t *)json, key, value)
		if (!url)
			url = find_url(value, depth - 1);
	json_array_foreach(json, i, value)
		if (!url)
			url = find_url(value, depth - 1);
	return url;
}

/* Returns a copy of the URL in the gateway's answer, which is plain or a value of any name in JSON;
 * or NULL. */
static char *read_url(const struct http_answer *a)
{
	const char *body = a->body + strspn(a->body, " \t\r\n");
	json_t *json = NULL;
	char *url = NULL;
	const char *found = body;

	if (!is_https(body) && !is_http(body)) {
		json = json_text__value(a->body, a->body_len, SIZE_MAX);
		found = json ? find_url(json, DEPTH_MAX) : NULL;
	}
	if (found) {
		size_t len = strcspn(found, " \t\r\n\"<>");

		if (len < URL_MAX && found[len + strspn(found + len, " \t\r\n")] == 0)
			url = strndup(found, len);
	}
	json_decref(json);
	return url;
}

static char *get_url(struct gateway_target *t, const char *key, const struct target_hooks *hooks,
		     struct target_result *result)
{
	char url[GATEWAY_MAX + sizeof("/presigned-url/") + 3 * TARGET_KEY_MAX];
	struct http_request r = { .method = "GET", .url = url };
	const struct http_answer *a;
	char *presigned;

	http__encode(url + sprintf(url, "%s/presigned-url/", t->url), url + sizeof(url), key, true);
	a = ask(t, &r, NULL, hooks, result);
	if (!a || !answer__ok(a))
		return NULL;
	presigned = read_url(a);
	if (!presigned) {
		target__result(result, TARGET_RETRY, true,
			       "%.150s: the gateway's answer contains no URL", t->host);
		return NULL;
	}
	/* A remote gateway must not direct us to services on our loopback interface. */
	if (!is_allowed(presigned) || (!is_https(presigned) && is_https(t->url))) {
		target__result(
			result, TARGET_REFUSED, true,
			"%.150s: the gateway's URL is not https://, so it would be sent unencrypted",
			t->host);
		free(presigned);
		return NULL;
	}
	return presigned;
}

/* Only version 4 signatures ignore these: version 2 signs Content-MD5 and Content-Type, and their
 * absence. */
static bool takes_fields(const char *url)
{
	return strstr(url, "X-Amz-Signature=");
}

static void gateway_put(struct target *target, const struct target_object *object,
			const struct checksums *sums, const struct target_hooks *hooks,
			struct target_result *result)
{
	struct gateway_target *t = (struct gateway_target *)target;
	char *url = get_url(t, object->key, hooks, result), *host = url ? http__host(url) : NULL;
	struct http_request r = {
		.method = "PUT",
		.url = url,
		.host = host,
		.file = true,
		.fd = object->fd,
		.len = object->size,
		.local = url && http__is_local(url),
	};
	char expected[ETAG_MD5_SIZE];
	unsigned char md5[MD5_SIZE * 2];
	const struct http_answer *a;
	bool ok = host;

	if (url && takes_fields(url)) {
		EVP_EncodeBlock(md5, sums->md5, MD5_SIZE);
		http__header(&r.headers, &ok, "Content-MD5: %s", (char *)md5);
	}
	if (ok) {
		a = http__do(t->http, &r, 0, hooks);
		etag__expect(expected, sums->md5);
		if (!answer__ok(a))
			answer__explain(a, host, result);
		else if (etag__check(a, host, a->head.etag, expected, result))
			target__result(result, TARGET_DONE, false, "%s", "");
	} else if (url) {
		target__result(result, TARGET_RETRY, true, "out of memory");
	}
	curl_slist_free_all(r.headers);
	free(host);
	free(url);
}

static void gateway_telemetry(struct target *target, const char *json, struct target_result *result)
{
	struct gateway_target *t = (struct gateway_target *)target;
	char url[GATEWAY_MAX + sizeof("/telemetry")];
	struct http_request r = { .method = "POST", .url = url, .data = json, .len = strlen(json) };
	const struct http_answer *a;

	sprintf(url, "%s/telemetry", t->url);
	a = ask(t, &r, "application/json", NULL, result);
	if (a && answer__ok(a))
		target__result(result, TARGET_DONE, false, "%s", "");
}

const struct target_kind target_gateway = {
	.new = gateway_new,
	.free = gateway_free,
	.put = gateway_put,
	.telemetry = gateway_telemetry,
};
