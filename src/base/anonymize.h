/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens for names: what HMAC-SHA256 makes of them with a key that never leaves the machine. The
 * same name has the same token in every stream and session of this install; another install's
 * differ. docs/privacy.md says what becomes of what. An anonymizer is one thread's. */
#ifndef IOTRC_ANONYMIZE_H
#define IOTRC_ANONYMIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANONYMIZE_KEY_NAME "anonymize.key"
#define ANONYMIZE_KEY_SIZE 32
#define ANONYMIZE_TOKEN_LEN 16 /* hexadecimal digits */
/* Room for what LEN bytes of text may become: one-letter components take the most. */
#define ANONYMIZE_MAX(len) (9 * (size_t)(len) + 64)

struct anonymizer;

/* KEEP_SYSTEM: system paths stay clear. 0, or -ENOMEM. */
int anonymizer__new(struct anonymizer **ret, const unsigned char key[ANONYMIZE_KEY_SIZE],
		    bool keep_system);
/* Frees it; NULL is allowed. Returns NULL. */
struct anonymizer *anonymizer__free(struct anonymizer *a);

/* These write at OUT, room for ANONYMIZE_MAX(LEN), and return the new end. */

/* One name, whatever is in it: its token, and its extension when that is a common one. */
char *anonymize__name(struct anonymizer *a, char *out, const char *s, size_t len);
/* Each component of a path, absolute or not; slashes, '.' and '..' stay. */
char *anonymize__path(struct anonymizer *a, char *out, const char *s, size_t len);
/* Arguments that end in NUL (the last one may lack it), each as a path, blanks between. */
char *anonymize__args(struct anonymizer *a, char *out, const char *s, size_t len);

/* In place. Two addresses that share their first n bits share as many afterwards (Xu and others,
 * 'Prefix-preserving IP address anonymization', 2002). Unspecified and loopback addresses stay. */
void anonymize__ipv4(struct anonymizer *a, uint8_t address[4]);
void anonymize__ipv6(struct anonymizer *a, uint8_t address[16]);
/* A locally administered one; all zeroes and all ones stay. */
void anonymize__mac(struct anonymizer *a, uint8_t address[6]);

/* Whether absolute PATH stays clear with KEEP_SYSTEM. */
bool anonymize__is_system(const char *path, size_t len);

/* Whether S is what anonymize__name() could have made. */
bool anonymize__is_token(const char *s, size_t len);

#endif
