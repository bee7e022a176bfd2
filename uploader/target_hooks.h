/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callbacks during an upload. */
#ifndef IOTRC_TARGET_HOOKS_H
#define IOTRC_TARGET_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each may be NULL. target__put() calls them. */
struct target_hooks {
	void *data;
	/* SENT bytes of the object have been sent; the number falls when something is sent again.
	 * Called at least once a second. false: stop, with TARGET_CANCELLED. */
	bool (*progress)(void *data, uint64_t sent);
	/* Multipart upload UPLOAD_ID has begun. Pass it as target_object.upload_id to resume, also
	 * from another process. NULL: the upload has been completed or aborted. */
	void (*multipart)(void *data, const char *upload_id);
	/* Returns the present limit in bytes per second (0: none), which can change during an
	 * upload. NULL: use target_config.rate. */
	uint64_t (*rate)(void *data);
};

/* Calls progress() of HOOKS, which may be NULL. Returns whether to continue. */
static inline bool target_hooks__progress(const struct target_hooks *hooks, uint64_t sent)
{
	return !hooks || !hooks->progress || hooks->progress(hooks->data, sent);
}

/* Calls rate() of HOOKS; without one, returns OTHERWISE. */
static inline uint64_t target_hooks__rate(const struct target_hooks *hooks, uint64_t otherwise)
{
	return hooks && hooks->rate ? hooks->rate(hooks->data) : otherwise;
}

#endif
