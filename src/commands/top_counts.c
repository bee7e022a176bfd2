// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/top_counts.h"

void top_counts__subtract(struct top_counts *c, const struct top_counts *from)
{
	c->calls -= from->calls;
	c->errors -= from->errors;
	c->read -= from->read;
	c->written -= from->written;
	c->time_ns -= from->time_ns;
	c->timed -= from->timed;
}

void top_counts__add(struct top_counts *c, const struct top_counts *more)
{
	c->calls += more->calls;
	c->errors += more->errors;
	c->read += more->read;
	c->written += more->written;
	c->time_ns += more->time_ns;
	c->timed += more->timed;
}

double top_counts__rate(uint64_t count, uint64_t span_ns)
{
	return span_ns ? (double)count * 1e9 / (double)span_ns : 0;
}
