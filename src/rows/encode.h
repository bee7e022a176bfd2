/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns records into rows: from the layouts of schema/records.h to the columns of schema/. There is
 * one encoder per stream, all on the reader's thread. Nothing here allocates (except for
 * definitions), calls printf or reads /proc. */
#ifndef IOTRC_ENCODE_H
#define IOTRC_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/mounts.h"
#include "dataset/memory.h"
#include "dataset/row_mark.h"
#include "rows/dict.h"
#include "rows/matched.h"
#include "rows/names.h"
#include "rows/reqnames.h"
#include "schema/records.h"
#include "schema/selection.h"

/* Bytes that an encoder may need, with all quotes doubled; the second is for rows that
 * encode__is_short() tells. A finished row is never longer than a chunk. */
#define ROW_MAX (192 * 1024)
#define ROW_SHORT_MAX (48 * 1024)

#define FLAGS_CACHE 512

/* Prefix of paths below a mount that is not attached anywhere; such a path starts at the root of
 * the mount. */
#define DETACHED "(detached)"

/* Whether PATH, as stored in path_entry, begins with this prefix. No path of a process does. */
static inline bool encode__is_detached(const char *path, size_t len)
{
	return len >= sizeof(DETACHED) && !memcmp(path, DETACHED, sizeof(DETACHED) - 1);
}

/* Definitions as they are stored: text that is copied into rows without change. */
struct path_entry {
	uint32_t flags, mode;
	bool wanted;       /* by scope and --path */
	uint16_t raw_len;  /* the path itself, as the base of relative paths */
	uint16_t field_at; /* where the filename field is in the text: most paths are their own */
	uint16_t field_len;
	uint8_t inode_len, place_len; /* "inode" and "inode,device" */
	char place[48];               /* see place_len */
	uint8_t fs_type_len;
	char fs_type[FSTYPE_BYTES];
	char text[]; /* raw, then the field unless it is the same */
};

struct task_entry {
	uint32_t pid, ppid;
	uint8_t user;      /* for process_users__row(), or 0 */
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
		*request_names;      /* the engine's; NULL: none, and their fields stay empty */
	bool keep_system;            /* with --anonymize=keep-system these stay clear */
	struct process_users *users; /* where the users of processes are noted; NULL: nowhere */
};

/* Records that only a bug can make: malformed ones, those of a stream that is off, and events whose
 * definition is missing. */
enum fault { FAULT_RECORD, FAULT_THREAD, FAULT_FILE, FAULTS };

struct encoder {
	const struct selection *selection;
	struct clock *clock;
	struct dict *paths, *tasks;
	struct mounts *mounts;
	const struct reqnames *reqnames;
	struct anonymizer *anon;     /* NULL: names in clear. All text passes through it. */
	struct process_users *users; /* borrowed; or NULL */
	uint64_t paths_defined, tasks_defined; /* definition records received */
	struct matched matched;
	uint64_t extents_unknown[UNKNOWN_REASONS]; /* parts of requests, by enum extent_reason */
	/* The encoder of MARKED_STREAMS writes the row's mark where the row will be compressed:
	 * a copy would have to wait for its many short stores. */
	struct row_mark *mark;
	struct row_mark mark_apart; /* where it is otherwise */
	unsigned int forgot;        /* rounds until what was forgotten is dropped; 0: nothing was */
	uint64_t faults[FAULTS];
	struct flags_cached flags[FLAGS_CACHE];
	/* The digits of mono_ns, without the last eight, of the last row: those of most rows. */
	struct {
		uint64_t value;
		size_t len;
		char text[CSV_U64_MAX];
	} mono_head;
	char paths_buf[2][2 * PATH_BYTES + 2 + sizeof(DETACHED)];
	char tokens[ANONYMIZE_MAX(2 * PATH_BYTES)];
	char field[CSV_TEXT_MAX(PATH_BYTES) * 2 + ANONYMIZE_MAX(PATH_BYTES)];
};

/* Returns 0, or a negative errno. Selection, clock and request names are borrowed until
 * encoder__free(); everything else is copied. */
int encoder__new(struct encoder **ret, const struct encoder_config *config);
/* Frees it; NULL is allowed. Returns NULL. */
struct encoder *encoder__free(struct encoder *e);

/* Stores a definition (REC_PATH, REC_TASK). */
void encoder__define(struct encoder *e, const void *record, size_t size);
/* Fetches into the cache what the record at PLACE needs, of which the first bytes are known,
 * sizeof(struct rec_fs). It may not be complete, or no record at all. */
void encoder__expect(struct encoder *e, const void *place);
/* If the definitions take too much memory, forgets old ones and returns true: the caller raises the
 * epoch of the engine. Not again before two rounds have ended, since events on their way refer to
 * what was forgotten before. */
bool encoder__forget(struct encoder *e);
/* Ends a round: the events up to a mark have been read. */
void encoder__end_round(struct encoder *e);

/* Whether RECORD is valid for its type. Encoders and encoder__define() rely on this. */
bool encode__sound(const void *record, size_t size);
/* Whether TYPE, FSTYPE_BYTES long, ends with a NUL and has no character to be escaped. */
bool encode__is_plain_type(const char *type);

/* The properties of a record type, from schema/records.h. */
struct record_kind {
	uint16_t size;      /* minimum; 0: there is no such type */
	uint8_t values;     /* number of values of its second byte; 0: any */
	enum stream stream; /* of an event */
	/* NULL: it is a definition. */
	char *(*encode)(struct encoder *e, const void *record, size_t size, char *p);
	bool is_short; /* see encode__is_short() */
};
extern const struct record_kind record_kinds[RECORD_TYPES_MAX];

/* Whether the row of RECORD, which is of KIND, never takes more than ROW_SHORT_MAX. With names in
 * clear this also holds for a long record that has only one of them. */
static inline bool encode__is_short(const struct encoder *e, const struct record_kind *kind,
				    const void *record)
{
	const struct rec_fs_long *l = record;

	return kind->is_short || (l->fs.type == REC_FS_LONG && !e->anon &&
				  !(l->has & (LONG_HAS_REQUESTED2 | LONG_TWO_FILES)));
}

/* The encoders. Each writes the row of an event at P, which has ROW_MAX bytes. Returns the end of
 * the row, or NULL if a filter in user space drops it. */
#define ENCODER(type, stream, record_type, size_, values, name, ...) \
	char *encode__##name(struct encoder *e, const void *record, size_t size, char *p);
EVENT_TYPES(ENCODER)
#undef ENCODER

/* The words of enum extent_reason in the manifest. NULL: it is none. */
extern const char *const encode__unknown_reasons[UNKNOWN_REASONS];

/* Shared by the encoders. */
/* Writes a path in clear or as tokens: escaped, not quoted. */
char *encode__path(struct encoder *e, char *p, const char *path, size_t len);
/* The same as a whole field. */
char *encode__path_field(struct encoder *e, char *p, const char *path, size_t len);
/* Writes the names of the flags in VALUE, by SET, and bits without a name in hexadecimal. */
char *encode__flags(struct encoder *e, const struct name_set *set, uint64_t value, char *p);
/* Returns the thread with this id, of a row at NS, or an entry with empty fields if the id is 0 or
 * unknown. It is valid as long as dict__get() says. */
const struct task_entry *encode__task(struct encoder *e, uint64_t id, uint64_t ns);
/* Writes "pid,command", for streams without a tid in that place. */
char *encode__pid_command(const struct task_entry *task, char *p);
/* The thread id. */
char *encode__tid(const struct task_entry *task, char *p);
/* Writes the name of a thread, COMM_BYTES long or ended by NUL, in clear or as a token. */
char *encode__command(struct encoder *e, char *p, const char *comm);
/* Writes the word of SET for VALUE, or the number. */
char *encode__word_or_number(char *p, const struct name_set *set, uint64_t value);
/* Writes an address of IP version 4 or 6, in clear or as a token. */
char *encode__ip(struct encoder *e, char *p, const uint8_t *address, int version);
/* Begins a row of STREAM with its first column, the wall time of NS. */
char *encode__begin(struct encoder *e, enum stream stream, uint64_t ns, char *p);
/* Ends a row with mono_ns. */
char *encode__end(struct encoder *e, uint64_t ns, char *p);
/* Writes the name of the error in RET, a return value of the kernel, or nothing if RET is not an
 * error. */
char *encode__errno(int64_t ret, char *p);

/* Writes the errno of rec_block.error, which is not 0. */
int encode__block_errno(int32_t status);

static inline char *encode__word(char *p, const char *word)
{
	while (*word)
		*p++ = *word++;
	return p;
}

/* Writes the flag of a row whose arguments could be read only after the call, if LATE. */
static inline char *encode__late(char *p, bool late)
{
	return late ? encode__word(p, "ARGS_LATE") : p;
}

#endif
