// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of commands. A new one is a file, a row here, and its page (make docs). */
#include "commands/doctor.h"
#include "commands/export.h"
#include "commands/help.h"
#include "commands/recording_options.h"
#include "commands/recover.h"
#include "commands/run.h"
#include "commands/verify.h"
#include "options/command.h"

/* clang-format off */
const struct command *const commands[] = {
	&record_command, /* the one without a name */
	&dev_command,
	&run_command,
	&doctor_command,
	&verify_command,
	&recover_command,
	&export_command,
	&cat_command,
	&upload_command,
	&help_command,
	NULL,
};
/* clang-format on */
