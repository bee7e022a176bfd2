// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The programs that follow a connection from its request to its outcome. */
#include "bpf/connect.h"
#include "bpf/abi.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"

static __always_inline void sock_state(u64 sk, int old, int new)
{
	if (new == TCP_SYN_SENT)
		connect_begun(sk);
	else if ((old == TCP_SYN_SENT || old == TCP_SYN_RECV) &&
		 (new == TCP_ESTABLISHED || new == TCP_CLOSE))
		connect_ended(sk, new, bpf_ktime_get_ns());
}

/* Since 6.1 the kernel runs no program for an event that comes over that program itself on a CPU,
 * as soft interrupts do over calls (one burst of 50 was seen in 100,000 events). Of two programs
 * one is free; what the first has done the second finds done. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_sock_state, struct sock *sk, int old, int new)
{
	count_fired(HOOK_SOCK_STATE);
	sock_state((u64)sk, old, new);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_sock_state_again, struct sock *sk, int old, int new)
{
	count_fired(HOOK_SOCK_STATE_AGAIN);
	sock_state((u64)sk, old, new);
	return 0;
}
