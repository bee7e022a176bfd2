/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why DTrace can't record here, and what to do about it. */
#ifndef IOTRC_DTRACE_SIP_H
#define IOTRC_DTRACE_SIP_H

/* Looks whether PROGRAM, a dtrace, has the probes that we need. 0, or a negative errno and PROBLEM
 * (room for ENGINE_PROBLEM_MAX). */
int sip__look(const char *program, char *problem);

/* Fills PROBLEM with what SAID, the messages of a dtrace that has ended, means. Returns -EACCES. */
int sip__explain(const char *said, char *problem);

#endif
