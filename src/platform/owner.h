/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies in somebody else's directory is worked on with that user's rights: who owns it may
 * put anything there, such as a hard link to a file that only root may write. */
#ifndef IOTRC_OWNER_H
#define IOTRC_OWNER_H

#include <stdbool.h>

/* Where we are root and directory FD is another user's: from now on the calling thread has that
 * user's rights to files, and no other thread's. *RET_TAKEN: it has, and owner__give_back() ends
 * it. 0, or -EPERM: we are root without CAP_SETUID and CAP_SETGID. */
int owner__take(int fd, bool *ret_taken);
void owner__give_back(bool taken);

#endif
