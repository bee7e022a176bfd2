/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in another user's directory are handled with that user's rights: the user may have put
 * anything there, such as a hard link to a file that only root can write. */
#ifndef IOTRC_OWNER_H
#define IOTRC_OWNER_H

#include <stdbool.h>

/* If the caller is root and directory FD belongs to another user, the calling thread (no other
 * thread) gets that user's rights to files. *RET_TAKEN: this was done, and owner__give_back()
 * reverts it. Returns 0, or -EPERM if root lacks CAP_SETUID and CAP_SETGID. */
int owner__take(int fd, bool *ret_taken);
void owner__give_back(bool taken);

#endif
