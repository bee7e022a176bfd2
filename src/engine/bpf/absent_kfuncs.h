/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of kernel functions (kfuncs) that the running kernel lacks. They are never executed: the
 * verifier removes the branch. But 5.13 to 5.15 refuse a program with what libbpf up to 1.2 leaves
 * of such a call, before they check whether it is reachable (add_kfunc_call() of
 * kernel/bpf/verifier.c). */
#ifndef IOTRC_ABSENT_KFUNCS_H
#define IOTRC_ABSENT_KFUNCS_H

/* Removes them from each program that is opened from now on, when it is loaded; not from those of
 * the kind kprobe.multi, which only kernels load that have all that we call (from 6.14 on). libbpf
 * then cannot find what a program attaches to; use bpf_program__set_attach_target(). Returns 0,
 * also if it was done before, or a negative errno. Not thread-safe, like the functions it calls. */
int absent_kfuncs__drop(void);

#endif
