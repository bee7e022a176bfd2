// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What UDP and unix sockets move, and their ends. */
#include "bpf/flow_socket.h"
#include "bpf/abi.h"
#include "bpf/counters.h"
#include "bpf/flow.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/pair.h"
#include "bpf/socket.h"
#include "schema/records.h"
#include "schema/streams.h"

/* Bits of a 32-bit argument or result: the rest of its register may hold anything. */
static __always_inline s64 int_argument(void *ctx, u32 n)
{
	return (s32)argument(ctx, n);
}

/* Arguments of both: the struct sock, the result, the flags. Since 6.3. */
PAIR("tp_btf/sock_send_length", on_socket_sent, HOOK_SOCKET_SENT)
{
	return socket_moved(argument(ctx, 0), int_argument(ctx, 1), WAY_SENT);
}

PAIR("tp_btf/sock_recv_length", on_socket_received, HOOK_SOCKET_RECEIVED)
{
	if (argument(ctx, 2) & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	return socket_moved(argument(ctx, 0), int_argument(ctx, 1), WAY_RECEIVED);
}

/* ---- older kernels: the functions of each protocol ---- */

/* FUNCTION has sent over the struct sock SK, which its first argument AT leads to; its result comes
 * after its three arguments. */
#define SENT(function, name, hook, sk) \
	SEC("fexit/" #function) \
	int name(u64 *ctx) \
	{ \
		u64 at = argument(ctx, 0); \
\
		count_fired(hook); \
		return socket_moved(sk, int_argument(ctx, 3), WAY_SENT); \
	}

/* The same of receiving; N_ARGS arguments, of which FLAGS has the flags. */
#define RECEIVED(function, name, hook, sk, flags, n_args) \
	SEC("fexit/" #function) \
	int name(u64 *ctx) \
	{ \
		u64 at = argument(ctx, 0); \
\
		count_fired(hook); \
		if (argument(ctx, flags) & (MSG_PEEK | MSG_ERRQUEUE)) \
			return 0; \
		return socket_moved(sk, int_argument(ctx, n_args), WAY_RECEIVED); \
	}

#define OF_SOCKET kread(at, socket, sk)
/* For an address of IPv4 udpv6_sendmsg() calls udp_sendmsg(): the outer one counts. */
#define OF_IPV4 (kread(at, sock, __sk_common.skc_family) == AF_INET ? at : 0)

SENT(udp_sendmsg, on_udp_sent, HOOK_SOCKET_SENT, OF_IPV4)
SENT(udpv6_sendmsg, on_udp6_sent, HOOK_UDP6_SENT, at)
RECEIVED(udp_recvmsg, on_udp_received, HOOK_SOCKET_RECEIVED, at, 3, 5)
RECEIVED(udp_recvmsg, on_udp_received_old, HOOK_SOCKET_RECEIVED, at, 4, 6) /* until 5.18 */
RECEIVED(udpv6_recvmsg, on_udp6_received, HOOK_UDP6_RECEIVED, at, 3, 5)
RECEIVED(udpv6_recvmsg, on_udp6_received_old, HOOK_UDP6_RECEIVED, at, 4, 6)
SENT(unix_stream_sendmsg, on_unix_stream_sent, HOOK_UNIX_STREAM_SENT, OF_SOCKET)
RECEIVED(unix_stream_recvmsg, on_unix_stream_received, HOOK_UNIX_STREAM_RECEIVED, OF_SOCKET, 3, 4)
/* unix_seqpacket_sendmsg() and unix_seqpacket_recvmsg() call these; where there are both functions
 * that receive (5.15), the second one may be part of them. */
SENT(unix_dgram_sendmsg, on_unix_dgram_sent, HOOK_UNIX_DGRAM_SENT, OF_SOCKET)
RECEIVED(__unix_dgram_recvmsg, on_unix_dgram_received_sk, HOOK_UNIX_DGRAM_RECEIVED, at, 3, 4)
RECEIVED(unix_dgram_recvmsg, on_unix_dgram_received, HOOK_UNIX_DGRAM_RECEIVED, OF_SOCKET, 3, 4)

/* ---- the end ---- */

/* The last descriptor of a socket has been closed. */
SEC("fentry/sock_close")
int on_socket_close(u64 *ctx)
{
	count_fired(HOOK_SOCKET_CLOSE);
	return socket_ended(sock_of(argument(ctx, 1)));
}

/* Makes the rows of the sockets whose end was not seen. User space runs this, where the kernel can
 * go through a map (5.13). */
SEC("raw_tp")
int end_gone_sockets(void *ctx)
{
	end_gone();
	return 0;
}
