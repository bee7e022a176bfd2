/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How busy the machine is: pressure stall information (Documentation/accounting/psi.rst). */
#ifndef IOTRC_SNAP_PRESSURE_H
#define IOTRC_SNAP_PRESSURE_H

#include <stdint.h>

enum pressure_of { PRESSURE_CPU, PRESSURE_IO, PRESSURE_MEMORY, PRESSURES };

struct pressure {
	uint64_t mono_ns;
	uint64_t stalled_us[PRESSURES]; /* time since boot in which some task waited */
	double avg10[PRESSURES];        /* percent, over about the last ten seconds */
};

/* Reads all three. Without PSI in the kernel, all are zero. */
void pressure__read(struct pressure *ret);

/* Percent of the time between the two in which some task waited, the maximum of the three. The
 * kernel updates its sums every two seconds, so a shorter span is meaningless. */
double pressure__between(const struct pressure *before, const struct pressure *now);
double pressure__recent(const struct pressure *p);

#endif
