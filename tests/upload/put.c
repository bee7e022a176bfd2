// SPDX-License-Identifier: GPL-2.0-or-later
/* Sends objects to one target, for the tests of targets: pairs of KEY and FILE from the command
 * line or from stdin. Prints a line of JSON with the result of each. `iotrc upload` sends
 * sessions. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "uploader/target.h"

static const char *const verdicts[] = {
	[TARGET_DONE] = "done",   [TARGET_RETRY] = "retry",         [TARGET_REFUSED] = "refused",
	[TARGET_LOCAL] = "local", [TARGET_CANCELLED] = "cancelled",
};

static struct {
	uint64_t cancel_at, sent;
	json_t *ids; /* the arguments of multipart() */
} seen;

static bool on_progress(void *data, uint64_t sent)
{
	seen.sent = sent;
	return !seen.cancel_at || sent < seen.cancel_at;
}

static void on_multipart(void *data, const char *id)
{
	json_array_append_new(seen.ids, id ? json_string(id) : json_null());
}

static void print(const struct target_result *r)
{
	json_t *json = json_pack("{s:s, s:s, s:b, s:i, s:I, s:O}", "verdict", verdicts[r->verdict],
				 "reason", r->reason, "general", r->general, "retry_after",
				 r->retry_after_s, "sent", (json_int_t)seen.sent, "ids", seen.ids);

	json_dumpf(json, stdout, 0);
	puts("");
	fflush(stdout);
	json_decref(json);
}

static void put_file(struct target *target, struct target_object *object, const char *key,
		     const char *path, const struct target_hooks *hooks)
{
	struct target_result result;
	struct stat st;

	object->key = key;
	object->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (object->fd < 0 || fstat(object->fd, &st) < 0) {
		perror(path);
		exit(2);
	}
	object->size = st.st_size;
	target__put(target, object, hooks, &result);
	print(&result);
	close(object->fd);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "url", 1, NULL, 'u' },       { "endpoint", 1, NULL, 'e' },
		{ "region", 1, NULL, 'r' },    { "credentials", 1, NULL, 'c' },
		{ "ca", 1, NULL, 'a' },        { "rate", 1, NULL, 'R' },
		{ "part", 1, NULL, 'p' },      { "stall", 1, NULL, 's' },
		{ "connect", 1, NULL, 'C' },   { "sha256", 1, NULL, 'h' },
		{ "upload-id", 1, NULL, 'i' }, { "cancel-at", 1, NULL, 'x' },
		{ "abort", 0, NULL, 'A' },     { "test", 0, NULL, 't' },
		{ "telemetry", 1, NULL, 'T' }, { "no-resume", 0, NULL, 'n' },
		{ "answer", 1, NULL, 'w' },    { "slowest", 1, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	struct target_config config = { .stall_timeout_s = 5, .connect_timeout_s = 5 };
	struct target_object object = { 0 };
	struct target_hooks hooks = { .progress = on_progress, .multipart = on_multipart };
	struct target_result result;
	struct target *target;
	char problem[TARGET_REASON_MAX];
	const char *telemetry = NULL;
	bool abort = false, test = false;
	int o;

	signal(SIGPIPE, SIG_IGN);
	seen.ids = json_array();
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (o) {
		case 'u':
			config.url = optarg;
			break;
		case 'e':
			config.s3_endpoint = optarg;
			break;
		case 'r':
			config.s3_region = optarg;
			break;
		case 'c':
			config.credentials = optarg;
			break;
		case 'a':
			config.ca_file = optarg;
			break;
		case 'R':
			config.rate = strtoull(optarg, NULL, 10);
			break;
		case 'p':
			config.part_bytes = strtoull(optarg, NULL, 10);
			break;
		case 's':
			config.stall_timeout_s = atoi(optarg);
			break;
		case 'C':
			config.connect_timeout_s = atoi(optarg);
			break;
		case 'w':
			config.answer_timeout_s = atoi(optarg);
			break;
		case 'S':
			config.slowest = strtoull(optarg, NULL, 10);
			break;
		case 'h':
			object.sha256 = optarg;
			break;
		case 'i':
			object.upload_id = optarg;
			break;
		case 'x':
			seen.cancel_at = strtoull(optarg, NULL, 10);
			break;
		case 'A':
			abort = true;
			break;
		case 't':
			test = true;
			break;
		case 'T':
			telemetry = optarg;
			break;
		case 'n':
			hooks.multipart = NULL;
			break;
		default:
			return 2;
		}
	if (target__new(&target, &config, problem)) {
		json_t *json = json_pack("{s:s, s:s}", "verdict", "config", "reason", problem);

		json_dumpf(json, stdout, 0);
		json_decref(json);
		json_decref(seen.ids);
		return 0;
	}
	if (test) {
		target__test(target, "linux_v1", "0123456789ABCDEF", &hooks, &result);
		print(&result);
	} else if (telemetry) {
		target__telemetry(target, telemetry, &result);
		print(&result);
	} else if (abort) {
		target__abort(target, argv[optind], object.upload_id, &result);
		print(&result);
	} else if (optind < argc) {
		for (; optind + 1 < argc; optind += 2)
			put_file(target, &object, argv[optind], argv[optind + 1], &hooks);
	} else {
		/* One at a time, as somebody asks for them. */
		char key[1024], path[1024];

		while (scanf("%1023s %1023s", key, path) == 2)
			put_file(target, &object, key, path, &hooks);
	}
	target__free(target);
	json_decref(seen.ids);
	return 0;
}
