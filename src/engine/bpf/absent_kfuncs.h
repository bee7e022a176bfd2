/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of kernel functions (kfuncs) that the running kernel hasn't got. None of them is ever made:
 * the verifier drops the branch. But 5.13 to 5.15 refuse a program for what libbpf until 1.2 leaves
 * of such a call, before they look where it stands (add_kfunc_call() of kernel/bpf/verifier.c). */
#ifndef IOTRC_ABSENT_KFUNCS_H
#define IOTRC_ABSENT_KFUNCS_H

/* Takes them out of each program of the kinds tp_btf, fentry, fexit and perf_event that is opened
 * from now on, when it is loaded. libbpf no longer finds what these attach to:
 * bpf_program__set_attach_target() tells it. Returns 0, also when it was done before, or a negative
 * errno. Not thread-safe, as what it calls. */
int absent_kfuncs__drop(void);

#endif
