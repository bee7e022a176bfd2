// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of commands. A new command needs a file, a row here, and its page (make docs). */
#include "options/command.h"

/* clang-format off */
#ifdef __linux__
#define OF_LINUX(X) X(doctor_command)
#else
#define OF_LINUX(X)
#endif
#define COMMANDS(X) \
	X(record_command) /* the one without a name */ \
	X(dev_command) \
	X(run_command) \
	X(check_command) \
	OF_LINUX(X) \
	X(verify_command) \
	X(recover_command) \
	X(export_command) \
	X(cat_command) \
	X(lake_command) \
	X(summary_command) \
	X(watch_command) \
	X(top_command) \
	X(report_command) \
	X(upload_command) \
	X(help_command)
/* clang-format on */

#define DECLARE(name) extern const struct command name;
COMMANDS(DECLARE)

#define POINT_TO(name) &name,
const struct command *const commands[] = { COMMANDS(POINT_TO) NULL };
