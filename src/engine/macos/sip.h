/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why DTrace cannot record on this machine, and what to do about it. */
#ifndef IOTRC_MACOS_SIP_H
#define IOTRC_MACOS_SIP_H

/* Checks whether PROGRAM, a dtrace, has the required probes. Returns 0, or a negative errno and
 * PROBLEM (ENGINE_PROBLEM_MAX bytes). */
int sip__look(const char *program, char *problem);

/* Explains in PROBLEM the messages SAID of a dtrace that has ended. Returns -EACCES. */
int sip__explain(const char *said, char *problem);

#endif
