// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All programs form one object, so that they share maps and types. User space decides at start,
 * stream by stream, which of them to load. The order of the includes does not matter. */
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
