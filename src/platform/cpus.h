/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CPUS_H
#define IOTRC_CPUS_H

/* Returns the number of CPUs that this machine can ever have, including those that are not plugged
 * in yet; at least 1. */
unsigned int cpus__possible(void);

#endif
