// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line and the configuration file, read by the table of options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options/command.h"
#include "options/config.h"
#include "options/nearest.h"
#include "options/options_table.h"
#include "platform/libc.h"
#include "uploader/credentials.h"

/* The streams that are on by default; those of the cache only on a large enough machine. */
#define STREAMS_DEFAULT \
	(STREAM_BIT(STREAM_FS) | STREAM_BIT(STREAM_BLOCK) | STREAM_BIT(STREAM_NW_CONN))

static int unknown_option(struct parse *p, const char *name, size_t len)
{
	struct nearest n = nearest__begin(len);

	for (const struct option_row *o = option_rows; o->name; o++)
		if (o->set)
			nearest__try(&n, name, len, o->name);
	if (len > 100)
		len = 100;
	if (n.word)
		return option__fail(p, "--%.*s: no such option (--%s?), see iotrc --help", (int)len,
				    name, n.word);
	return option__fail(p, "--%.*s: no such option, see iotrc --help", (int)len, name);
}

static int parse_word(struct parse *p, const char *word)
{
	const char *nearest;

	if (p->upload) {
		if (!p->o.dirs)
			p->o.dirs = calloc(p->o.argc, sizeof(*p->o.dirs));
		if (!p->o.dirs)
			return option__fail(p, "out of memory");
		p->o.dirs[p->o.n_dirs++] = word;
		return 0;
	}
	if (!strcmp(word, "dev")) {
		p->o.dev = true;
		return 0;
	}
	if (command__find(word))
		return option__fail(p, "%s: comes before its options", word);
	nearest = command__nearest(word);
	if (nearest)
		return option__fail(p, QUOTED ": no such command, did you mean %s?", word, nearest);
	return option__fail(p, QUOTED ": no such command, see iotrc --help", word);
}

static bool takes_next(const struct option_row *option, const char *next)
{
	return option__takes_value(option) ||
	       (option->arg && option->arg[1] != '=' && next && *next != '-');
}

static uint32_t digest(uint32_t h, const char *text)
{
	do /* FNV-1a, the NUL included */
		h = (h ^ (unsigned char)*text) * 16777619u;
	while (*text++);
	return h;
}

/* Sets OPTION. When the command line sets it for the first time, values from the file are
 * discarded. */
static int set_option(struct parse *p, const struct option_row *option, const char *value)
{
	size_t i = option - option_rows;

	if (p->overruling && !p->overruled[i]) {
		p->overruled[i] = true;
		p->o.digests[i] = 0;
		if (option->counter)
			*(size_t *)((char *)&p->o + option->counter) = 0;
	}
	p->o.digests[i] = digest(p->o.digests[i] ^ 2166136261u, value ?: "");
	p->row = option;
	return option->set(p, value);
}

/* Applies OPTION. VALUE is what was joined to it, or NULL. If the value is the next argument, NEXT
 * is advanced. */
static int apply(struct parse *p, const struct option_row *option, const char *value, char ***next)
{
	if (p->upload && !option__goes_with_upload(option))
		return option__fail(p, "--%s: not with upload, see iotrc upload --help",
				    option->name);
	if (!option->arg && value)
		return option__fail(p, "--%s: takes no value", option->name);
	if (!value && takes_next(option, **next)) {
		if (!**next)
			return option__fail(p, "--%s: needs a value (%s)", option->name,
					    option->arg);
		value = *(*next)++;
	}
	return set_option(p, option, value);
}

static int parse_long(struct parse *p, const char *text, char ***next)
{
	size_t len = strcspn(text, "=");

	for (const struct option_row *o = option_rows; o->name; o++)
		if (strlen(o->name) == len && !memcmp(o->name, text, len))
			return apply(p, o, text[len] ? text + len + 1 : NULL, next);
	return unknown_option(p, text, len);
}

static bool goes_on(const struct parse *p)
{
	return p->o.action == ACTION_RECORD || p->o.action == ACTION_CHECK_CONFIG;
}

/* -v, -qv, -o DIR, -oDIR. */
static int parse_brief(struct parse *p, const char *text, char ***next)
{
	int err = 0;

	while (!err && *text && goes_on(p)) {
		const struct option_row *o = option_rows;

		while (o->name && o->brief != *text)
			o++;
		if (!o->name)
			return option__fail(p, "-%.1s: no such option, see iotrc --help", text);
		text++;
		if (option__takes_value(o)) /* the rest of the argument is its value */
			return apply(p, o, *text ? text : NULL, next);
		err = apply(p, o, NULL, next);
	}
	return err;
}

static int check_upload(struct parse *p)
{
	if (!p->o.upload.target.url)
		return option__fail(p, "upload: no target; --upload URL, see iotrc upload --help");
	if (p->o.upload_test && p->o.n_dirs)
		return option__fail(p, "--test: takes no DIR");
	if (p->o.upload_test && p->o.upload_continuous)
		return option__fail(p, "--test: not with --continuous");
	if (p->o.upload_continuous && p->o.n_dirs > 1)
		return option__fail(p, "--continuous: takes one output directory");
	if (p->o.upload_parquet && !p->o.upload_no_csv && p->o.upload_continuous)
		return option__fail(p, "--upload-format csv,parquet: not with --continuous; "
				       "run one for each format");
	if (!p->o.upload_test && !p->o.upload_continuous && !p->o.n_dirs)
		return option__fail(p, "upload: no DIR given, see iotrc upload --help");
	return 0;
}

/* Checks that need all options. */
static int check(struct parse *p)
{
	const struct options *o = &p->o;

	if (p->upload)
		return check_upload(p);
	if (o->upload_test)
		return option__fail(p, "--test: only with upload");
	if (o->upload_continuous)
		return option__fail(p, "--continuous: only with upload");
	if (o->upload_parquet)
		return option__fail(p, "--upload-format: only with upload");
	if (!o->selection.streams)
		return option__fail(p, "no stream is left to record");
	if (o->selection.cache_sample > 1 && !selection__stream(&o->selection, STREAM_CACHE))
		return option__fail(p, "--cache-sample: only with the cache stream");
	if ((o->bucket || o->keep_records || o->replay || o->dtrace) && !o->dev)
		return option__fail(p, "--%s: only with dev",
				    o->bucket ? "trace-bucket" :
				    o->replay ? "replay" :
				    o->dtrace ? "dtrace" :
						"keep-records");
	if (o->keep_records && (o->replay || o->anonymize))
		return option__fail(p, "--keep-records: not with --%s",
				    o->replay ? "replay" : "anonymize");
	if ((o->pid_file || o->log_file) && !o->daemon)
		return option__fail(p, "--%s: only with --daemon",
				    o->pid_file ? "pid-file" : "log-file");
	if (!selection__stream(&o->selection, STREAM_FS) &&
	    (o->selection.ops != ALL_OPS || o->selection.paths.n || o->selection.excluded_paths.n ||
	     o->selection.scope_all))
		return option__fail(p, "%s: only with the fs stream",
				    o->selection.paths.n          ? "--path" :
				    o->selection.excluded_paths.n ? "--exclude-path" :
				    o->selection.scope_all        ? "--scope" :
								    "--ops");
	return option__find_containers(p);
}

bool options__cache_affordable(unsigned int n_cpus, uint64_t memory)
{
	return n_cpus >= 8 && memory >= UINT64_C(15) << 30;
}

static bool machine_affords_cache(void)
{
	uint64_t pages = sysconf(_SC_PHYS_PAGES);

	return options__cache_affordable(sysconf(_SC_NPROCESSORS_ONLN),
					 pages * sysconf(_SC_PAGESIZE));
}

/* ---- the configuration file ---- */

static const struct option_row *find_option(const char *name)
{
	for (const struct option_row *o = option_rows; o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

/* For an option whose value is optional, `yes` means no value. */
static int apply_line(void *arg, unsigned int line, const char *key, const char *value)
{
	struct parse *p = arg;
	const struct option_row *option = find_option(key);
	size_t i = option - option_rows;

	/* The uploader reads the file again to get them. */
	if (credentials__is_name(key)) {
		explicit_bzero((char *)value, strlen(value));
		p->secrets = true;
		return 0;
	}
	if (!option)
		return unknown_option(p, key, strlen(key));
	if (option->group == SERVICE || option->group == OTHER)
		return option__fail(p, "--%s: for the command line only", key);
	if (p->lines[i] && !option->counter)
		return option__fail(p, "--%s: given before, in line %u", key, p->lines[i]);
	p->lines[i] = line;
	if (!option__takes_value(option)) {
		if (!strcmp(value, "no") && !option->conf)
			return 0;
		if (strcmp(value, "yes") && !option->arg)
			return option__fail(p, "--%s: " QUOTED " is neither yes nor no", key,
					    value);
		if (!strcmp(value, "yes"))
			value = NULL;
	}
	return set_option(p, option, value);
}

/* Puts FILE:LINE before the message, and removes the dashes of the option, which is a key here. */
static int fail_at(struct parse *p, const char *file, unsigned int line)
{
	char was[OPTIONS_MESSAGE_MAX], *text = was;

	/* NOLINTNEXTLINE(*.strcpy): arrays of one size */
	strcpy(was, p->message);
	if (!strncmp(text, "--", 2))
		text += 2;
	return option__fail(p, "%.100s:%u: %.380s", file, line, text);
}

static int parse_file(struct parse *p, const char *file)
{
	const char *problem = NULL;
	unsigned int line;
	size_t len;
	int err = config__read(file, &p->o.config_text, &len);

	if (err)
		return option__fail(p, "cannot read %.200s: %s", file, strerror(-err));
	err = config__parse(p->o.config_text, len, apply_line, p, &line, &problem);
	if (err && problem)
		option__fail(p, "%s", problem);
	return err ? fail_at(p, file, line) : 0;
}

/* ---- all of it ---- */

static int parse_args(struct parse *p, int argc, char **argv)
{
	char **next = argv + (argc > 0);
	bool words_only = false;
	int err = 0;

	p->upload = *next && !strcmp(*next, "upload");
	next += p->upload;
	while (!err && *next && goes_on(p)) {
		const char *arg = *next++;

		if (words_only || arg[0] != '-' || !arg[1])
			err = parse_word(p, arg);
		else if (!strcmp(arg, "--"))
			words_only = true;
		else if (arg[1] == '-')
			err = parse_long(p, arg + 2, &next);
		else
			err = parse_brief(p, arg + 1, &next);
	}
	return err;
}

int options__parse(struct options *ret_options, int argc, char **argv,
		   char message[OPTIONS_MESSAGE_MAX])
{
	struct parse p = {
		.o = {
			.output = "./iotrc-traces",
			.selection = {
				.streams = STREAMS_DEFAULT |
					   (machine_affords_cache() ? STREAMS_CACHE : 0),
				.ops = ALL_OPS,
			},
			.rotate_age_s = 15 * 60,
			.rotate_bytes = 64 << 20,
			.min_free = UINT64_C(1) << 30,
			.min_free_percent = 5,
			.snapshots.process_interval_ns = UINT64_C(300000000000),
			.snapshots.fs_interval_ns = UINT64_C(3600000000000),
			.snapshots.busy_percent = 40,
			.snapshots.system_spec = true,
			.upload.parallel = 2,
			.upload.timeout_ns = UINT64_C(30000000000),
			.upload.keep = true,
			.argc = argc,
			.argv = argv,
		},
		.message = message,
	}, first = p;
	int err = parse_args(&first, argc, argv);

	if (!err && first.o.config && goes_on(&first)) {
		options__done(&first.o);
		p.in_file = true;
		err = parse_file(&p, first.o.config);
		p.in_file = false;
		p.overruling = true;
		if (!err)
			err = parse_args(&p, argc, argv);
		if (p.secrets && !p.o.upload.target.credentials)
			p.o.upload.target.credentials = p.o.config;
	} else {
		p = first;
	}
	if (!err && goes_on(&p))
		err = check(&p);
	if (p.o.action == ACTION_HELP && p.upload)
		p.o.action = ACTION_UPLOAD_HELP;
	else if (p.o.action == ACTION_RECORD && (p.upload || p.reward))
		p.o.action = p.upload ? ACTION_UPLOAD : ACTION_REWARD;
	if (err)
		options__done(&p.o);
	else
		*ret_options = p.o;
	return err;
}

void options__done(struct options *o)
{
	free(o->config_text);
	free(o->dirs);
	while (o->n_paths)
		free(o->paths[--o->n_paths]);
	o->config_text = NULL;
	o->dirs = NULL;
}

void options__fixed_changes(const struct options *a, const struct options *b, char *buf,
			    size_t size)
{
	size_t len = 0;

	*buf = 0;
	for (size_t i = 0; option_rows[i].name; i++)
		if (option_rows[i].set && !option_rows[i].live && a->digests[i] != b->digests[i] &&
		    len < size)
			len += snprintf(buf + len, size - len, " %s", option_rows[i].name);
}
