// SPDX-License-Identifier: GPL-2.0-or-later
/* What the table of options says to people: help, and the commented iotrc.conf. */
#include "options/command.h"
#include "options/options_table.h"

#define HELP_COLUMN 26

static void print_help(FILE *out, int len, const char *help)
{
	if (len >= HELP_COLUMN) {
		fputc('\n', out);
		len = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - len, "");
	for (; *help; help++) {
		fputc(*help, out);
		if (*help == '\n')
			fprintf(out, "%*s", HELP_COLUMN, "");
	}
	fputc('\n', out);
}

static void print_group(FILE *out, enum group group)
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
	      "       iotrc upload [OPTION...] --test\n\n"
	      "Sends what isn't at the target yet of the session in DIR, or of all sessions below\n"
	      "DIR: those that are complete or recovered, and that nobody records or sends. What was\n"
	      "begun is taken up where it stopped. Tries again until all is there, or Ctrl+C; what a\n"
	      "target refuses ends it. --test sends a small object, and says what is wrong.\n",
	      out);
	print_group(out, UPLOAD);
	fputs("\nand --config FILE, --state DIR, -q, -v, -h.\n"
	      "\nEXAMPLES:\n"
	      "  iotrc upload --upload s3://traces/lab --s3-endpoint https://s3.example.org iotrc-traces\n"
	      "  iotrc upload --upload s3://traces/lab --keep-uploaded=no iotrc-traces\n"
	      "  iotrc upload --upload https://gateway.example.org --test\n"
	      "\nExit codes: 0 all is at the target (or: the test went well); 1 cannot, and the\n"
	      "message says why; 2 usage; 3 something is left.\n",
	      out);
}

void options__help(FILE *out)
{
	fputs("Usage: iotrc [dev] [OPTION...]\n"
	      "       iotrc COMMAND [OPTION...] [ARGUMENT...]\n"
	      "Records the I/O of this machine, file operations, block requests and network\n"
	      "connections, as compressed CSV until Ctrl+C. Needs root.\n\n"
	      "Commands:\n",
	      out);
	command__list(out);
	for (enum group group = 0; group < GROUP_COUNT; group++)
		print_group(out, group);
	fputs("\nEXAMPLES:\n"
	      "  sudo iotrc                              # everything, until Ctrl+C\n"
	      "  sudo iotrc -d 5m -o traces              # five minutes\n"
	      "  sudo iotrc --streams fs --ops open,rename,unlink --path /home\n"
	      "  sudo iotrc --command postgres --streams fs,block -d 1h\n"
	      "  iotrc verify iotrc-traces               # is all of it whole?\n"
	      "\nSignals: INT and TERM finish (a second one leaves at once), HUP begins new\n"
	      "files, USR1 prints the counters.\n"
	      "Exit codes: 0 done; 1 cannot record; 2 usage; 3 recorded, but lost rows or\n"
	      "could not write all. verify: 0 whole, 1 not, 2 usage.\n",
	      out);
}

bool options__text(size_t i, struct option_text *ret)
{
	for (enum group group = 0; group < GROUP_COUNT; group++)
		for (const struct option_row *o = option_rows; o->name; o++)
			if (o->help && o->group == group && !i--) {
				*ret = (struct option_text){ o->name, o->brief, o->arg, o->help };
				return true;
			}
	return false;
}

static const char conf_head[] =
	"# iotrc's configuration: what `iotrc --config FILE` reads, and the service does from\n"
	"# " OPTIONS_CONFIG ". Made from the table of options (make docs).\n"
	"#\n"
	"# Lines are `key = value`, empty, or comments. Keys are the long options' names; an option\n"
	"# without a value takes yes or no. pid, command and path may be repeated. The command line\n"
	"# overrules this file. `iotrc --check-config FILE` says whether a file is right.\n"
	"#\n"
	"# `systemctl reload iotrc` (SIGHUP) reads it again and begins new files: what is marked\n"
	"# `(reload)` holds from then on, the rest from the next start.\n";

void options__conf(FILE *out)
{
	fputs(conf_head, out);
	for (enum group group = 0; group < SERVICE; group++) {
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
