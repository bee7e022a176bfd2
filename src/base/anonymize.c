// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/anonymize.h"
#include "platform/libc.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "platform/macros.h"

/* Computing a token takes one to two microseconds, so recent names are cached. */
#define NAMES_CACHED 16384
#define NAME_CACHED_MAX 40
#define ADDRESSES_CACHED 4096

#define EXTENSION_MAX 8

struct name_token {
	uint8_t len, out_len;
	char text[NAME_CACHED_MAX];
	char out[ANONYMIZE_TOKEN_LEN + 1 + EXTENSION_MAX];
};

struct address_token {
	uint8_t len, in[16], out[16];
};

struct anonymizer {
	unsigned char key[ANONYMIZE_KEY_SIZE];
	bool keep_system;
	struct name_token names[NAMES_CACHED];
	struct address_token addresses[ADDRESSES_CACHED];
};

int anonymizer__new(struct anonymizer **ret, const unsigned char key[ANONYMIZE_KEY_SIZE],
		    bool keep_system)
{
	struct anonymizer *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	memcpy(a->key, key, sizeof(a->key));
	a->keep_system = keep_system;
	*ret = a;
	return 0;
}

struct anonymizer *anonymizer__free(struct anonymizer *a)
{
	if (a)
		explicit_bzero(a, sizeof(*a));
	free(a);
	return NULL;
}

/* ---- names ---- */

/* Extensions that only tell the kind of file. An extension that is not listed may identify
 * somebody. */
static const char *const extensions[] = {
	"7z",      "a",       "aac",   "avi",  "avro",  "bak",  "bam",         "bash",
	"bin",     "bmp",     "bz2",   "c",    "cc",    "cfg",  "class",       "conf",
	"cpp",     "crt",     "cs",    "css",  "csv",   "dat",  "data",        "db",
	"deb",     "dll",     "doc",   "docx", "dylib", "eml",  "env",         "epub",
	"exe",     "fasta",   "fastq", "flac", "fq",    "gif",  "go",          "gz",
	"h",       "h5",      "hdf5",  "hpp",  "htm",   "html", "ico",         "img",
	"ini",     "ipynb",   "iso",   "jar",  "java",  "jpeg", "jpg",         "js",
	"json",    "jsonl",   "jsx",   "key",  "ko",    "lib",  "lock",        "log",
	"lua",     "lz4",     "m",     "m4a",  "md",    "mkv",  "mov",         "mp3",
	"mp4",     "mpeg",    "mpg",   "nc",   "npy",   "npz",  "o",           "odp",
	"ods",     "odt",     "ogg",   "old",  "onnx",  "orc",  "orig",        "out",
	"parquet", "part",    "pdf",   "pem",  "php",   "pid",  "pkl",         "pl",
	"png",     "ppt",     "pptx",  "pt",   "pth",   "py",   "pyc",         "qcow2",
	"r",       "rb",      "rpm",   "rs",   "rst",   "rtf",  "safetensors", "sam",
	"scala",   "service", "sh",    "so",   "sock",  "sql",  "sqlite",      "sqlite3",
	"sst",     "svg",     "swap",  "swp",  "tar",   "tex",  "tfrecord",    "tgz",
	"tif",     "tiff",    "tmp",   "toml", "ts",    "tsv",  "tsx",         "txt",
	"vcf",     "vdi",     "vmdk",  "wal",  "wav",   "webm", "webp",        "whl",
	"xls",     "xlsx",    "xml",   "xz",   "yaml",  "yml",  "zip",         "zst",
};

/* Length of the extension to keep, its dot included, or 0. */
static size_t extension(const char *s, size_t len)
{
	const char *dot = memrchr(s, '.', len);
	size_t n;

	if (!dot || dot == s || dot[-1] == '/')
		return 0;
	n = s + len - dot - 1;
	if (!n || n > EXTENSION_MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++)
		if (strlen(extensions[i]) == n && !strncasecmp(extensions[i], dot + 1, n))
			return n + 1;
	return 0;
}

static void digest(const struct anonymizer *a, const char *domain, const void *s, size_t len,
		   unsigned char out[EVP_MAX_MD_SIZE])
{
	unsigned char small[512], *text = small;
	size_t n = strlen(domain) + 1;

	/* The domain includes its NUL, so that no name can have the same input as an address. */
	if (n + len > sizeof(small))
		text = malloc(n + len);
	if (!text || (memcpy(text, domain, n), memcpy(text + n, s, len),
		      !HMAC(EVP_sha256(), a->key, sizeof(a->key), text, n + len, out, NULL)))
		memset(out, 0,
		       EVP_MAX_MD_SIZE); /* out of memory: write nothing rather than the name */
	if (text != small)
		free(text);
}

void anonymizer__key_id(const struct anonymizer *a, char ret[ANONYMIZE_TOKEN_LEN + 1])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	digest(a, "key id", "", 0, md);
	for (int i = 0; i < ANONYMIZE_TOKEN_LEN / 2; i++)
		sprintf(ret + 2 * i, "%02x", md[i]);
}

static size_t make_token(const struct anonymizer *a, char *out, const char *s, size_t len)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	size_t kept = extension(s, len);

	digest(a, "name", s, len, md);
	for (int i = 0; i < ANONYMIZE_TOKEN_LEN / 2; i++) {
		out[2 * i] = "0123456789abcdef"[md[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[md[i] & 15];
	}
	memcpy(out + ANONYMIZE_TOKEN_LEN, s + len - kept, kept);
	return ANONYMIZE_TOKEN_LEN + kept;
}

static uint32_t hash(const void *data, size_t len)
{
	const unsigned char *s = data;
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ s[i]) * 16777619u;
	return h ^ h >> 15;
}

char *anonymize__name(struct anonymizer *a, char *out, const char *s, size_t len)
{
	struct name_token *n;

	if (!len)
		return out;
	if (len > NAME_CACHED_MAX)
		return out + make_token(a, out, s, len);
	n = &a->names[hash(s, len) % NAMES_CACHED];
	if (n->len != len || memcmp(n->text, s, len)) {
		n->len = len;
		memcpy(n->text, s, len);
		n->out_len = make_token(a, n->out, s, len);
	}
	memcpy(out, n->out, n->out_len);
	return out + n->out_len;
}

bool anonymize__is_token(const char *s, size_t len)
{
	if (len < ANONYMIZE_TOKEN_LEN)
		return false;
	for (size_t i = 0; i < ANONYMIZE_TOKEN_LEN; i++)
		if (!strchr("0123456789abcdef", s[i]) || !s[i])
			return false;
	return len == ANONYMIZE_TOKEN_LEN ||
	       (s[ANONYMIZE_TOKEN_LEN] == '.' && extension(s, len) == len - ANONYMIZE_TOKEN_LEN);
}

/* ---- paths ---- */

/* Directories that distributions and macOS name. DEPTH more components below them stay clear.
 * Deeper names in /etc, and all names in /usr/local and /dev, were chosen by its users. */
#define ALL 255
static const struct {
	const char *path;
	unsigned int depth;
} system_paths[] = {
	{ "/bin", ALL },
	{ "/boot", ALL },
	{ "/dev", 1 },
	{ "/dev/pts", 1 },
	{ "/etc", 1 },
	{ "/home", 0 },
	{ "/lib", ALL },
	{ "/lib32", ALL },
	{ "/lib64", ALL },
	{ "/libx32", ALL },
	{ "/media", 0 },
	{ "/mnt", 0 },
	{ "/opt", 0 },
	{ "/proc", ALL },
	{ "/root", 0 },
	{ "/run", 0 },
	{ "/sbin", ALL },
	{ "/srv", 0 },
	{ "/sys", ALL },
	{ "/tmp", 0 },
	{ "/usr", ALL },
	{ "/usr/local", 1 },
	{ "/usr/src", 0 },
	{ "/var", 1 },
	/* of macOS; /System/Volumes has its users' files, too */
	{ "/Applications", 0 },
	{ "/Library", 1 },
	{ "/System", 1 },
	{ "/System/Applications", ALL },
	{ "/System/Cryptexes", ALL },
	{ "/System/Library", ALL },
	{ "/Users", 0 },
	{ "/Volumes", 0 },
	{ "/private", 1 },
	{ "/private/etc", 1 },
	{ "/private/var", 1 },
};

/* Returns how many components of PATH stay clear. The longest matching entry decides. */
static unsigned int clear_components(const char *path, size_t len)
{
	unsigned int n = 0;
	size_t longest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(system_paths); i++) {
		const char *prefix = system_paths[i].path;
		size_t prefix_len = strlen(prefix);

		if (prefix_len <= longest || len < prefix_len || memcmp(path, prefix, prefix_len) ||
		    (len > prefix_len && path[prefix_len] != '/'))
			continue;
		longest = prefix_len;
		n = system_paths[i].depth;
		for (const char *s = prefix; *s && n < ALL; s++)
			n += *s == '/';
	}
	return n;
}

bool anonymize__is_system(const char *path, size_t len)
{
	unsigned int n = clear_components(path, len), has = 0;

	for (size_t i = 0; i < len; i++)
		has += path[i] == '/' && i + 1 < len && path[i + 1] != '/';
	return n == ALL || has <= n;
}

char *anonymize__path(struct anonymizer *a, char *out, const char *s, size_t len)
{
	unsigned int clear = a->keep_system ? clear_components(s, len) : 0;
	const char *end = s + len;

	/* A '..' in the requested path may lead out of a system path again. */
	if (clear && memmem(s, len, "/..", 3))
		clear = 0;
	while (s < end) {
		const char *slash;
		size_t part;

		if (*s == '/') {
			*out++ = *s++;
			continue;
		}
		slash = memchr(s, '/', end - s);
		part = slash ? slash - s : end - s;
		if (clear || (part <= 2 && !memcmp(s, "..", part))) {
			memcpy(out, s, part);
			out += part;
			clear -= clear && clear < ALL;
		} else {
			out = anonymize__name(a, out, s, part);
		}
		s += part;
	}
	return out;
}

char *anonymize__args(struct anonymizer *a, char *out, const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		size_t n = strnlen(s, end - s);

		out = anonymize__path(a, out, s, n);
		s += n + 1;
		if (s < end)
			*out++ = ' ';
	}
	return out;
}

/* ---- addresses ---- */

/* Bit i is flipped by a function of the bits before it. */
static void map_bits(struct anonymizer *a, const char *domain, uint8_t *address, size_t len)
{
	uint8_t in[17] = { 0 }, out[16];

	for (size_t i = 0; i < 8 * len; i++) {
		unsigned char md[EVP_MAX_MD_SIZE];
		uint8_t bit = 0x80 >> i % 8;

		in[len] = i;
		digest(a, domain, in, len + 1, md);
		out[i / 8] =
			(i % 8 ? out[i / 8] : 0) | ((address[i / 8] & bit) ^ (md[0] & 1 ? bit : 0));
		in[i / 8] |= address[i / 8] & bit;
	}
	memcpy(address, out, len);
}

static bool stays(const uint8_t *address, size_t len)
{
	static const uint8_t zero[16];

	if (len == 4)
		return address[0] == 127 || !memcmp(address, zero, 4);
	return !memcmp(address, zero, 15) && address[15] <= 1;
}

static void map_address(struct anonymizer *a, const char *domain, uint8_t *address, size_t len)
{
	struct address_token *c = &a->addresses[hash(address, len) % ADDRESSES_CACHED];

	if (stays(address, len))
		return;
	if (c->len != len || memcmp(c->in, address, len)) {
		c->len = len;
		memcpy(c->in, address, len);
		/* A result that must stay clear is permuted again, so that no two inputs get the
		 * same output (walking along a cycle of the permutation). */
		do
			map_bits(a, domain, address, len);
		while (stays(address, len));
		memcpy(c->out, address, len);
	}
	memcpy(address, c->out, len);
}

void anonymize__ipv4(struct anonymizer *a, uint8_t address[4])
{
	map_address(a, "ipv4", address, 4);
}

void anonymize__ipv6(struct anonymizer *a, uint8_t address[16])
{
	map_address(a, "ipv6", address, 16);
}

void anonymize__mac(struct anonymizer *a, uint8_t address[6])
{
	static const uint8_t none[6], all[6] = { 255, 255, 255, 255, 255, 255 };
	unsigned char md[EVP_MAX_MD_SIZE];

	if (!memcmp(address, none, 6) || !memcmp(address, all, 6))
		return;
	digest(a, "mac", address, 6, md);
	memcpy(address, md, 6);
	address[0] = (address[0] | 2) & ~1;
}
