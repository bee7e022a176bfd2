/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CPUS_H
#define IOTRC_CPUS_H

/* The CPUs that this machine may ever have, those that are not plugged in yet included; at least
 * 1. */
unsigned int cpus__possible(void);

#endif
