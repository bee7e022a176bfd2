/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that are newer than the headers of Debian 12. Since 424 a call has the same number on all
 * architectures (Documentation/process/adding-syscalls.rst). */
#ifndef IOTRC_SYSCALLS_NEW_H
#define IOTRC_SYSCALLS_NEW_H

/* clang-format off */

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_open_tree
#define __NR_open_tree 428
#endif
#ifndef __NR_fsmount
#define __NR_fsopen 430
#define __NR_fsconfig 431
#define __NR_fsmount 432
#define __NR_fspick 433
#endif
#ifndef __NR_open_tree_attr
#define __NR_open_tree_attr 467
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif
#ifndef __NR_file_getattr
#define __NR_file_getattr 468
#define __NR_file_setattr 469
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#define __NR_getxattrat 464
#define __NR_listxattrat 465
#define __NR_removexattrat 466
#endif

#endif
