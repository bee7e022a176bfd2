/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To be told when somebody sets the wall clock. */
#ifndef IOTRC_CLOCK_STEP_H
#define IOTRC_CLOCK_STEP_H

/* A descriptor that can be read as soon as the wall clock was set; the caller closes it. Or a
 * negative errno. */
int clock_step__watch(void);

/* FD, which may be negative, waits for the next time. */
void clock_step__noticed(int fd);

#endif
