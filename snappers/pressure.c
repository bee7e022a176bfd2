// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/pressure.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const char *const files[PRESSURES] = {
	[PRESSURE_CPU] = "/proc/pressure/cpu",
	[PRESSURE_IO] = "/proc/pressure/io",
	[PRESSURE_MEMORY] = "/proc/pressure/memory",
};

void pressure__read(struct pressure *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->mono_ns = clock__mono_ns();
	for (int i = 0; i < PRESSURES; i++) {
		FILE *f = fopen(files[i], "re");
		unsigned long long total;
		double avg10;

		if (!f)
			continue;
		if (fscanf(f, "some avg10=%lf avg60=%*f avg300=%*f total=%llu", &avg10, &total) ==
		    2) {
			ret->avg10[i] = avg10;
			ret->stalled_us[i] = total;
		}
		fclose(f);
	}
}

double pressure__between(const struct pressure *before, const struct pressure *now)
{
	double us = (now->mono_ns - before->mono_ns) / 1000.0, worst = 0;

	for (int i = 0; i < PRESSURES; i++) {
		double share = us > 0 ? 100 * (now->stalled_us[i] - before->stalled_us[i]) / us : 0;

		worst = share > worst ? share : worst;
	}
	return worst;
}

double pressure__recent(const struct pressure *p)
{
	double worst = 0;

	for (int i = 0; i < PRESSURES; i++)
		worst = p->avg10[i] > worst ? p->avg10[i] : worst;
	return worst;
}
