/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc doctor`: will recording work here, what will it give, and if not, why. */
#ifndef IOTRC_DOCTOR_H
#define IOTRC_DOCTOR_H

#include "options/command.h"

extern const struct command doctor_command;

#endif
