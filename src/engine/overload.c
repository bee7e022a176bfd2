// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/overload.h"
#include "platform/macros.h"

#define HIGH 40                      /* percent at which a step is taken */
#define LOW 10                       /* … below which it is calm */
#define EFFECT_NS (NSEC_PER_SEC / 5) /* until a step shows */
#define PATIENCE_MIN (5 * NSEC_PER_SEC)
#define PATIENCE_MAX (320 * NSEC_PER_SEC)

static void take(struct overload *o, enum overload_step step, uint64_t now)
{
	o->step = step;
	o->since_ns = o->loaded_ns = now;
}

bool overload__look(struct overload *o, unsigned int fill, uint64_t now)
{
	uint64_t lasted = now - o->since_ns;

	if (fill >= LOW)
		o->loaded_ns = now;
	if (fill >= HIGH) {
		if (o->step == OVERLOAD_SHED || (o->step && lasted < EFFECT_NS))
			return false;
		/* The step that was reverted had caused the calm: wait longer next time. */
		if (!o->patience_ns || (o->taken_back && lasted > 2 * o->patience_ns))
			o->patience_ns = PATIENCE_MIN;
		else if (o->taken_back && o->patience_ns < PATIENCE_MAX)
			o->patience_ns *= 2;
		o->taken_back = false;
		take(o, o->step + 1, now);
		return true;
	}
	if (o->step && now - o->loaded_ns >= o->patience_ns) {
		o->taken_back = true;
		take(o, o->step - 1, now);
		return true;
	}
	return false;
}
