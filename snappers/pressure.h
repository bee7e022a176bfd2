/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How busy the machine is: pressure stall information (Documentation/accounting/psi.rst). */
#ifndef IOTRC_SNAP_PRESSURE_H
#define IOTRC_SNAP_PRESSURE_H

#include <stdint.h>

enum pressure_of { PRESSURE_CPU, PRESSURE_IO, PRESSURE_MEMORY, PRESSURES };

struct pressure {
	uint64_t mono_ns;
	uint64_t stalled_us[PRESSURES]; /* some task, since the boot */
	double avg10[PRESSURES];        /* percent, over the last ten seconds or so */
};

/* Reads all three; a kernel without PSI shows none. */
void pressure__read(struct pressure *ret);

/* Percent of the time between the two in which some task waited, the worst of the three. The kernel
 * adds up each two seconds: less says nothing. */
double pressure__between(const struct pressure *before, const struct pressure *now);
double pressure__recent(const struct pressure *p);

#endif
