/* SPDX-License-Identifier: GPL-2.0-only */
/* One object of all programs, so that they share maps and types; which of them are loaded is
 * decided at start, stream by stream. */
#include "syscall.bpf.c"
#include "uring.bpf.c"
#include "aio.h"
#include "process.bpf.c"
#include "block.bpf.c"
#include "cache.bpf.c"
#include "pagefault.bpf.c"
#include "drop.bpf.c"

char LICENSE[] SEC("license") = "GPL";
