// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One object of all programs, so that they share maps and types; which of them are loaded is
 * decided at start, stream by stream. The order doesn't matter. */
#include "bpf/bio.bpf.c"
#include "bpf/block.bpf.c"
#include "bpf/cache.bpf.c"
#include "bpf/connect.bpf.c"
#include "bpf/drop.bpf.c"
#include "bpf/helpers.h"
#include "bpf/pagefault.bpf.c"
#include "bpf/process.bpf.c"
#include "bpf/syscall.bpf.c"
#include "bpf/uring.bpf.c"
#include "bpf/uring_overflow.bpf.c"
#include "bpf/uring_quiet.bpf.c"
#include "bpf/writeback.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
