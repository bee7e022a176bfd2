/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifies of changes of the wall clock. */
#ifndef IOTRC_CLOCK_STEP_H
#define IOTRC_CLOCK_STEP_H

/* Returns a descriptor that becomes readable when the wall clock is set, to be closed by the
 * caller, or a negative errno. */
int clock_step__watch(void);

/* Rearms FD, which may be negative. */
void clock_step__noticed(int fd);

/* Makes FD, which may be negative, readable at once and for the last time. From any thread. */
void clock_step__wake(int fd);

#endif
