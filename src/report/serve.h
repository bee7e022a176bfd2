/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report that follows a session: a page on the loopback interface that requests new data. */
#ifndef IOTRC_REPORT_SERVE_H
#define IOTRC_REPORT_SERVE_H

#include <stdint.h>

#include "report/report.h"

struct report_server_config {
	struct report_config report; /* its LIVE is set */
	uint16_t port;               /* 0: any that is free */
};

struct report_server {
	/* Serves until SIGINT or SIGTERM, which the caller has blocked. Calls READY with the port
	 * once it answers. 0, or a negative errno. */
	int (*run)(const struct report_server_config *config, void (*ready)(uint16_t port));
};

/* Weak, because `make static` omits it: libmicrohttpd's static library needs all of GnuTLS.
 * Otherwise the linker is told to require it (LDLIBS). */
extern const struct report_server report_server __attribute__((weak));

#endif
