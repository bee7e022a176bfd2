/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What whoever uploads a file is told while it goes. */
#ifndef IOTRC_TARGET_HOOKS_H
#define IOTRC_TARGET_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each may be NULL. They are called from within target__put. */
struct target_hooks {
	void *data;
	/* SENT bytes of the object have gone; again from less when something is sent again. At
	 * least once a second. false: stop, with TARGET_CANCELLED. */
	bool (*progress)(void *data, uint64_t sent);
	/* Multipart upload UPLOAD_ID has begun: given as target_object.upload_id it goes on with
	 * the parts that the store has, also from another process. NULL: it is over, done or
	 * aborted. */
	void (*multipart)(void *data, const char *upload_id);
	/* Bytes per second of this target as of now (0: no limit), which may change while an object
	 * goes. NULL: target_config.rate throughout. */
	uint64_t (*rate)(void *data);
};

/* Tells HOOKS, which may be NULL, that SENT bytes have gone; whether to go on. */
static inline bool target_hooks__progress(const struct target_hooks *hooks, uint64_t sent)
{
	return !hooks || !hooks->progress || hooks->progress(hooks->data, sent);
}

/* The rate that applies now; OTHERWISE is the configured one. */
static inline uint64_t target_hooks__rate(const struct target_hooks *hooks, uint64_t otherwise)
{
	return hooks && hooks->rate ? hooks->rate(hooks->data) : otherwise;
}

#endif
