/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of macOS' CoreFoundation that iotrc uses, declared as in its documentation: headers of
 * frameworks come only with Xcode. Only make check-portable includes this. */
#ifndef IOTRC_PORTABLE_COREFOUNDATION_H
#define IOTRC_PORTABLE_COREFOUNDATION_H

#include <stdint.h>

typedef signed long CFIndex;
typedef unsigned long CFTypeID;
typedef unsigned char Boolean;
typedef const void *CFTypeRef;
typedef const struct __CFString *CFStringRef;
typedef const struct __CFNumber *CFNumberRef;
typedef const struct __CFBoolean *CFBooleanRef;
typedef const struct __CFDictionary *CFDictionaryRef;
typedef struct __CFDictionary *CFMutableDictionaryRef;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef uint32_t CFStringEncoding;
typedef CFIndex CFNumberType;

enum { kCFStringEncodingUTF8 = 0x08000100 };
enum { kCFNumberSInt64Type = 4 };
extern const CFAllocatorRef kCFAllocatorDefault;

void CFRelease(CFTypeRef cf);
CFTypeID CFGetTypeID(CFTypeRef cf);
CFTypeID CFStringGetTypeID(void);
CFTypeID CFNumberGetTypeID(void);
CFTypeID CFBooleanGetTypeID(void);
CFTypeID CFDictionaryGetTypeID(void);
Boolean CFStringGetCString(CFStringRef s, char *buffer, CFIndex size, CFStringEncoding encoding);
CFStringRef CFStringCreateWithCString(CFAllocatorRef alloc, const char *s,
				      CFStringEncoding encoding);
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void *ret);
Boolean CFBooleanGetValue(CFBooleanRef boolean);
const void *CFDictionaryGetValue(CFDictionaryRef dictionary, const void *key);

#endif
