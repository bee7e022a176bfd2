// SPDX-License-Identifier: GPL-2.0-or-later
/* Socket options. Times, names and numbers are written; of all other values only the length, as
 * some are keys. In an anonymised trace the only numbers written are those of options known to hold
 * a switch, a size or a count; every other value is replaced by a token. */
#include <string.h>

#include "base/csv.h"
#include "platform/macros.h"
#include "rows/column.h"
#include "rows/encode.h"
#include "rows/linux_numbers.h"
#include "rows/operation.h"

static const struct {
	int level;
	const struct name_set *options;
} levels[] = {
	{ LINUX_SOL_SOCKET, &names_opt_so },     { LINUX_IPPROTO_TCP, &names_opt_tcp },
	{ LINUX_IPPROTO_UDP, &names_opt_udp },   { LINUX_IPPROTO_IP, &names_opt_ip },
	{ LINUX_IPPROTO_IPV6, &names_opt_ipv6 }, { LINUX_IPPROTO_ICMPV6, &names_opt_icmpv6 },
	{ LINUX_IPPROTO_RAW, &names_opt_raw },   { LINUX_SOL_NETLINK, &names_opt_netlink },
	{ LINUX_SOL_PACKET, &names_opt_packet },
};

/* An int: as the word of SET if it has one, else as a signed number. */
static char *word_or_int(char *p, const struct name_set *set, int value)
{
	const char *name = set ? names__word(set, (uint32_t)value) : NULL;

	return name ? encode__word(p, name) : csv__i64(p, value);
}

static char *option_name(char *p, int level, int option)
{
	const struct name_set *set = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (levels[i].level == level)
			set = levels[i].options;
	return word_or_int(p, set, option);
}

enum form { FORM_OTHER, FORM_NUMBER, FORM_TEXT, FORM_TIME, FORM_LINGER, FORM_ADDRESS };

static const struct {
	int level, option;
	enum form form;
} forms[] = {
	{ LINUX_SOL_SOCKET, LINUX_SO_BINDTODEVICE, FORM_TEXT },
	{ LINUX_SOL_SOCKET, LINUX_SO_LINGER, FORM_LINGER },
	{ LINUX_SOL_SOCKET, LINUX_SO_RCVTIMEO, FORM_TIME },
	{ LINUX_SOL_SOCKET, LINUX_SO_SNDTIMEO, FORM_TIME },
	{ LINUX_SOL_SOCKET, LINUX_SO_RCVTIMEO_NEW, FORM_TIME },
	{ LINUX_SOL_SOCKET, LINUX_SO_SNDTIMEO_NEW, FORM_TIME },
	{ LINUX_IPPROTO_IP, LINUX_IP_MULTICAST_IF, FORM_ADDRESS },
	{ LINUX_IPPROTO_IP, LINUX_IP_ADD_MEMBERSHIP, FORM_ADDRESS },
	{ LINUX_IPPROTO_IP, LINUX_IP_DROP_MEMBERSHIP, FORM_ADDRESS },
	{ LINUX_IPPROTO_TCP, LINUX_TCP_CONGESTION, FORM_TEXT },
	{ LINUX_IPPROTO_TCP, LINUX_TCP_ULP, FORM_TEXT },
};

/* Options whose value only tells how the socket works: a bit set by option number
 * (include/uapi/asm-generic/socket.h, linux/in.h, in6.h, tcp.h, udp.h). */
#define BIT(n) (UINT64_C(1) << ((n) % 64))
static const struct {
	int level;
	uint64_t options[2]; /* from 0 and from 64 on */
} numbers[] = {
	/* not LINGER 13, PEERCRED 17, times 20 and 21, BINDTODEVICE 25, filters 26, 27 and 50 to
	 * 52, PEERNAME 28, PEERSEC 31, MEMINFO 55, COOKIE 57, PEERGROUPS 59, TXTIME 61 */
	{ LINUX_SOL_SOCKET,
	  { ~(BIT(13) | BIT(17) | BIT(20) | BIT(21) | BIT(22) | BIT(23) | BIT(24) | BIT(25) |
	      BIT(26) | BIT(27) | BIT(28) | BIT(31) | BIT(50) | BIT(51) | BIT(52) | BIT(55) |
	      BIT(57) | BIT(59) | BIT(61)),
	    /* *_NEW of time stamps, PREFER_BUSY_POLL, BUSY_POLL_BUDGET, BUF_LOCK, RESERVE_MEM,
	     * TXREHASH, RCVMARK, PASSPIDFD */
	    BIT(63) | BIT(64) | BIT(65) | BIT(69) | BIT(70) | BIT(72) | BIT(73) | BIT(74) |
		    BIT(75) | BIT(76) } },
	/* not INFO 11, CONGESTION 13, MD5SIG 14, repair 19 to 22, TIMESTAMP 24, CC_INFO 26,
	 * SAVED_SYN 28, REPAIR_WINDOW 29, ULP 31, MD5SIG_EXT 32, FASTOPEN_KEY 33,
	 * ZEROCOPY_RECEIVE 35, keys 38 to 42 */
	{ LINUX_IPPROTO_TCP,
	  { BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) |
	    BIT(10) | BIT(12) | BIT(16) | BIT(17) | BIT(18) | BIT(23) | BIT(25) | BIT(27) |
	    BIT(30) | BIT(34) | BIT(36) | BIT(37) | BIT(43) | BIT(44) | BIT(45) | BIT(46) } },
	{ LINUX_IPPROTO_UDP, { BIT(1), BIT(100) | BIT(101) | BIT(102) | BIT(103) | BIT(104) } },
	/* not OPTIONS 4, PKTOPTIONS 9, policies 16 and 17, addresses 32 and 35 to 48 */
	{ LINUX_IPPROTO_IP,
	  { BIT(1) | BIT(2) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(10) | BIT(11) |
	    BIT(12) | BIT(13) | BIT(14) | BIT(15) | BIT(18) | BIT(19) | BIT(20) | BIT(21) |
	    BIT(22) | BIT(23) | BIT(24) | BIT(25) | BIT(26) | BIT(33) | BIT(34) | BIT(49) } },
	/* HOPS, LOOP, switches of what is received, MTU */
	{ LINUX_IPPROTO_IPV6,
	  { BIT(7) | BIT(8) | BIT(16) | BIT(17) | BIT(18) | BIT(19) | BIT(22) | BIT(23) | BIT(24) |
		    BIT(25) | BIT(26) | BIT(29) | BIT(33) | BIT(36) | BIT(49) | BIT(51) | BIT(53) |
		    BIT(56) | BIT(58) | BIT(60) | BIT(62),
	    BIT(66) | BIT(67) | BIT(70) | BIT(72) | BIT(73) | BIT(74) | BIT(75) | BIT(77) |
		    BIT(78) } },
};

static bool is_number(const struct rec_sockopt *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].level == r->level)
			return (uint32_t)r->name < 128 &&
			       numbers[i].options[r->name / 64] >> r->name % 64 & 1;
	return false;
}

static enum form form_of(const struct rec_sockopt *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].level == r->level && forms[i].option == r->name)
			return forms[i].form;
	return is_number(r) ? FORM_NUMBER : FORM_OTHER;
}

static char *length(char *p, const struct rec_sockopt *r)
{
	return encode__word(csv__i64(p, (int32_t)r->len), " bytes");
}

static char *number(char *p, const struct rec_sockopt *r)
{
	int32_t word;
	uint64_t wide;

	switch (r->len) {
	case 1:
		return csv__u64(p, (uint8_t)r->value[0]);
	case 4:
		memcpy(&word, r->value, sizeof(word));
		return csv__i64(p, word);
	case 8:
		memcpy(&wide, r->value, sizeof(wide));
		return csv__u64(p, wide);
	}
	return length(p, r);
}

/* struct timeval of either width, as seconds with six decimals. */
static char *seconds(char *p, const struct rec_sockopt *r)
{
	int64_t wide[2];
	int32_t narrow[2];

	if (r->len == sizeof(narrow)) {
		memcpy(narrow, r->value, sizeof(narrow));
		wide[0] = narrow[0];
		wide[1] = narrow[1];
	} else if (r->len >= sizeof(wide)) {
		memcpy(wide, r->value, sizeof(wide));
	} else {
		return number(p, r);
	}
	/* A value that is not a valid time is written as it was passed; the kernel takes it as
	 * none, or refuses it. */
	if (wide[0] < 0 || wide[1] < 0 || wide[1] >= 1000000) {
		p = csv__i64(encode__word(p, "tv_sec="), wide[0]);
		return csv__i64(encode__word(p, " tv_usec="), wide[1]);
	}
	p = csv__i64(p, wide[0]);
	*p++ = '.';
	return csv__padded(p, wide[1], 6);
}

static char *linger(char *p, const struct rec_sockopt *r)
{
	int32_t l[2]; /* struct linger: l_onoff, l_linger */

	if (r->len < sizeof(l))
		return number(p, r);
	memcpy(l, r->value, sizeof(l));
	p = csv__i64(encode__word(p, "l_onoff="), l[0]);
	return csv__i64(encode__word(p, " l_linger="), l[1]);
}

static char *token_of(struct encoder *e, char *p, const struct rec_sockopt *r, size_t len)
{
	char token[ANONYMIZE_MAX(SOCKOPT_BYTES)];

	return csv__text(p, token, anonymize__name(e->anon, token, r->value, len) - token);
}

static char *value(struct encoder *e, char *p, const struct rec_sockopt *r)
{
	size_t len = r->len < SOCKOPT_BYTES ? r->len : SOCKOPT_BYTES;
	enum form form = form_of(r);

	if (!r->len)
		return p;
	if (r->no_value)
		return length(p, r);
	if (form == FORM_TEXT)
		len = strnlen(r->value, len);
	if (form == FORM_TIME)
		return seconds(p, r);
	if (form == FORM_LINGER)
		return linger(p, r);
	if (e->anon && form != FORM_NUMBER)
		return token_of(e, p, r, len);
	if (form == FORM_TEXT)
		return csv__text(p, r->value, len);
	/* The value may be a key, with the length of a number. */
	return form == FORM_OTHER && r->len == sizeof(uint64_t) ? length(p, r) : number(p, r);
}

char *encode__sockopt(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_sockopt *r = record;
	const struct task_entry *task = encode__task(e, r->task, r->ns);

	p = encode__begin(e, STREAM_NW_SOCKOPT, r->ns, p);
	COLUMN(p, "event_type");
	p = encode__word(p, operation__name(STREAM_NW_SOCKOPT, r->op));
	COLUMN(p, "pid", "command");
	p = encode__pid_command(task, p);
	COLUMN(p, "fd");
	if (!r->no_args)
		p = csv__i64(p, r->fd);
	COLUMN(p, "level");
	if (!r->no_args)
		p = word_or_int(p, &names_opt_level, r->level);
	COLUMN(p, "option_name");
	if (!r->no_args)
		p = option_name(p, r->level, r->name);
	COLUMN(p, "optval");
	if (!r->no_args)
		p = value(e, p, r);
	COLUMN(p, "return_value");
	p = csv__i64(p, r->ret);
	COLUMN(p, "errno");
	p = encode__errno(r->ret, p);
	COLUMN(p, "tid");
	p = encode__tid(task, p);
	COLUMN(p, "flags");
	p = encode__late(p, r->late);
	return encode__end(e, r->ns, p);
}
