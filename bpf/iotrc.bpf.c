/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One object of all programs, so that they share maps and types; which of them are loaded is
 * decided at start, stream by stream. The order doesn't matter. */
#include "helpers.h"

#include "bio.bpf.c"
#include "block.bpf.c"
#include "cache.bpf.c"
#include "connect.bpf.c"
#include "drop.bpf.c"
#include "pagefault.bpf.c"
#include "process.bpf.c"
#include "syscall.bpf.c"
#include "uring.bpf.c"
#include "uring_overflow.bpf.c"
#include "uring_quiet.bpf.c"
#include "writeback.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
