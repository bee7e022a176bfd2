// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/read_bar.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"

#define BAR_WIDTH 24
#define BAR_NS UINT64_C(100000000)

void read_bar__begin(struct read_bar *b)
{
	*b = (struct read_bar){ .wanted = isatty(STDERR_FILENO) };
}

void read_bar__show(struct read_bar *b, uint64_t read, uint64_t total)
{
	uint64_t done = total ? BAR_WIDTH * read / total : BAR_WIDTH, now;
	char of_read[16], of_total[16];

	if (!b->wanted)
		return;
	now = clock__mono_ns();
	if (now - b->drawn_ns < BAR_NS)
		return;
	if (done > BAR_WIDTH)
		done = BAR_WIDTH;
	b->drawn_ns = now;
	b->drawn = true;
	fprintf(stderr, "\r\033[Kreading [%.*s%.*s] %sB of %sB\r", (int)done,
		"########################", (int)(BAR_WIDTH - done), "........................",
		units__bytes(of_read, read), units__bytes(of_total, total));
}

void read_bar__clear(struct read_bar *b)
{
	if (b->drawn)
		fputs("\r\033[K", stderr);
	b->drawn = false;
}
