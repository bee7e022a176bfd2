// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/figures_rows.h"

#include "report/figures_streams.h"

int figures__row(struct figures *t, enum stream stream, const struct row_field *fields)
{
	static int (*const rows[STREAM_COUNT])(struct figures * t,
					       const struct row_field *fields) = {
		[STREAM_FS] = figures__fs,
		[STREAM_BLOCK] = figures__block,
		[STREAM_EXTENT] = figures__extent,
		[STREAM_NW_CONN] = figures__conn,
		[STREAM_NW_EPOLL] = figures__epoll,
		[STREAM_NW_SOCKOPT] = figures__sockopt,
		[STREAM_NW_DROP] = figures__drop,
		[STREAM_CACHE] = figures__cache,
		[STREAM_PAGEFAULT] = figures__pagefault,
		[STREAM_LOST] = figures__lost,
		[STREAM_PROCESS] = figures__process,
	};

	return rows[stream] ? rows[stream](t, fields) : 0;
}
