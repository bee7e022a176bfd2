// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/link_address.h"

#include <string.h>

static int copy(uint8_t ret[LINK_ADDRESS_MAX], const void *from, int len)
{
	len = len < LINK_ADDRESS_MAX ? len : LINK_ADDRESS_MAX;
	memset(ret, 0, LINK_ADDRESS_MAX);
	memcpy(ret, from, (size_t)len);
	return len;
}

#ifdef __linux__
#include <linux/if_packet.h>

const char link_address_family[] = "AF_PACKET";

int link_address__get(const struct sockaddr *address, uint8_t ret[LINK_ADDRESS_MAX])
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)address;

	return address->sa_family == AF_PACKET ? copy(ret, ll->sll_addr, ll->sll_halen) : -1;
}
#else
#include <net/if_dl.h>

const char link_address_family[] = "AF_LINK";

int link_address__get(const struct sockaddr *address, uint8_t ret[LINK_ADDRESS_MAX])
{
	const struct sockaddr_dl *dl = (const struct sockaddr_dl *)address;

	return address->sa_family == AF_LINK ? copy(ret, LLADDR(dl), dl->sdl_alen) : -1;
}
#endif
