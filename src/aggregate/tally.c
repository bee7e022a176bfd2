// SPDX-License-Identifier: GPL-2.0-or-later
#include "aggregate/tally.h"

int tally__add(struct tally *t, const struct measure *m)
{
	int err = 0;

	t->calls++;
	t->errors += m->failed;
	t->amount += m->amount;
	t->hits += m->hits;
	t->misses += m->misses;
	t->received += m->received;
	t->again += m->again;
	if (m->has_time) {
		t->time_ns += m->time_ns;
		err = sketch__add(&t->time, m->time_ns, 1);
	}
	if (m->has_wait && !err) {
		t->wait_ns += m->wait_ns;
		err = sketch__add(&t->wait, m->wait_ns, 1);
	}
	return err;
}

int tally__merge(struct tally *t, const struct tally *from)
{
	int err;

	t->calls += from->calls;
	t->errors += from->errors;
	t->amount += from->amount;
	t->hits += from->hits;
	t->misses += from->misses;
	t->received += from->received;
	t->again += from->again;
	t->time_ns += from->time_ns;
	t->wait_ns += from->wait_ns;
	err = sketch__merge(&t->time, &from->time);
	return err ? err : sketch__merge(&t->wait, &from->wait);
}

size_t tally__bytes(const struct tally *t)
{
	return sketch__bytes(&t->time) + sketch__bytes(&t->wait);
}

void tally__clear(struct tally *t)
{
	sketch__clear(&t->time);
	sketch__clear(&t->wait);
	*t = (struct tally){ 0 };
}
