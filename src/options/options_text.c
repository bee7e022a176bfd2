// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts from the table of options: help, and the commented iotrc.conf. */
#include <string.h>

#include "options/command.h"
#include "options/options_table.h"

#define HELP_COLUMN 26
#define HELP_WIDTH 54

/* Length of the first line of TEXT: up to an LF, or to the last blank that fits on the screen. */
static size_t line_length(const char *text)
{
	size_t n = strcspn(text, "\n"), blank = HELP_WIDTH;

	if (n <= HELP_WIDTH)
		return n;
	while (blank && text[blank] != ' ')
		blank--;
	return blank ?: n;
}

static void print_help(FILE *out, int len, const char *help)
{
	if (len >= HELP_COLUMN) {
		fputc('\n', out);
		len = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - len, "");
	for (size_t n; *help; help += n + !!help[n]) {
		n = line_length(help);
		fprintf(out, "%.*s\n%*s", (int)n, help, help[n] ? HELP_COLUMN : 0, "");
	}
}

static void print_group(FILE *out, enum option_group group)
{
	fprintf(out, "\n%s:\n", option_group_titles[group]);
	for (const struct option_row *o = option_rows; o->name; o++) {
		char brief[] = { '-', o->brief, ',', 0 };
		int len;

		if (!o->help || o->group != group)
			continue;
		len = fprintf(out, "  %3s --%s%s%s", o->brief ? brief : "", o->name,
			      option__takes_value(o) || !o->arg ? " " : "", o->arg ?: "");
		print_help(out, len, o->help);
	}
}

void options__upload_help(FILE *out)
{
	fputs("Usage: iotrc upload [OPTION...] DIR...\n"
	      "       iotrc upload [OPTION...] --continuous [DIR]\n"
	      "       iotrc upload [OPTION...] --test\n\n"
	      "Sends the files that the target does not have yet, of the session in DIR or of all\n"
	      "sessions below DIR. Sessions must be complete or recovered; those in use by a recorder\n"
	      "or another upload are skipped. Interrupted transfers are resumed. Failed ones are\n"
	      "retried until everything is sent or Ctrl+C; a refusal by the target ends the command.\n"
	      "--continuous sends the files that recordings in the output directory DIR (default: that of\n"
	      "the configuration) finish, also while they go on, until Ctrl+C: of this machine's\n"
	      "sessions that were recorded with --upload.\n"
	      "--test sends a small object and reports what is wrong.\n",
	      out);
	print_group(out, UPLOAD);
	fputs("\nAlso --config FILE, --state DIR, -q, -v, -h.\n"
	      "\nEXAMPLES:\n"
	      "  iotrc upload --upload s3://traces/lab --s3-endpoint https://s3.example.org iotrc-traces\n"
	      "  iotrc upload --upload s3://traces/lab --keep-uploaded=no iotrc-traces\n"
	      "  iotrc upload --upload https://gateway.example.org --test\n"
	      "\nExit codes: 0 everything is at the target (--test: it accepts files); 1 failed, the\n"
	      "message says why; 2 usage; 3 some files are not sent yet.\n",
	      out);
}

void options__help(FILE *out)
{
	fputs("Usage: iotrc [dev] [OPTION...]\n"
	      "       iotrc COMMAND [OPTION...] [ARGUMENT...]\n"
	      "Records the I/O of this machine (file operations, block requests, network\n"
	      "connections) as compressed CSV until Ctrl+C. Needs root.\n\n"
	      "Commands:\n",
	      out);
	command__list(out);
	for (enum option_group group = 0; group < GROUP_COUNT; group++)
		print_group(out, group);
	fputs("\nEXAMPLES:\n"
	      "  sudo iotrc                              # everything, until Ctrl+C\n"
	      "  sudo iotrc -d 5m -o traces              # five minutes\n"
	      "  sudo iotrc --streams fs --ops open,rename,unlink --path /home\n"
	      "  sudo iotrc --command postgres --streams fs,block -d 1h\n"
	      "  iotrc verify iotrc-traces               # check all sessions\n"
	      "\nSignals: INT and TERM end the recording (a second one exits at once), HUP\n"
	      "starts new files, USR1 prints the counters.\n"
	      "Exit codes: 0 success; 1 cannot record; 2 usage; 3 recorded, but rows were lost\n"
	      "or could not be written. verify: 0 no faults, 1 faults, 2 usage.\n",
	      out);
}

bool options__text(size_t i, struct option_text *ret)
{
	for (enum option_group group = 0; group < GROUP_COUNT; group++)
		for (const struct option_row *o = option_rows; o->name; o++)
			if (o->help && o->group == group && !i--) {
				*ret = (struct option_text){ o->name, o->brief, o->arg, o->help };
				return true;
			}
	return false;
}

static const char conf_head[] =
	"# Configuration of iotrc, read by `iotrc --config FILE`; the service reads\n"
	"# " OPTIONS_CONFIG ". Generated from the table of options (make docs).\n"
	"#\n"
	"# A line is `key = value`, empty, or a comment. Keys are the names of long options; an\n"
	"# option without a value takes yes or no. pid, command and path may be repeated. The\n"
	"# command line overrides this file. `iotrc --check-config FILE` checks a file.\n"
	"#\n"
	"# `systemctl reload iotrc` (SIGHUP) reads the file again and starts new trace files.\n"
	"# Options marked `(reload)` take effect then, all others at the next start.\n";

void options__conf(FILE *out)
{
	fputs(conf_head, out);
	for (enum option_group group = 0; group < SERVICE; group++) {
		fprintf(out, "\n# ---- %s ----\n", option_group_titles[group]);
		for (const struct option_row *o = option_rows; o->name; o++) {
			if (!o->help || o->group != group)
				continue;
			fputs("\n# ", out);
			for (const char *c = o->help; *c; c++)
				fputs(*c == '\n' ? "\n# " : (char[]){ *c, 0 }, out);
			fprintf(out, "%s\n%s%s = %s\n", o->live ? " (reload)" : "",
				o->active ? "" : "#", o->name,
				o->conf                        ?:
					option__takes_value(o) ? o->arg :
								 "yes");
		}
	}
}
