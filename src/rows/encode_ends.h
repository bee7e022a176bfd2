/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Columns about the two ends of a socket. */
#ifndef IOTRC_ENCODE_ENDS_H
#define IOTRC_ENCODE_ENDS_H

#include "rows/encode.h"

/* The IP version on the wire: an IPv6 socket connected to an IPv4-mapped address uses IPv4. 0: it
 * is no Internet socket. */
int ends__version(const struct conn_ends *ends);

/* Writes the address of one end, or nothing if there is none. FOREIGN: it is the end of the family
 * ends->given. */
char *ends__address(struct encoder *e, char *p, const struct conn_ends *ends, bool remote,
		    bool foreign);

/* Writes the name of a state of TCP, or nothing if it is none. */
char *ends__tcp_state(char *p, unsigned int state);

#endif
