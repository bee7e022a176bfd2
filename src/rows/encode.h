/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From records to rows: where the layouts of schema/records.h and the columns of schema/ meet. One
 * encoder a stream, all on the reader's thread. Nothing here allocates (but for definitions), calls
 * printf or reads /proc. */
#ifndef IOTRC_ENCODE_H
#define IOTRC_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "base/mounts.h"
#include "dataset/memory.h"
#include "rows/dict.h"
#include "rows/matched.h"
#include "rows/names.h"
#include "rows/reqnames.h"
#include "schema/records.h"
#include "schema/selection.h"

/* Room that an encoder may need, quotes still to be doubled included; and for records of fixed
 * length. A finished row is never longer than a chunk. */
#define ROW_MAX (192 * 1024)
#define ROW_SHORT_MAX (48 * 1024)

#define FLAGS_CACHE 512

/* Stands before the path of what is below a mount that is attached nowhere: it is from the mount's
 * root on. */
#define DETACHED "(detached)"

/* Whether PATH, as path_entry has it, begins with the mark. No path of a process's does. */
static inline bool encode__is_detached(const char *path, size_t len)
{
	return len >= sizeof(DETACHED) && !memcmp(path, DETACHED, sizeof(DETACHED) - 1);
}

/* Definitions as they are kept: text that goes into rows as it is. */
struct path_entry {
	uint32_t flags, mode;
	bool wanted;        /* by scope and --path */
	uint16_t raw_len;   /* the path itself, for those below it */
	uint16_t field_len; /* the filename field */
	uint8_t place_len;  /* "inode,device" */
	char place[48];     /* see place_len */
	char fs_type[FSTYPE_BYTES];
	char text[]; /* raw, then the field */
};

struct task_entry {
	uint32_t ppid;
	uint16_t who_len;  /* "pid,tid,command" */
	uint16_t tail_len; /* "cmdline,ppid,container_id" */
	char text[];
};

struct flags_cached {
	const struct name_set *set;
	uint64_t value;
	uint16_t len;
	char text[NAMES_MAX];
};

struct encoder_config {
	const struct selection *selection;
	const struct memory_plan *memory;
	struct clock *clock;
	const unsigned char *key; /* of the anonymisation; NULL: names in clear */
	const struct reqnames
		*request_names; /* the engine's; NULL: none, their fields stay empty */
	bool keep_system;       /* what --anonymize=keep-system leaves in clear */
};

struct encoder {
	const struct selection *selection;
	struct clock *clock;
	struct dict *paths, *tasks;
	struct mounts *mounts;
	const struct reqnames *reqnames;
	struct anonymizer *anon; /* NULL: names in clear. Text of any stream goes through it. */
	uint64_t paths_defined, tasks_defined; /* definition records received */
	struct matched matched;
	uint64_t unnamed; /* records that make no sense, or whose definition is missing: defects */
	struct flags_cached flags[FLAGS_CACHE];
	char paths_buf[2][2 * PATH_BYTES + 2 + sizeof(DETACHED)];
	char tokens[ANONYMIZE_MAX(2 * PATH_BYTES)];
};

/* 0, or a negative errno. Selection, clock and request names are borrowed until encoder__free(),
 * all else is copied. */
int encoder__new(struct encoder **ret, const struct encoder_config *config);
/* Frees it; NULL is allowed. Returns NULL. */
struct encoder *encoder__free(struct encoder *e);

/* Takes a definition (REC_PATH, REC_TASK). */
void encoder__define(struct encoder *e, const void *record, size_t size);

/* Whether RECORD is what its type says, so that encoders and encoder__define() may believe what is
 * in it. */
bool encode__sound(const void *record, size_t size);

/* What schema/records.h says of a type of records. */
struct record_kind {
	uint16_t size;      /* that it has at least; 0: there is no such type */
	uint8_t values;     /* how many its second byte may have; 0: any */
	enum stream stream; /* of an event */
	/* NULL: it is a definition. */
	char *(*encode)(struct encoder *e, const void *record, size_t size, char *p);
	bool is_short; /* its row never takes more than ROW_SHORT_MAX */
};
extern const struct record_kind record_kinds[RECORD_TYPES_MAX];

/* Encoders. Each writes the row of an event at P, which has space for ROW_MAX bytes. Returns the
 * row's end, or NULL if a filter applied in user space leaves it out. */
#define ENCODER(type, stream, record_type, size_, values, name, ...) \
	char *encode__##name(struct encoder *e, const void *record, size_t size, char *p);
EVENT_TYPES(ENCODER)
#undef ENCODER

/* Shared by the encoders. */
/* A path as a row may have it, in clear or in tokens: escaped, and not yet quoted. */
char *encode__path(struct encoder *e, char *p, const char *path, size_t len);
/* The names of the flags in VALUE, by SET; bits without a name in hexadecimal. */
char *encode__flags(struct encoder *e, const struct name_set *set, uint64_t value, char *p);
/* The thread with that id; an entry with empty fields for 0 or an unknown id. Valid as
 * long as dict__get() says. */
const struct task_entry *encode__task(struct encoder *e, uint64_t id);
/* "pid,command", for the streams that have no tid there. */
char *encode__pid_command(const struct task_entry *task, char *p);
/* The thread id. */
char *encode__tid(const struct task_entry *task, char *p);
/* The word of SET for VALUE, or the number. */
char *encode__word_or_number(char *p, const struct name_set *set, uint64_t value);
/* An address of IP version 4 or 6, in clear or as its token. */
char *encode__ip(struct encoder *e, char *p, const uint8_t *address, int version);
/* Begins a row of STREAM with its first column, the wall time of NS. */
char *encode__begin(struct encoder *e, enum stream stream, uint64_t ns, char *p);
/* Ends a row with mono_ns. */
char *encode__end(uint64_t ns, char *p);
/* The name of the error in RET, a return value of the kernel; nothing if RET is not an error. */
char *encode__errno(int64_t ret, char *p);

/* The errno of rec_block.error, not 0. */
int encode__block_errno(int32_t status);

static inline char *encode__word(char *p, const char *word)
{
	while (*word)
		*p++ = *word++;
	return p;
}

#endif
