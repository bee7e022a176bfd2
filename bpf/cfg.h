/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The configuration, which user space fills before loading. The verifier takes it as constant, and
 * drops the branches that it rules out. */
#ifndef IOTRC_BPF_CFG_H
#define IOTRC_BPF_CFG_H

#include "bpf/abi.h"

#define has_task_storage() (FROM_6_2 || cfg.task_storage)

const volatile struct capture_config cfg = {};

#define PAGE_BYTES (1ULL << cfg.page_shift)

#endif
