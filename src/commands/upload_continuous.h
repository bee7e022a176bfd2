/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc upload --continuous`: sends what other processes record, so that the recorder itself needs
 * no network (docs/service.md). */
#ifndef IOTRC_UPLOAD_CONTINUOUS_H
#define IOTRC_UPLOAD_CONTINUOUS_H

#include <signal.h>

#include "options/options.h"

/* Sends finished files of this machine's sessions in the output directory until *STOPS, which a
 * signal handler sets; then what is left, for at most --upload-timeout. Waits for the directory if
 * it does not exist yet. Returns the exit code. */
int upload_continuous__run(const struct options *options, const volatile sig_atomic_t *stops);

#endif
