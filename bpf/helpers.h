/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf's headers for BPF programs. They leave it to the includer to bring the kernel's types
 * first, so they are included from here alone. */
#ifndef IOTRC_BPF_HELPERS_H
#define IOTRC_BPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#endif
