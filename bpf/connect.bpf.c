// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Follows a TCP connection from the request to its outcome. */
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

/* Since 6.1 the kernel does not run a program for an event that interrupts the same program on that
 * CPU, as soft interrupts do (a burst of 50 was seen among 100,000 events). With two programs one
 * of them is free. For the second, an event that the first has handled is already done. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_sock_state, struct sock *sk, int old, int new)
{
	count_fired(HOOK_SOCK_STATE);
	sock_state(argument(ctx, 0), old, new);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_sock_state_again, struct sock *sk, int old, int new)
{
	count_fired(HOOK_SOCK_STATE_AGAIN);
	sock_state(argument(ctx, 0), old, new);
	return 0;
}
