// SPDX-License-Identifier: GPL-2.0-or-later
/* What each type of record is, and which encoder turns it into a row. */
#include <string.h>

#include "rows/encode.h"

#define DEFINITION_KIND(type, record, values) [type] = { sizeof(record), values },
#define EVENT_KIND(type, stream, record, size, values, encoder, is_short, ...) \
	[type] = { size, values, stream, encode__##encoder, is_short },
const struct record_kind record_kinds[RECORD_TYPES_MAX] = { DEFINITION_TYPES(DEFINITION_KIND)
								    EVENT_TYPES(EVENT_KIND) };

/* Records come from our own programs; this check guards against a bug in one of them. */
bool encode__sound(const void *record, size_t size)
{
	const struct record_kind *kind;
	const uint8_t *head = record;
	const struct rec_fs_long *fs = record;
	const struct rec_conn *conn = record;
	const struct rec_flow *flow = record;

	if (size < 2 || head[0] >= RECORD_TYPES_MAX)
		return false;
	kind = &record_kinds[head[0]];
	if (!kind->size || size < kind->size || (kind->values && head[1] >= kind->values))
		return false;
	switch (head[0]) {
	case REC_PATH:
		return size - sizeof(struct rec_path) >= ((const struct rec_path *)record)->len &&
		       ((const struct rec_path *)record)->len <= PATH_BYTES;
	case REC_TASK:
		return size - sizeof(struct rec_task) >= ((const struct rec_task *)record)->len &&
		       ((const struct rec_task *)record)->len <= CMDLINE_BYTES;
	case REC_FS_LONG:
		return size - sizeof(*fs) >= (size_t)fs->len + fs->len2 && fs->len < PATH_BYTES &&
		       fs->len2 < PATH_BYTES && fs->skip <= fs->len && fs->skip2 <= fs->len2 &&
		       encode__is_plain_type(fs->fs_type);
	case REC_FLOW:
		return !flow->ends.given && flow->ends.has_local <= UNIX_PATH_BYTES &&
		       flow->ends.has_remote <= UNIX_PATH_BYTES;
	case REC_CONN:
		if (!conn_ends_whole(&conn->ends))
			return size >= offsetof(struct rec_conn, ends.un) + sizeof(conn->ends.ip);
		return size >= sizeof(*conn) && conn->ends.has_local <= UNIX_PATH_BYTES &&
		       conn->ends.has_remote <= UNIX_PATH_BYTES;
	}
	return true;
}
