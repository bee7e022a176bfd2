// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions are made here by other means (libzstd, jansson, sha256sum, strftime), not by the
 * recorder. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "commands/verify.h"
#include "dataset/field.h"
#include "dataset/session_lock.h"
#include "platform/macros.h"

#define MS 1000000ll
#define OFFSET 1704067200000000000ll /* boot at 2024-01-01 00:00:00 UTC */
#define FS_FILE "fs/fs_20240101_020000_000_0001.csv.zst"
#define LOST_FILE "lost/lost_20240101_020000_000_0001.csv.zst"
#define FS_HEADER \
	"timestamp,operation,pid,tid,command,filename,size,offset,bytes_completed,inode," \
	"device,flags,duration_ns,return_value,errno,mmap_prot,mmap_flags,address,cmdline,ppid," \
	"container_id,fs_type,mono_ns\n"
#define LOST_HEADER "timestamp,stream,cause,count,from_mono_ns,to_mono_ns,cpu_id,mono_ns\n"
#define FS_ROWS 101

struct fixture {
	char base[64], dir[128];
	json_t *manifest;
};

static char *path_of(const struct fixture *s, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	return path;
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fwrite(data, 1, len, f) == len && !fclose(f), "%s", path);
}

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "r");
	char *data = calloc(1, 1 << 20);

	cr_assert(f != NULL);
	*ret_len = fread(data, 1, 1 << 20, f);
	fclose(f);
	return data;
}

static json_t *facts_of(const struct fixture *s, const char *name)
{
	json_t *list = json_object_get(s->manifest, "files"), *file;
	size_t i;

	json_array_foreach(list, i, file)
		if (!strcmp(json_string_value(json_object_get(file, "path")), name))
			return file;
	return NULL;
}

static void set_int(json_t *o, const char *key, json_int_t v)
{
	json_object_set_new(o, key, json_integer(v));
}

/* The output of sha256sum; "" if there is no such file. */
static char *sha256_of(const struct fixture *s, const char *name)
{
	static char sha256[65];
	char command[600];
	FILE *f;

	snprintf(command, sizeof(command), "sha256sum %s 2>&-", path_of(s, name));
	f = popen(command, "r");
	if (fscanf(f, "%64s", sha256) != 1)
		*sha256 = '\0';
	pclose(f);
	return sha256;
}

/* Writes the size and hash of the file on the disk into the manifest. */
static void restate_bytes(struct fixture *s, const char *name)
{
	struct stat st;

	stat(path_of(s, name), &st);
	set_int(facts_of(s, name), "compressed_bytes", st.st_size);
	json_object_set_new(facts_of(s, name), "sha256", json_string(sha256_of(s, name)));
}

/* Compresses CSV into the file, and describes it in the manifest, without the times. */
static void put_csv(struct fixture *s, const char *name, const char *csv, size_t len, int checksum)
{
	size_t size = ZSTD_compressBound(len), rows = -1;
	char *out = malloc(size);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, checksum);
	size = ZSTD_compress2(ctx, out, size, csv, len);
	cr_assert_not(ZSTD_isError(size));
	ZSTD_freeCCtx(ctx);
	write_file(path_of(s, name), out, size);
	free(out);
	for (size_t i = 0; i < len; i++)
		rows += csv[i] == '\n';
	set_int(facts_of(s, name), "rows", rows);
	set_int(facts_of(s, name), "raw_bytes", len);
	restate_bytes(s, name);
}

static char *fs_csv(void)
{
	char *csv = calloc(1, 1 << 17), *p = csv + sprintf(csv, FS_HEADER);

	for (int i = 0; i < FS_ROWS; i++) {
		long long mono = 1000 * MS + i * 1234567ll, real = mono + OFFSET;
		time_t local = real / 1000000000 + 7200;
		char day[32];
		struct tm tm;

		strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", gmtime_r(&local, &tm));
		p += sprintf(
			p,
			"%s.%06lld,read,%d,%d,cat,\"/tmp/a,b\\\\ \xc3\xa9\\x0a\",4096,0,4096,12,"
			"8:1,O_RDONLY|O_CLOEXEC,1500,4096,,,,,cat a,1,77,ext4,%lld\n",
			day, real % 1000000000 / 1000, 100 + i, 100 + i, mono);
	}
	return csv;
}

static json_t *columns_of(const char *header)
{
	char *copy = strdup(header), *save;
	json_t *columns = json_array();

	for (char *name = strtok_r(copy, ",\n", &save); name; name = strtok_r(NULL, ",\n", &save))
		json_array_append_new(columns, json_pack("{s:s}", "name", name));
	free(copy);
	return columns;
}

static json_t *account(int written, int filtered, int ring)
{
	return json_pack("{s:i,s:i,s:i,s:{s:i,s:i,s:i}}", "seen", written + filtered + ring,
			 "written", written, "filtered", filtered, "lost", "ring", ring, "queue", 0,
			 "disk", 0);
}

static struct fixture make(void)
{
	struct fixture s;
	const char *lost =
		LOST_HEADER "2024-01-01 02:00:02.000000,fs,ring,3,1000000,2000000,1,2000000000\n"
			    "2024-01-01 02:00:03.000000,fs,ring,4,1000000,2000000,,3000000000\n";
	char *csv = fs_csv();

	strcpy(s.base, "/tmp/iotrc-test-XXXXXX");
	cr_assert(mkdtemp(s.base) != NULL);
	snprintf(s.dir, sizeof(s.dir), "%s/20240101_020000_000", s.base);
	mkdir(s.dir, 0700);
	mkdir(path_of(&s, "fs"), 0700);
	mkdir(path_of(&s, "lost"), 0700);
	s.manifest = json_pack(
		"{s:s,s:{s:{s:o},s:{s:o}},s:{s:s,s:I,s:[{s:i,s:I}]},s:{s:s},"
		"s:[{s:s,s:s,s:I,s:I},{s:s,s:s,s:I,s:I}],s:{s:{s:o,s:o}}}",
		"schema_version", "1", "streams", "fs", "columns", columns_of(FS_HEADER), "lost",
		"columns", columns_of(LOST_HEADER), "clock", "utc_offset", "+02:00",
		"mono_to_real_offset_ns", OFFSET, "offsets", "from_mono_ns", 5000,
		"mono_to_real_offset_ns", OFFSET, "session", "state", "complete", "files", "path",
		FS_FILE, "stream", "fs", "first_mono_ns", 1000 * MS, "last_mono_ns",
		1000 * MS + (FS_ROWS - 1) * 1234567ll, "path", LOST_FILE, "stream", "lost",
		"first_mono_ns", 2000 * MS, "last_mono_ns", 3000 * MS, "diagnostics", "streams",
		"fs", account(FS_ROWS, 5, 7), "lost", account(2, 0, 0));
	cr_assert(s.manifest != NULL);
	put_csv(&s, FS_FILE, csv, strlen(csv), 1);
	put_csv(&s, LOST_FILE, lost, strlen(lost), 1);
	free(csv);
	return s;
}

/* Writes the manifest, verifies, cleans up. Returns the faults and what was printed. */
static uint64_t finish(struct fixture *s, char **ret_said)
{
	char command[100];
	size_t len;
	FILE *out = open_memstream(ret_said, &len);
	uint64_t faults;

	if (s->manifest)
		json_dump_file(s->manifest, path_of(s, "manifest.json"), 0);
	faults = verify__dir(s->dir, out);
	fclose(out);
	json_decref(s->manifest);
	snprintf(command, sizeof(command), "rm -rf %s", s->base);
	cr_assert_eq(system(command), 0);
	return faults;
}

/* There is exactly one fault, of file NAME, and it contains WHAT. */
static void assert_fault(struct fixture *s, const char *name, const char *what)
{
	char start[600], *said;
	uint64_t faults;

	snprintf(start, sizeof(start), "%s: ", path_of(s, name));
	faults = finish(s, &said);
	cr_expect_eq(faults, 1, "wanted '%s': %s", what, said);
	cr_expect_eq(strncmp(said, start, strlen(start)), 0, "wanted '%s': %s", start, said);
	cr_expect(strstr(said, what), "wanted '%s': %s", what, said);
	cr_expect(strstr(said, ": 1 fault\n"), "%s", said);
	free(said);
}

static void assert_sound(struct fixture *s, const char *what)
{
	char *said;
	uint64_t faults = finish(s, &said);

	cr_expect_eq(faults, 0, "%s", said);
	cr_expect(strstr(said, what), "%s", said);
	free(said);
}

Test(verify, sound_session)
{
	struct fixture s = make();

	assert_sound(&s, "/20240101_020000_000: 2 files, 103 rows: sound\n");
}

Test(verify, dataset_of_sessions)
{
	struct fixture s = make();
	char command[600], *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);

	json_dump_file(s.manifest, path_of(&s, "manifest.json"), 0);
	snprintf(command, sizeof(command),
		 "mkdir -p %s/m/id && mv %s %s/m/id/a && cp -r %s/m/id/a %s/m/id/b", s.base, s.dir,
		 s.base, s.base, s.base);
	cr_assert_eq(system(command), 0);
	cr_expect_eq(verify__dir(s.base, out), 0);
	snprintf(command, sizeof(command), "rm %s/m/id/b/manifest.json", s.base);
	cr_assert_eq(system(command), 0);
	cr_expect_eq(verify__dir(s.base, out), 2);
	snprintf(command, sizeof(command), "rm -r %s/m/id/?", s.base);
	cr_assert_eq(system(command), 0);
	cr_expect_eq(verify__dir(s.base, out), 1);
	snprintf(command, sizeof(command), "rm -r %s", s.base);
	cr_assert_eq(system(command), 0);
	cr_expect_eq(verify__dir(s.base, out), 1);
	fclose(out);
	cr_expect(strstr(said, "/m/id/a: 2 files, 103 rows: sound\n"), "%s", said);
	cr_expect(strstr(said, "/m/id/b: 2 files, 103 rows: sound\n"), "%s", said);
	cr_expect(strstr(said, "/m/id/b/" FS_FILE ": no manifest.json above it\n"), "%s", said);
	cr_expect(strstr(said, ": no session (manifest.json) here or below\n"), "%s", said);
	cr_expect(strstr(said, ": cannot be read: No such file or directory\n"), "%s", said);
	free(said);
	json_decref(s.manifest);
}

/* ---- rows ---- */

/* Replaces the Nth field (from 0) of the second row by TEXT; N -1: the whole row. */
static void put_field(struct fixture *s, int n, const char *text, size_t text_len)
{
	char *csv = fs_csv(), *field = strchr(strchr(csv, '\n') + 1, '\n') + 1, *end, *out;
	size_t len = strlen(csv);
	bool quoted = false;

	for (int i = 0; i < n; field++) {
		quoted ^= *field == '"';
		i += *field == ',' && !quoted;
	}
	end = n < 0 ? strchr(field, '\n') : field;
	for (; n >= 0 && (quoted || !strchr(",\n", *end)); end++)
		quoted ^= *end == '"';
	out = malloc(len + text_len);
	memcpy(out, csv, field - csv);
	memcpy(out + (field - csv), text, text_len);
	memcpy(out + (field - csv) + text_len, end, csv + len - end);
	put_csv(s, FS_FILE, out, len + text_len - (end - field), 1);
	free(out);
	free(csv);
}

Test(verify, fields)
{
	static const struct {
		int column;
		const char *text, *what;
	} cases[] = {
		{ 0, "2024-02-30 02:00:01.000000", "row 2: column timestamp: no wall time" },
		{ 0, "2024-01-01T02:00:01.001234", "row 2: column timestamp: no wall time" },
		{ 0, "2024-01-01 02:00:01.003", "row 2: column timestamp: no wall time" },
		{ 0, "", "row 2: column timestamp: empty" },
		{ 0, "2024-01-01 02:00:01.002235",
		  "row 2: column timestamp: 2024-01-01 02:00:01.002235 is 1001 us off" },
		{ 0, "2024-01-01 03:00:01.001234", "is 3600000000 us off" },
		{ 1, "READ", "row 2: column operation: not one of its words" },
		{ 1, "rea", "row 2: column operation" },
		{ 2, "-1", "row 2: column pid: no unsigned number below 2^63: '-1'" },
		{ 2, "9223372036854775808", "row 2: column pid: no unsigned number below 2^63" },
		{ 8, "9223372036854775808",
		  "row 2: column bytes_completed: no unsigned number below" },
		{ 9, "18446744073709551616", "row 2: column inode: no unsigned number" },
		{ 2, "007", "row 2: column pid" },
		{ 2, "18446744073709551616", "row 2: column pid" },
		{ 4, "a\\tb", "row 2: column command: not escaped text: 'a\\tb'" },
		{ 4, "a\001b", "row 2: column command: not escaped text: 'a\\x01b'" },
		{ 4, "a\rb", "row 2: column command" },
		{ 4, "a\177b", "row 2: column command" },
		{ 5, "/a\\x0", "row 2: column filename" },
		{ 5, "/a\\", "row 2: column filename" },
		{ 5, "/a\xff", "row 2: column filename" },
		{ 5, "/a\xc2\x85", "row 2: column filename" },
		{ 5, "/a\"b", "row 2: a quote in a field without quotes" },
		{ 5, "\"/a\"", "row 2: quotes without need" },
		{ 5, "\"/a,\"b", "row 2: text after a quote" },
		{ 7, "9223372036854775808", "row 2: column offset: no whole number" },
		{ 10, "8-1", "row 2: column device: no major:minor" },
		{ 11, "O_RDONLY||O_CLOEXEC", "row 2: column flags" },
		{ 11, "O_RDONLY|", "row 2: column flags" },
		{ 14, "no such", "row 2: column errno" },
		{ 17, "0xG", "row 2: column address" },
		{ 18, "a,b", "row 2: 24 fields, should be 23" },
		{ 22, "", "row 2: column mono_ns: empty" },
		{ 22, "12ms", "row 2: column mono_ns: no unsigned number below 2^63" },
		{ -1, "", "row 2: 1 fields, should be 23" },
		{ -1, "\"", "row 2: an unterminated quote" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture s = make();

		put_field(&s, cases[i].column, cases[i].text, strlen(cases[i].text));
		assert_fault(&s, FS_FILE, cases[i].what);
	}
}

Test(verify, fields_that_are_sound)
{
	static const struct {
		int column;
		const char *text;
	} cases[] = {
		{ 0, "2024-01-01 02:00:01.002200" },
		{ 1, "" },
		{ 2, "9223372036854775807" },
		{ 6, "-1" },
		{ 9, "18446744073709551615" },
		{ 4, "a\\\\b\\x0a\\xff" },
		{ 5, "\"say \"\"x\"\"\"" },
		{ 5, "" },
		{ 7, "-9223372036854775808" },
		{ 7, "0" },
		{ 11, "0x400|S_IRUSR" },
		{ 14, "ENOENT" },
		{ 17, "0x7ffff7fc1000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture s = make();

		put_field(&s, cases[i].column, cases[i].text, strlen(cases[i].text));
		assert_sound(&s, "sound");
	}
}

Test(verify, nul_in_a_field)
{
	struct fixture s = make();

	put_field(&s, 4, "a\0b", 3);
	assert_fault(&s, FS_FILE, "row 2: column command: not escaped text: 'a\\x00b'");
}

Test(verify, many_faults_are_counted)
{
	struct fixture s = make();
	char *csv = fs_csv(), *said;

	for (char *p = csv; (p = strstr(p, ",read,")); p++)
		p[1] = 'R';
	put_csv(&s, FS_FILE, csv, strlen(csv), 1);
	free(csv);
	cr_expect_eq(finish(&s, &said), FS_ROWS);
	cr_expect(strstr(said, FS_FILE ": row 20: "));
	cr_expect_not(strstr(said, FS_FILE ": row 21: "));
	cr_expect(strstr(said, FS_FILE ": ... and 81 more\n"), "%s", said);
	cr_expect(strstr(said, ": 101 faults\n"), "%s", said);
	free(said);
}

Test(verify, extra_column)
{
	struct fixture s = make();
	char *csv = fs_csv(), *wide = malloc(1 << 17);

	sprintf(wide, "%.*s,more\n%s", (int)strlen(FS_HEADER) - 1, FS_HEADER,
		strchr(csv, '\n') + 1);
	put_csv(&s, FS_FILE, wide, strlen(wide), 1);
	free(csv);
	free(wide);
	assert_fault(&s, FS_FILE, "header: not the schema's from byte ");
}

Test(verify, torn_row)
{
	struct fixture s = make();
	char *csv = fs_csv();

	put_csv(&s, FS_FILE, csv, strlen(csv) - 1, 1);
	free(csv);
	set_int(facts_of(&s, FS_FILE), "rows", FS_ROWS);
	set_int(facts_of(&s, FS_FILE), "last_mono_ns", 1000 * MS + (FS_ROWS - 2) * 1234567ll);
	assert_fault(&s, FS_FILE, "row 101: torn");
}

Test(verify, empty_frame)
{
	struct fixture s = make();

	put_csv(&s, LOST_FILE, "", 0, 1);
	set_int(facts_of(&s, LOST_FILE), "rows", 0);
	json_object_set_new(json_object_get(json_object_get(s.manifest, "diagnostics"), "streams"),
			    "lost", account(0, 0, 0));
	json_object_set_new(json_object_get(json_object_get(s.manifest, "diagnostics"), "streams"),
			    "fs", account(FS_ROWS, 0, 0));
	assert_fault(&s, LOST_FILE, "header: missing");
}

Test(verify, endless_row)
{
	struct fixture s = make();
	size_t len = 3 << 20;
	char *csv = malloc(len);

	memset(csv, 'a', len);
	memcpy(csv, FS_HEADER, strlen(FS_HEADER));
	put_csv(&s, FS_FILE, csv, len, 1);
	free(csv);
	set_int(facts_of(&s, FS_FILE), "rows", FS_ROWS);
	assert_fault(&s, FS_FILE, "after row 0: a row of more than a megabyte");
}

/* ---- frames ---- */

/* Writes the first LEN bytes (counted from the end if negative) of the fs file again, with the byte
 * at FLIP (>= 0) changed and MORE after them. */
static void edit_frame(struct fixture *s, long len, long flip, const void *more, size_t more_len)
{
	size_t old;
	char *data = read_file(path_of(s, FS_FILE), &old);

	len += len <= 0 ? old : 0;
	if (flip >= 0)
		data[flip] ^= 0x10;
	memcpy(data + len, more, more_len);
	write_file(path_of(s, FS_FILE), data, len + more_len);
	free(data);
}

Test(verify, frames)
{
	static const unsigned char skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x' };
	static const char empty_frame[] = "\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00\x99\xe9\xd8\x51";
	static const struct {
		long len, flip;
		const void *more;
		size_t more_len;
		const char *what;
	} cases[] = {
		{ -1, -1, "", 0, "truncated: the frame is incomplete" },
		{ -4, -1, "", 0, "truncated" },
		{ 300, -1, "", 0, "truncated" },
		{ 0, -1, "x", 1, "data after the end of the frame" },
		{ 0, -1, skippable, sizeof(skippable), "data after the end of the frame" },
		{ 0, -1, empty_frame, sizeof(empty_frame) - 1, "data after the end of the frame" },
		{ 0, 0, "", 0, "no Zstandard frame" },
		{ 3, -1, "", 0, "no Zstandard frame" },
		{ 0, 400, "", 0, "after row " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture s = make();

		edit_frame(&s, cases[i].len, cases[i].flip, cases[i].more, cases[i].more_len);
		restate_bytes(&s, FS_FILE);
		assert_fault(&s, FS_FILE, cases[i].what);
	}
}

Test(verify, file_of_no_bytes)
{
	struct fixture s = make();

	write_file(path_of(&s, FS_FILE), "", 0);
	restate_bytes(&s, FS_FILE);
	assert_fault(&s, FS_FILE, "truncated");
}

Test(verify, frame_without_checksum)
{
	struct fixture s = make();
	char *csv = fs_csv();

	put_csv(&s, FS_FILE, csv, strlen(csv), 0);
	free(csv);
	assert_fault(&s, FS_FILE, "no content checksum");
}

static void put_spec(struct fixture *s, const char *path, const char *text)
{
	json_t *list = json_object_get(s->manifest, "system_spec");

	if (!list) {
		list = json_array();
		json_object_set_new(s->manifest, "system_spec", list);
		mkdir(path_of(s, "system_spec"), 0700);
	}
	json_array_append_new(list, json_pack("{s:s}", "path", path));
	if (strstr(path, "..") == NULL)
		write_file(path_of(s, path), text, strlen(text));
	set_int(json_array_get(list, json_array_size(list) - 1), "bytes", strlen(text));
	json_object_set_new(json_array_get(list, json_array_size(list) - 1), "sha256",
			    json_string(sha256_of(s, path)));
}

Test(verify, json_files)
{
	struct fixture s = make();

	put_spec(&s, "system_spec/os_info.json", "{\"system\": \"Linux\"}\n");
	put_spec(&s, "system_spec/cpu_info.json", "{}\n");
	assert_sound(&s, "/20240101_020000_000: 4 files, 103 rows: sound\n");

	s = make();
	put_spec(&s, "system_spec/os_info.json", "{\"system\": \"Linux\"}\n");
	write_file(path_of(&s, "system_spec/os_info.json"), "{\"system\": \"Linus\"}\n", 20);
	assert_fault(&s, "system_spec/os_info.json", "sha256: the manifest says ");

	s = make();
	put_spec(&s, "system_spec/os_info.json", "{}\n");
	write_file(path_of(&s, "system_spec/os_info.json"), "{}", 2);
	assert_fault(&s, "system_spec/os_info.json", "bytes: the manifest says 3, the file 2");

	s = make();
	put_spec(&s, "system_spec/os_info.json", "{}\n");
	unlink(path_of(&s, "system_spec/os_info.json"));
	assert_fault(&s, "system_spec/os_info.json", "missing");

	s = make();
	put_spec(&s, "system_spec/../../secret.json", "{}\n");
	assert_fault(&s, "manifest.json", "is not a file of system_spec");
}

Test(verify, bytes_that_changed_later)
{
	struct fixture s = make();
	char *said;

	edit_frame(&s, 0, 400, "", 0);
	cr_expect_eq(finish(&s, &said), 2);
	cr_expect(strstr(said, FS_FILE ": after row "), "%s", said);
	cr_expect(strstr(said, FS_FILE ": sha256: "), "%s", said);
	free(said);
}

/* ---- the manifest compared with the files ---- */

Test(verify, stated_facts)
{
	static const char *const keys[] = {
		"raw_bytes",
		"compressed_bytes",
		"first_mono_ns",
		"last_mono_ns",
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct fixture s = make();
		json_t *file = facts_of(&s, FS_FILE);

		set_int(file, keys[i], json_integer_value(json_object_get(file, keys[i])) + 1);
		assert_fault(&s, FS_FILE, keys[i]);
	}
}

Test(verify, stated_rows)
{
	struct fixture s = make();
	char *said;

	set_int(facts_of(&s, FS_FILE), "rows", FS_ROWS + 1);
	cr_expect_eq(finish(&s, &said), 2);
	cr_expect(strstr(said, FS_FILE ": rows: the manifest says 102, the file 101\n"), "%s",
		  said);
	cr_expect(strstr(said, "written: 101, but the files hold 102 rows\n"), "%s", said);
	free(said);
}

Test(verify, more_data_than_stated)
{
	struct fixture s = make();

	set_int(facts_of(&s, FS_FILE), "raw_bytes", 100);
	assert_fault(&s, FS_FILE, "more data than raw_bytes states");
}

Test(verify, stated_sha256)
{
	struct fixture s = make();
	char sha256[65];

	strcpy(sha256, json_string_value(json_object_get(facts_of(&s, FS_FILE), "sha256")));
	sha256[63] = sha256[63] == '0' ? '1' : '0';
	json_object_set_new(facts_of(&s, FS_FILE), "sha256", json_string(sha256));
	assert_fault(&s, FS_FILE, "sha256: the manifest says ");
}

Test(verify, missing_file)
{
	struct fixture s = make();

	unlink(path_of(&s, FS_FILE));
	assert_fault(&s, FS_FILE, "missing");
}

Test(verify, symlink_is_not_followed)
{
	struct fixture s = make();
	char moved[100];

	snprintf(moved, sizeof(moved), "%s/moved", s.base);
	cr_assert_eq(rename(path_of(&s, FS_FILE), moved), 0);
	cr_assert_eq(symlink(moved, path_of(&s, FS_FILE)), 0);
	assert_fault(&s, FS_FILE, "cannot be opened");
}

Test(verify, fifo_is_not_waited_for)
{
	struct fixture s = make();

	unlink(path_of(&s, FS_FILE));
	cr_assert_eq(mkfifo(path_of(&s, FS_FILE), 0600), 0);
	assert_fault(&s, FS_FILE, "no regular file");
}

Test(verify, extra_file)
{
	struct fixture s = make();

	write_file(path_of(&s, "fs/fs_20240101_020000_000_0002.csv.zst"), "x", 1);
	assert_fault(&s, "fs/fs_20240101_020000_000_0002.csv.zst", "not in the manifest");
}

Test(verify, extra_file_with_a_name_for_terminals)
{
	struct fixture s = make();

	write_file(path_of(&s, "fs/\033[2J.csv.zst"), "x", 1);
	assert_fault(&s, "fs/\\x1b[2J.csv.zst", "not in the manifest");
}

Test(verify, part_file)
{
	struct fixture s = make();

	write_file(path_of(&s, FS_FILE ".part"), "x", 1);
	assert_fault(&s, FS_FILE ".part", "not finished");
}

/* ---- the accounts ---- */

static json_t *account_of(struct fixture *s, const char *key)
{
	return json_object_get(
		json_object_get(json_object_get(s->manifest, "diagnostics"), "streams"), key);
}

static void add(json_t *o, const char *key, int n)
{
	set_int(o, key, json_integer_value(json_object_get(o, key)) + n);
}

Test(verify, identity_off_by_one)
{
	static const char *const keys[] = { "seen", "filtered" };

	for (int i = 0; i < 4; i++) {
		struct fixture s = make();

		add(account_of(&s, "fs"), keys[i / 2], i % 2 ? 1 : -1);
		assert_fault(&s, "manifest.json", "diagnostics.streams.fs: seen ");
	}
}

Test(verify, lost_stream_says_otherwise)
{
	struct fixture s = make();

	add(account_of(&s, "fs"), "seen", 1);
	add(json_object_get(account_of(&s, "fs"), "lost"), "ring", 1);
	assert_fault(&s, "manifest.json", "fs.lost.ring: 8, but the lost stream counts 7");
	s = make();
	add(json_object_get(account_of(&s, "fs"), "lost"), "ring", 1);
	add(json_object_get(account_of(&s, "fs"), "lost"), "disk", 1);
	add(account_of(&s, "fs"), "seen", 2);
	/* If rows of the lost stream are lost, the counts are only a lower bound. */
	add(json_object_get(account_of(&s, "lost"), "lost"), "disk", 1);
	add(account_of(&s, "lost"), "seen", 1);
	assert_sound(&s, "sound");
}

Test(verify, rows_of_the_lost_stream_that_repeat_others)
{
	struct fixture s = make();
	const char *lost =
		LOST_HEADER "2024-01-01 02:00:02.000000,fs,ring,3,1000000,2000000,1,2000000000\n"
			    "2024-01-01 02:00:02.500000,fs,ring,3,1000000,2000000,1,2500000000\n"
			    "2024-01-01 02:00:03.000000,fs,ring,3,1000000,2000000,1,3000000000\n";

	put_csv(&s, LOST_FILE, lost, strlen(lost), 1);
	add(account_of(&s, "lost"), "seen", 1);
	add(account_of(&s, "lost"), "written", 1);
	add(account_of(&s, "fs"), "seen", 2);
	add(json_object_get(account_of(&s, "fs"), "lost"), "ring", 2);
	assert_sound(&s, "sound");
}

Test(verify, no_account)
{
	struct fixture s = make();
	char *said;

	json_object_del(json_object_get(json_object_get(s.manifest, "diagnostics"), "streams"),
			"fs");
	cr_expect_gt(finish(&s, &said), 0);
	cr_expect(strstr(said, "manifest.json: diagnostics.streams.fs.written: 0, but "), "%s",
		  said);
	free(said);
}

Test(verify, running_session)
{
	struct fixture s = make();
	int fd, lock;

	json_object_set_new(json_object_get(s.manifest, "session"), "state",
			    json_string("running"));
	write_file(path_of(&s, FS_FILE ".part"), "x", 1);
	add(account_of(&s, "fs"), "seen", 100);
	add(account_of(&s, "fs"), "written", 99);
	fd = open(s.dir, O_RDONLY | O_DIRECTORY);
	lock = session_lock__take(fd, SESSION_LOCK_ALL);
	cr_assert_geq(lock, 0);
	assert_sound(&s, "sound so far");
	close(lock);
	close(fd);
}

Test(verify, a_running_session_that_nobody_records)
{
	struct fixture s = make();
	char *said;

	json_object_set_new(json_object_get(s.manifest, "session"), "state",
			    json_string("running"));
	cr_expect_eq(finish(&s, &said), 1);
	cr_expect(strstr(said, "its recorder has ended: run iotrc recover"), "%s", said);
	cr_expect(!strstr(said, "sound"), "%s", said);
	free(said);
}

Test(verify, clock_steps_and_zones)
{
	struct fixture s = make();
	json_t *list = json_object_get(json_object_get(s.manifest, "clock"), "offsets");
	char *csv = fs_csv();

	/* Row 2 is at 1001234567: from there on the clock is a second ahead, and the zone an hour
	 * less. */
	json_array_append_new(list, json_pack("{s:I,s:I,s:s}", "from_mono_ns", 1001234567ll,
					      "mono_to_real_offset_ns", OFFSET + 1000000000ll,
					      "utc_offset", "+01:00"));
	put_csv(&s, FS_FILE, csv, strchr(strchr(strchr(csv, '\n') + 1, '\n') + 1, '\n') + 1 - csv,
		1);
	free(csv);
	set_int(facts_of(&s, FS_FILE), "last_mono_ns", 1001234567);
	json_object_set_new(json_object_get(json_object_get(s.manifest, "diagnostics"), "streams"),
			    "fs", account(2, 0, 7));
	json_array_remove(json_object_get(s.manifest, "files"), 1);
	unlink(path_of(&s, LOST_FILE));
	json_object_set_new(json_object_get(json_object_get(s.manifest, "diagnostics"), "streams"),
			    "fs", account(2, 0, 0));
	json_object_del(json_object_get(json_object_get(s.manifest, "diagnostics"), "streams"),
			"lost");
	assert_fault(&s, FS_FILE,
		     "row 2: column timestamp: 2024-01-01 02:00:01.001234 is 3599000000 us off");
}

/* ---- hostile manifests ---- */

static void assert_broken(const char *text, size_t len, const char *what)
{
	struct fixture s = make();

	json_decref(s.manifest);
	s.manifest = NULL;
	write_file(path_of(&s, "manifest.json"), text, len);
	assert_fault(&s, "manifest.json", what);
}

Test(verify, manifests_that_cannot_be_read)
{
	char *big = malloc(20000000);

	assert_broken("", 0, "line 1: ");
	assert_broken("{", 1, "line 1: ");
	assert_broken("[]", 2, "no object");
	assert_broken("{}", 2, "schema_version: missing");
	assert_broken("{\"a\":1,\"a\":2}", 13, "line 1: duplicate object key");
	assert_broken("\0\xff\x1b[2J", 6, "line 1: ");
	memset(big, '[', 20000000);
	assert_broken(big, 3000000, "line 1: ");
	assert_broken(big, 20000000, "more than 4000000 values");
	free(big);
}

Test(verify, manifest_too_large)
{
	struct fixture s = make();

	json_decref(s.manifest);
	s.manifest = NULL;
	write_file(path_of(&s, "manifest.json"), "{}", 2);
	cr_assert_eq(truncate(path_of(&s, "manifest.json"), (64 << 20) + 1), 0);
	assert_fault(&s, "manifest.json", "larger than 64 MiB");
}

/* Each key that is read: left out, of another type, absurd. Each makes one clear fault, and no
 * crash. */
Test(verify, manifests_with_one_thing_wrong)
{
	static const struct {
		const char *path, *json, *what;
	} cases[] = {
		{ "schema_version", "\"2\"", "schema_version: not 1" },
		{ "schema_version", "1", "schema_version: wrong type (string)" },
		{ "session", NULL, "session: missing (object)" },
		{ "session.state", "\"over\"", "session.state: not running" },
		{ "clock", "[]", "clock: wrong type (object)" },
		{ "clock.utc_offset", "\"02:00\"", "clock.utc_offset: not +HH:MM" },
		{ "clock.utc_offset", "\"+-2:00\"", "clock.utc_offset: not +HH:MM" },
		{ "clock.utc_offset", NULL, "clock.utc_offset: missing" },
		{ "clock.offsets", "[]", "clock.offsets: empty" },
		{ "clock.offsets", "[1]", "clock.offsets[0].from_mono_ns: missing" },
		{ "clock.offsets.0.from_mono_ns", "-1", "clock.offsets[0].from_mono_ns: negative" },
		{ "clock.mono_to_real_offset_ns", "1.5",
		  "clock.mono_to_real_offset_ns: wrong type" },
		{ "clock.mono_to_real_offset_ns", "1",
		  "clock.mono_to_real_offset_ns: not the first" },
		{ "streams", "null", "streams: wrong type (object)" },
		{ "streams.\033x", "{}", "streams: '\\x1bx' is not known" },
		{ "streams.fs.columns", "{}", "streams.fs.columns: wrong type" },
		{ "streams.fs.columns", "[]", "streams.fs.columns: 0, should be 23" },
		{ "streams.fs.columns.3.name", "\"thread\"",
		  "streams.fs.columns[3]: not the schema's" },
		{ "streams.fs.columns.3", "7", "streams.fs.columns[3].name: missing" },
		{ "files", "{}", "files: wrong type (array)" },
		{ "files.0", "null", "files[0].path: missing" },
		{ "files.0.rows", "\"9\"", "files[0].rows: wrong type (whole number)" },
		{ "files.0.rows", "-9", "files[0].rows: negative" },
		{ "files.0.sha256", "\"00\"", "files[0].sha256: not 64" },
		{ "files.0.stream", "\"block\"", "files[0].stream: not one of streams" },
		{ "files.0.stream", "\"lost\"", "files[0].path: '" FS_FILE },
		{ "files.0.path", "\"/etc/passwd\"",
		  "files[0].path: '/etc/passwd' is not a file of fs" },
		{ "files.0.path", "\"fs/fs_/../../../../etc/x.csv.zst\"", "is not a file of fs" },
		{ "files.0.path", "\"fs/fs_\\u001b.csv.zst\"",
		  "files[0].path: 'fs/fs_\\x1b.csv.zst'" },
		{ "files.1.path", "\"\"", "files[1].path: '' is not a file of lost" },
		{ "diagnostics", NULL, "diagnostics: missing" },
		{ "diagnostics.streams.fs", "[]", "diagnostics.streams.fs.seen: missing" },
		{ "diagnostics.streams.fs.lost.ring", "null",
		  "diagnostics.streams.fs.lost.ring: wrong type" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture s = make();
		json_t *at = s.manifest;
		char *path = strdup(cases[i].path), *key = path, *dot;
		json_t *value =
			cases[i].json ? json_loads(cases[i].json, JSON_DECODE_ANY, NULL) : NULL;

		for (; (dot = strchr(key, '.')); key = dot + 1) {
			*dot = '\0';
			at = json_is_array(at) ? json_array_get(at, atoi(key)) :
						 json_object_get(at, key);
		}
		if (!value)
			json_object_del(at, key);
		else if (json_is_array(at))
			json_array_set_new(at, atoi(key), value);
		else
			json_object_set_new(at, key, value);
		free(path);
		assert_fault(&s, "manifest.json", cases[i].what);
	}
}

Test(verify, file_listed_twice)
{
	struct fixture s = make();
	char *said;

	json_array_append(json_object_get(s.manifest, "files"), facts_of(&s, FS_FILE));
	cr_expect_geq(finish(&s, &said), 1);
	cr_expect(strstr(said, "manifest.json: files: " FS_FILE " is listed twice\n"), "%s", said);
	free(said);
}

/* ---- the command ---- */

/* The command confines its process, so it runs in a process of its own. */
static int run_verify(int argc, char **argv)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(verify_command.main(argc, argv));
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(verify, exit_codes)
{
	struct fixture s = make();
	char *said, *good[] = { "verify", s.dir, NULL },
		    *bad[] = { "verify", "/nonexistent", NULL };
	char *usage[][4] = {
		{ "verify" }, { "verify", "a", "b" }, { "verify", "-x" }, { "verify", "-h" }
	};

	cr_redirect_stdout();
	cr_redirect_stderr();
	json_dump_file(s.manifest, path_of(&s, "manifest.json"), 0);
	cr_expect_eq(run_verify(2, good), 0);
	cr_expect_eq(run_verify(2, bad), 1);
	cr_expect_eq(run_verify(1, usage[0]), 2);
	cr_expect_eq(run_verify(3, usage[1]), 2);
	cr_expect_eq(run_verify(2, usage[2]), 2);
	cr_expect_eq(run_verify(2, usage[3]), 0);
	finish(&s, &said);
	free(said);
}

/* timegm knows the calendar. */
Test(field, wall_times)
{
	srand(3);
	for (int i = 0; i < 200000; i++) {
		struct tm tm = {
			.tm_year = rand() % 400 - 100,
			.tm_mon = rand() % 14 - 1,
			.tm_mday = rand() % 33,
			.tm_hour = rand() % 25, .tm_min = rand() % 61, .tm_sec = rand() % 61,
		}, normal = tm;
		int us = rand() % 1000000;
		int64_t got, want = timegm(&normal) * 1000000ll + us;
		char text[64];
		bool exists = normal.tm_mon == tm.tm_mon && normal.tm_mday == tm.tm_mday &&
			      normal.tm_hour == tm.tm_hour && normal.tm_min == tm.tm_min &&
			      normal.tm_sec == tm.tm_sec;

		snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d.%06d",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec, us);
		cr_assert_eq(field__wall(text, strlen(text), &got), exists, "%s", text);
		if (exists)
			cr_assert_eq(got, want, "%s", text);
	}
}
