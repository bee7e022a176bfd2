/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_THREAD_H
#define IOTRC_THREAD_H

/* Names the calling thread, for ps and debuggers: 15 bytes are kept. */
void thread__name(const char *name);

#endif
