/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc doctor`: whether recording works on this machine, what it will record, and why not. */
#ifndef IOTRC_DOCTOR_H
#define IOTRC_DOCTOR_H

#include "options/command.h"

extern const struct command doctor_command;

#endif
