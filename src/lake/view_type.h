/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of columns in the files of a lake. */
#ifndef IOTRC_VIEW_TYPE_H
#define IOTRC_VIEW_TYPE_H

enum view_type {
	VIEW_TEXT,
	VIEW_TIME_NS, /* ns since 1970, UTC */
	VIEW_TIME,    /* µs */
	VIEW_UINT,
	VIEW_INT,
	VIEW_INT32,
	VIEW_FLOAT,
	VIEW_BOOL,
	VIEW_TYPES
};

#endif
