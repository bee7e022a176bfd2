/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The priority of the threads between the kernel's buffers and the disk. */
#ifndef IOTRC_PRIORITY_H
#define IOTRC_PRIORITY_H

/* The nice value of these threads. Among three busy processes a CPU they get the little that they
 * need, and what is recorded is not lost; docs/performance.md has what that costs the others. */
#define PRIORITY_URGENT (-15)

/* Gives the calling thread, and those that it starts from now on, NICE. Values below the present
 * one take CAP_SYS_NICE. Returns the nice value that it had. Where the system refuses, that
 * stays. */
int priority__set(int nice);

#endif
