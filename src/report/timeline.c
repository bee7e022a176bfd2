// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/timeline.h"

#include <string.h>

#define NAME(symbol, name) [CHANNEL_##symbol] = #name,
const char *const channel_names[CHANNEL_COUNT] = { ROW_CHANNELS(NAME) OTHER_CHANNELS(NAME) };

/* Maximum number of bins of a session that ends when expected. */
#define BINS_WANTED 600

void timeline__begin(struct timeline *t, uint64_t origin_ns, uint64_t end_ns)
{
	static const unsigned char nice[] = { 1, 2, 5 };
	uint64_t ten = 1000000, least = (end_ns > origin_ns ? end_ns - origin_ns : 0) / BINS_WANTED;
	unsigned int i = 0;

	while (ten * nice[i] < least) {
		i = (i + 1) % 3;
		if (!i)
			ten *= 10;
	}
	t->origin_ns = origin_ns;
	t->width_ns = ten * nice[i];
}

static void widen(struct timeline *t)
{
	for (unsigned int i = 0; i < TIMELINE_BINS; i++) {
		for (unsigned int c = 0; c < CHANNEL_COUNT; c++) {
			uint64_t n = t->bins[i][c];

			t->bins[i][c] = 0;
			t->bins[i / 2][c] += n;
		}
	}
	for (unsigned int g = 0; g < TIMELINE_GRIDS; g++)
		for (unsigned int i = 0; i < TIMELINE_COLUMNS; i++)
			for (unsigned int r = 0; r < TIMELINE_ROWS; r++) {
				uint32_t n = t->grids[g][i][r];

				t->grids[g][i][r] = 0;
				t->grids[g][i / 2][r] += n;
			}
	t->width_ns *= 2;
}

unsigned int timeline__bin(struct timeline *t, uint64_t mono_ns)
{
	uint64_t since = mono_ns > t->origin_ns ? mono_ns - t->origin_ns : 0;

	while (since / t->width_ns >= TIMELINE_BINS)
		widen(t);
	return since / t->width_ns;
}

unsigned int timeline__row(uint64_t ns)
{
	unsigned int power, row;

	if (ns < UINT64_C(1) << TIMELINE_LOW)
		return 0;
	power = 63 - __builtin_clzll(ns);
	row = 2 * (power - TIMELINE_LOW) + (ns >> (power - 1) & 1);
	return row < TIMELINE_ROWS ? row : TIMELINE_ROWS - 1;
}

void timeline__merge(struct timeline *t, struct timeline *from)
{
	while (t->width_ns < from->width_ns)
		widen(t);
	while (from->width_ns < t->width_ns)
		widen(from);
	for (unsigned int i = 0; i < TIMELINE_BINS; i++)
		for (unsigned int c = 0; c < CHANNEL_COUNT; c++)
			t->bins[i][c] += from->bins[i][c];
	for (unsigned int g = 0; g < TIMELINE_GRIDS; g++)
		for (unsigned int i = 0; i < TIMELINE_COLUMNS; i++)
			for (unsigned int r = 0; r < TIMELINE_ROWS; r++)
				t->grids[g][i][r] += from->grids[g][i][r];
}
