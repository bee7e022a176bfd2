// SPDX-License-Identifier: GPL-2.0-or-later
/* Socket options. Values that are numbers, times or names are written out; of all else the length
 * alone, for among it are keys. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/csv.h"
#include "platform/macros.h"
#include "rows/encode.h"

static const struct {
	int level;
	const struct name_set *options;
} levels[] = {
	{ SOL_SOCKET, &names_opt_so },     { IPPROTO_TCP, &names_opt_tcp },
	{ IPPROTO_UDP, &names_opt_udp },   { IPPROTO_IP, &names_opt_ip },
	{ IPPROTO_IPV6, &names_opt_ipv6 }, { IPPROTO_ICMPV6, &names_opt_icmpv6 },
	{ IPPROTO_RAW, &names_opt_raw },   { SOL_NETLINK, &names_opt_netlink },
	{ SOL_PACKET, &names_opt_packet },
};

/* An int that a word of SET stands for; of others the number, with its sign. */
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

enum form { FORM_OTHER, FORM_TEXT, FORM_NAME, FORM_TIME, FORM_LINGER, FORM_ADDRESS };

#define SO_RCVTIMEO_64 \
	66 /* SO_RCVTIMEO_NEW and SO_SNDTIMEO_NEW, include/uapi/asm-generic/socket.h */
#define SO_SNDTIMEO_64 67

static const struct {
	int level, option;
	enum form form;
} forms[] = {
	{ SOL_SOCKET, SO_BINDTODEVICE, FORM_NAME },
	{ SOL_SOCKET, SO_LINGER, FORM_LINGER },
	{ SOL_SOCKET, SO_RCVTIMEO, FORM_TIME },
	{ SOL_SOCKET, SO_SNDTIMEO, FORM_TIME },
	{ SOL_SOCKET, SO_RCVTIMEO_64, FORM_TIME },
	{ SOL_SOCKET, SO_SNDTIMEO_64, FORM_TIME },
	{ IPPROTO_IP, IP_MULTICAST_IF, FORM_ADDRESS },
	{ IPPROTO_IP, IP_ADD_MEMBERSHIP, FORM_ADDRESS },
	{ IPPROTO_IP, IP_DROP_MEMBERSHIP, FORM_ADDRESS },
	{ IPPROTO_TCP, TCP_CONGESTION, FORM_TEXT },
	{ IPPROTO_TCP, TCP_ULP, FORM_TEXT },
};

static enum form form_of(const struct rec_sockopt *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].level == r->level && forms[i].option == r->name)
			return forms[i].form;
	return FORM_OTHER;
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
	return encode__word(csv__i64(p, (int32_t)r->len), " bytes");
}

/* struct timeval of either width: seconds and six decimals. */
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
	/* What isn't a time is written as it was given; the kernel takes it for none or refuses
	 * it. */
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
	struct linger l;

	if (r->len < sizeof(l))
		return number(p, r);
	memcpy(&l, r->value, sizeof(l));
	p = csv__i64(encode__word(p, "l_onoff="), l.l_onoff);
	return csv__i64(encode__word(p, " l_linger="), l.l_linger);
}

static char *value(struct encoder *e, char *p, const struct rec_sockopt *r)
{
	size_t len = strnlen(r->value, r->len < SOCKOPT_BYTES ? r->len : SOCKOPT_BYTES);
	char token[ANONYMIZE_MAX(SOCKOPT_BYTES)];
	enum form form = form_of(r);

	if (!r->len)
		return p;
	if (r->no_value)
		return encode__word(csv__i64(p, (int32_t)r->len), " bytes");
	if (form == FORM_TIME)
		return seconds(p, r);
	if (form == FORM_LINGER)
		return linger(p, r);
	if (form == FORM_ADDRESS && e->anon)
		return encode__word(csv__i64(p, (int32_t)r->len), " bytes");
	if (form == FORM_NAME && e->anon)
		return csv__text(p, token, anonymize__name(e->anon, token, r->value, len) - token);
	if (form == FORM_NAME || form == FORM_TEXT)
		return csv__text(p, r->value, len);
	return number(p, r);
}

char *encode__sockopt(struct encoder *e, const void *record, size_t size, char *p)
{
	const struct rec_sockopt *r = record;
	const struct task_entry *task = encode__task(e, r->task);

	p = encode__wall(e, r->ns, p);
	*p++ = ',';
	p = encode__word(p, r->op == SOCKOPT_GET ? "GET" : "SET");
	*p++ = ',';
	p = encode__pid_command(task, p);
	*p++ = ',';
	if (!r->no_args)
		p = csv__i64(p, r->fd);
	*p++ = ',';
	if (!r->no_args)
		p = word_or_int(p, &names_opt_level, r->level);
	*p++ = ',';
	if (!r->no_args)
		p = option_name(p, r->level, r->name);
	*p++ = ',';
	if (!r->no_args)
		p = value(e, p, r);
	*p++ = ',';
	p = csv__i64(p, r->ret);
	*p++ = ',';
	p = encode__errno(r->ret, p);
	*p++ = ',';
	p = encode__tid(task, p);
	return encode__end(r->ns, p);
}
