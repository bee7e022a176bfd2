// SPDX-License-Identifier: GPL-2.0-or-later
/* How a target interprets answers, names and manifests. tests/upload/ tests with real stores. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"
#include "uploader/answer.h"
#include "uploader/checksums.h"
#include "uploader/etag.h"
#include "uploader/target.h"
#include "uploader/target_kind.h"
#include "uploader/telemetry.h"

static struct http_answer *answer(long status, const char *body)
{
	static struct http_answer a;

	memset(&a, 0, sizeof(a));
	a.status = status;
	strcpy(a.body, body);
	a.body_len = strlen(body);
	return &a;
}

#define ERROR(code) \
	"<?xml version=\"1.0\"?>\n<Error><Code>" code "</Code><Message>m</Message></Error>"

Test(target, answers)
{
	static const struct {
		long status;
		const char *body;
		enum target_verdict verdict;
		bool general;
		const char *words;
	} rows[] = {
		/* The code is more precise than the status. */
		{ 403, ERROR("SignatureDoesNotMatch"), TARGET_REFUSED, true,
		  "secret key is wrong" },
		{ 403, ERROR("AccessDenied"), TARGET_REFUSED, true, "permission" },
		{ 403, ERROR("QuotaExceeded"), TARGET_REFUSED, true, "quota" },
		{ 403, ERROR("ExpiredToken"), TARGET_REFUSED, true, "expired" },
		{ 404, ERROR("NoSuchBucket"), TARGET_REFUSED, true, "no such bucket" },
		{ 404, ERROR("NoSuchUpload"), TARGET_RETRY, false, "does not know" },
		{ 400, ERROR("RequestTimeout"), TARGET_RETRY, false, "no data" },
		{ 400, ERROR("BadDigest"), TARGET_RETRY, false, "corrupted on the way" },
		{ 503, ERROR("SlowDown"), TARGET_RETRY, true, "busy" },
		{ 200, ERROR("InternalError"), TARGET_RETRY, true, "an internal error" },
		/* An unknown code, or none. */
		{ 403, ERROR("Whatever"), TARGET_REFUSED, true, "Whatever: m" },
		{ 503, ERROR("Whatever"), TARGET_RETRY, true, "503" },
		{ 403, "<html>403</html>", TARGET_REFUSED, true, "403" },
		{ 500, "", TARGET_RETRY, true, "500" },
		{ 502, "", TARGET_RETRY, true, "502" },
		{ 501, "", TARGET_REFUSED, true, "501" },
		{ 507, "", TARGET_RETRY, true, "full" },
		{ 429, "", TARGET_RETRY, true, "busy" },
		{ 413, "", TARGET_REFUSED, false, "larger" },
		{ 418, "", TARGET_REFUSED, false, "418" },
		{ 301, "", TARGET_REFUSED, true, "redirect" },
		{ 999, "", TARGET_RETRY, true, "999" },
		{ 0, "", TARGET_RETRY, true, "0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_answer *a = answer(rows[i].status, rows[i].body);
		struct target_result r;

		cr_assert_not(answer__ok(a), "row %zu", i);
		answer__explain(a, "host:80", &r);
		cr_assert_eq(r.verdict, rows[i].verdict, "row %zu: %s", i, r.reason);
		cr_assert_eq(r.general, rows[i].general, "row %zu: %s", i, r.reason);
		cr_assert(strstr(r.reason, rows[i].words), "row %zu: %s", i, r.reason);
		cr_assert(strstr(r.reason, "host:80"));
	}
	cr_assert(answer__ok(answer(200, "")));
	cr_assert(answer__ok(answer(204, "")));
	/* The content of an object is not an error message. */
	cr_assert(answer__ok(answer(200, "<Error>")));
}

Test(target, what_the_rest_of_an_answer_says)
{
	struct http_answer *a = answer(301, "");
	struct target_result r;

	strcpy(a->head.region, "eu-west-1");
	answer__explain(a, "h", &r);
	cr_assert(strstr(r.reason, "--s3-region eu-west-1"), "%s", r.reason);

	a = answer(400,
		   "<Error><Code>AuthorizationHeaderMalformed</Code><Region>x-1</Region></Error>");
	answer__explain(a, "h", &r);
	cr_assert(strstr(r.reason, "--s3-region x-1"), "%s", r.reason);

	a = answer(403, ERROR("RequestTimeTooSkewed"));
	strcpy(a->head.date, "Sun, 06 Nov 1994 08:49:37 GMT");
	answer__explain(a, "h", &r);
	cr_assert(strstr(r.reason, "s off the store's"), "%s", r.reason);

	a = answer(503, ERROR("SlowDown"));
	strcpy(a->head.retry_after, "120");
	answer__explain(a, "h", &r);
	cr_assert_eq(r.retry_after_s, 120);

	a = answer(500, "");
	a->read_error = -5;
	answer__explain(a, "h", &r);
	cr_assert_eq(r.verdict, TARGET_LOCAL);
	a->cancelled = true;
	answer__explain(a, "h", &r);
	cr_assert_eq(r.verdict, TARGET_CANCELLED);
}

Test(target, hostile_answers_stay_on_one_line)
{
	struct http_answer *a =
		answer(400, "<Error><Code>\033[2J\n\r</Code><Message>a\tb\nc</Message></Error>");
	struct target_result r;
	char body[4096];

	answer__explain(a, "h", &r);
	for (const char *s = r.reason; *s; s++)
		cr_assert_geq((unsigned char)*s, ' ');
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = 0;
	memcpy(body, "<Error><Code>", 13);
	answer__explain(answer(400, body), "h", &r);
	cr_assert_lt(strlen(r.reason), TARGET_REASON_MAX);
}

Test(target, no_answer)
{
	static const struct {
		CURLcode error;
		enum target_verdict verdict;
	} rows[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, TARGET_RETRY },
		{ CURLE_COULDNT_CONNECT, TARGET_RETRY },
		{ CURLE_OPERATION_TIMEDOUT, TARGET_RETRY },
		{ CURLE_RECV_ERROR, TARGET_RETRY },
		{ CURLE_PEER_FAILED_VERIFICATION, TARGET_REFUSED },
		{ CURLE_OUT_OF_MEMORY, TARGET_RETRY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_answer *a = answer(0, "");
		struct target_result r;

		a->error = rows[i].error;
		cr_assert_not(answer__ok(a));
		answer__explain(a, "h", &r);
		cr_assert_eq(r.verdict, rows[i].verdict, "%d", rows[i].error);
		cr_assert(r.general);
	}
}

Test(target, a_proxy_that_lets_nobody_through)
{
	static const struct {
		long status;
		enum target_verdict verdict;
		const char *word;
	} rows[] = {
		{ 407, TARGET_REFUSED, "refuses these credentials" },
		{ 403, TARGET_REFUSED, "refuses the connection" },
		{ 502, TARGET_RETRY, "can't reach it" },
		{ 200, TARGET_RETRY, "the connection broke" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_answer *a = answer(0, "");
		struct target_result r;

		a->error = CURLE_RECV_ERROR;
		a->tunnel_status = rows[i].status;
		answer__explain(a, "h", &r);
		cr_assert_eq(r.verdict, rows[i].verdict, "%ld", rows[i].status);
		cr_assert(r.general && strstr(r.reason, rows[i].word), "%s", r.reason);
	}
}

Test(target, retry_after)
{
	/* date -u -d 'Sun, 06 Nov 1994 08:49:37 GMT' +%s */
	const int64_t then = 784111777;

	cr_assert_eq(answer__retry_after("0", then), 0);
	cr_assert_eq(answer__retry_after("17", then), 17);
	cr_assert_eq(answer__retry_after("999999999999999999999", then), 86400);
	cr_assert_eq(answer__retry_after("17 s", then), 0);
	cr_assert_eq(answer__retry_after("-5", then), 0);
	cr_assert_eq(answer__retry_after("", then), 0);
	cr_assert_eq(answer__retry_after("soon", then), 0);
	cr_assert_eq(answer__retry_after("Sun, 06 Nov 1994 08:49:37 GMT", then), 0);
	cr_assert_eq(answer__retry_after("Sun, 06 Nov 1994 08:50:37 GMT", then), 60);
	cr_assert_eq(answer__retry_after("Sun, 06 Nov 1994 08:48:37 GMT", then), 0);
	cr_assert_eq(answer__retry_after("Sun, 06 Nov 2044 08:49:37 GMT", then), 86400);
}

Test(target, xml)
{
	static const char text[] =
		"<a><Part><ETag>&quot;x&amp;y&quot;</ETag><N>1</N></Part><N>2</N><E/></a>";
	char buf[16];

	cr_assert(answer__xml(text, "ETag", buf, sizeof(buf)));
	cr_assert_str_eq(buf, "\"x&y\"");
	cr_assert(answer__xml(text, "N", buf, sizeof(buf)));
	cr_assert_str_eq(buf, "1");
	cr_assert_null(answer__xml(text, "E", buf, sizeof(buf)));
	cr_assert_null(answer__xml(text, "Par", buf, sizeof(buf)));
	cr_assert_str_empty(buf);
	cr_assert_null(answer__xml("<N>1", "N", buf, sizeof(buf)));
	cr_assert_null(answer__xml("<", "N", buf, sizeof(buf)));
	cr_assert(answer__xml("<N>0123456789</N>", "N", buf, 4));
	cr_assert_str_eq(buf, "012");
}

Test(target, encoding)
{
	char buf[16], *end = buf + sizeof(buf);

	cr_assert_eq(http__encode(buf, end, "h=1/~a", true), buf + 8);
	cr_assert_str_eq(buf, "h%3D1/~a");
	cr_assert(http__encode(buf, end, "a/b", false));
	cr_assert_str_eq(buf, "a%2Fb");
	cr_assert(http__encode(buf, end, "\xc3\xa4", false));
	cr_assert_str_eq(buf, "%C3%A4");
	cr_assert_null(http__encode(buf, end, "                ", false));
}

Test(target, etags)
{
	/* printf hello | md5sum */
	static const unsigned char md5[] = { 0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76,
					     0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5, 0x92 };
	static const struct {
		const char *etag, *encryption, *customer;
		bool matches;
	} rows[] = {
		{ "5d41402abc4b2a76b9719d911017c592", "", "", true },
		{ "\"5d41402abc4b2a76b9719d911017c592\"", "", "", true },
		{ "\"5D41402ABC4B2A76B9719D911017C592\"", "AES256", "", true },
		{ "\"5d41402abc4b2a76b9719d911017c593\"", "", "", false },
		{ "\"5d41402abc4b2a76b9719d911017c593\"", "AES256", "", false },
		{ "\"5d41402abc4b2a76b9719d911017c592-1\"", "", "", false },
		/* These say nothing about the content. */
		{ "\"5d41402abc4b2a76b9719d911017c593\"", "aws:kms", "", true },
		{ "\"5d41402abc4b2a76b9719d911017c593\"", "", "AES256", true },
		{ "\"W/0x8DB\"", "", "", true },
		{ "\"\"", "", "", true },
	};
	char expected[ETAG_MD5_SIZE];
	struct target_result r;
	struct checksums sums;

	etag__expect(expected, md5);
	cr_assert_eq(checksums__memory(&sums, "hello", 5), 0);
	cr_assert_arr_eq(sums.md5, md5, MD5_SIZE);
	/* printf hello | sha256sum */
	cr_assert_str_eq(sums.sha256,
			 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_answer *a = answer(200, "");

		strcpy(a->head.encryption, rows[i].encryption);
		strcpy(a->head.customer_key, rows[i].customer);
		cr_assert_eq(etag__matches(a, rows[i].etag, expected), rows[i].matches, "row %zu",
			     i);
		cr_assert_eq(etag__check(a, "h", rows[i].etag, expected, &r), rows[i].matches,
			     "row %zu", i);
	}
	cr_assert_not(etag__check(answer(200, ""), "h", "", expected, &r));
	cr_assert_eq(r.verdict, TARGET_RETRY);
}

Test(target, telemetry_names_nothing)
{
	static const char manifest[] =
		"{\"machine_id\": \"0123456789ABCDEF\", \"host\": {\"platform\": \"Linux\", \"kernel\": \"6.1\", \"name\": \"SECRET\"},"
		" \"tracer\": {\"version\": \"0.1.0\", \"engine\": \"bpf\", \"command_line\": \"iotrc --path /SECRET\"},"
		" \"session\": {\"duration_seconds\": 8.5, \"state\": \"complete\", \"user\": \"SECRET\"},"
		" \"files\": [{\"path\": \"fs/SECRET\"}], \"diagnostics\": {\"streams\": {"
		"\"fs\": {\"seen\": 9, \"written\": 5, \"filtered\": 1, \"lost\": {\"ring\": 1, \"queue\": 2, \"disk\": 0}},"
		"\"block\": {\"seen\": 7, \"written\": 7, \"filtered\": 0, \"lost\": {\"ring\": 0, \"queue\": 0, \"disk\": 0}}}}}";
	static const char expected[] =
		"{\"computer_id\": \"0123456789ABCDEF\", \"operating_system\": \"Linux\", \"duration_s\": 8.5,"
		" \"kernel\": \"6.1\", \"version\": \"0.1.0\", \"engine\": \"bpf\", \"state\": \"complete\","
		" \"events\": {\"fs\": 5, \"block\": 7}, \"lost\": {\"fs\": 3, \"block\": 0}}";
	json_t *m = json_loads(manifest, 0, NULL), *e = json_loads(expected, 0, NULL), *t;

	cr_assert(m && e);
	t = telemetry__new(m);
	cr_assert(json_equal(t, e), "%s", json_dumps(t, 0));
	json_decref(t);
	t = telemetry__new(e); /* not a manifest: little is reported, and nothing fails */
	cr_assert(t);
	json_decref(t);
	json_decref(m);
	json_decref(e);
}
