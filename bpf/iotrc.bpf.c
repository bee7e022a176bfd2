// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All programs form one object, so that they share maps and types. User space decides at start,
 * stream by stream, which of them to load. bpf_programs.h includes each other file of bpf/ with
 * programs in it (Makefile); their order does not matter. */
#include "bpf/helpers.h"
#include "bpf_programs.h"

char LICENSE[] SEC("license") = BPF_LICENSE;
