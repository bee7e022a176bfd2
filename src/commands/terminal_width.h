/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TERMINAL_WIDTH_H
#define IOTRC_TERMINAL_WIDTH_H

#include <stddef.h>
#include <sys/ioctl.h>

/* The width of terminal FD, which can change at any time; 80 if unknown. */
static inline size_t terminal_width(int fd)
{
	struct winsize size;

	return !ioctl(fd, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

#endif
