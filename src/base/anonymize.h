/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens for names: HMAC-SHA256 of the name with a key that never leaves the machine. A name has
 * the same token in every stream and session of one installation; other installations have other
 * tokens. docs/privacy.md lists what is replaced and how. An anonymizer must be used by one thread
 * only. */
#ifndef IOTRC_ANONYMIZE_H
#define IOTRC_ANONYMIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANONYMIZE_KEY_NAME "anonymize.key"
#define ANONYMIZE_KEY_SIZE 32
#define ANONYMIZE_TOKEN_LEN 16 /* hexadecimal digits */
/* Bytes that the result for LEN bytes of text may take; one-letter components grow the most. */
#define ANONYMIZE_MAX(len) (9 * (size_t)(len) + 64)

struct anonymizer;

/* KEEP_SYSTEM: system paths stay clear. Returns 0, or -ENOMEM. */
int anonymizer__new(struct anonymizer **ret, const unsigned char key[ANONYMIZE_KEY_SIZE],
		    bool keep_system);
/* Frees it; NULL is allowed. Returns NULL. */
struct anonymizer *anonymizer__free(struct anonymizer *a);

/* Writes an id of A's key that does not reveal the key. Tokens of two sessions are comparable if
 * their ids are equal. */
void anonymizer__key_id(const struct anonymizer *a, char ret[ANONYMIZE_TOKEN_LEN + 1]);

/* The next functions write to OUT, which has ANONYMIZE_MAX(LEN) bytes, and return the new end. */

/* Writes the token of one name, which may hold any bytes, and its extension if that is a common
 * one. */
char *anonymize__name(struct anonymizer *a, char *out, const char *s, size_t len);
/* Replaces each component of a path, absolute or relative; slashes, '.' and '..' stay. */
char *anonymize__path(struct anonymizer *a, char *out, const char *s, size_t len);
/* Replaces arguments that end in NUL (the last one may lack it), each as a path, and separates them
 * by blanks. */
char *anonymize__args(struct anonymizer *a, char *out, const char *s, size_t len);

/* Replaces an address in place. Two addresses with a common prefix of n bits get replacements with
 * a common prefix of n bits (Xu and others, 'Prefix-preserving IP address anonymization', 2002).
 * Unspecified and loopback addresses stay. */
void anonymize__ipv4(struct anonymizer *a, uint8_t address[4]);
void anonymize__ipv6(struct anonymizer *a, uint8_t address[16]);
/* Replaces a MAC address by a locally administered one; all zeroes and all ones stay. */
void anonymize__mac(struct anonymizer *a, uint8_t address[6]);

/* Whether absolute PATH stays clear with KEEP_SYSTEM. */
bool anonymize__is_system(const char *path, size_t len);

/* Whether anonymize__name() could have written S. */
bool anonymize__is_token(const char *s, size_t len);

#endif
