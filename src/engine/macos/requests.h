/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations in this engine's block records. */
#ifndef IOTRC_MACOS_REQUESTS_H
#define IOTRC_MACOS_REQUESTS_H

#include "rows/reqnames.h"

enum { DTRACE_REQUEST_READ = 0, DTRACE_REQUEST_WRITE = 1 };

extern const struct reqnames macos_requests;

#endif
