// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/duckdb.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reap.h"
#include "platform/macros.h"

#define MISSING \
	"DuckDB is needed: install its library or program (https://duckdb.org/docs/installation), " \
	"or name the library in IOTRC_DUCKDB"
/* The program prints results of all statements: the answer comes after this line. */
#define MARK "iotrc: the answer"

/* ---- the library ---- */

/* Handles and results as in duckdb.h. The C API keeps their layout: pointers, and a result of six
 * words. */
struct result {
	uint64_t words[8];
};

static struct library {
	int (*open)(const char *path, void **ret);
	void (*close)(void **database);
	int (*connect)(void *database, void **ret);
	void (*disconnect)(void **connection);
	int (*query)(void *connection, const char *sql, struct result *ret);
	const char *(*error)(struct result *result);
	uint64_t (*rows)(struct result *result);
	char *(*text)(struct result *result, uint64_t column, uint64_t row);
	void (*free)(void *text);
	void (*destroy)(struct result *result);
} library;

static bool load_library(void)
{
	static const struct {
		const char *name;
		void *at;
	} symbols[] = {
		{ "duckdb_open", &library.open },
		{ "duckdb_close", &library.close },
		{ "duckdb_connect", &library.connect },
		{ "duckdb_disconnect", &library.disconnect },
		{ "duckdb_query", &library.query },
		{ "duckdb_result_error", &library.error },
		{ "duckdb_row_count", &library.rows },
		{ "duckdb_value_varchar", &library.text },
		{ "duckdb_free", &library.free },
		{ "duckdb_destroy_result", &library.destroy },
	};
	const char *name = getenv("IOTRC_DUCKDB");
	static void *handle;

	if (!handle)
		handle = dlopen(name && *name ? name : "libduckdb.so", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; handle && i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(handle, symbols[i].name);

		if (!symbol)
			return false;
		memcpy(symbols[i].at, &symbol, sizeof(symbol));
	}
	return handle;
}

/* Runs SQL; *RET is the result, which the caller destroys in any case. */
static int query(void *connection, const char *sql, struct result *ret, char why[DUCKDB_WHY_MAX])
{
	const char *error;

	memset(ret, 0, sizeof(*ret));
	if (!library.query(connection, sql, ret))
		return 0;
	error = library.error(ret);
	snprintf(why, DUCKDB_WHY_MAX, "DuckDB: %.400s", error ?: "unknown error");
	return -EIO;
}

static void put_rows(struct result *result, FILE *answer)
{
	uint64_t n = library.rows(result);

	for (uint64_t i = 0; i < n; i++) {
		char *text = library.text(result, 0, i);

		fprintf(answer, "%s\n", text ?: "");
		library.free(text);
	}
}

/* The database in memory, and who holds it. */
static struct {
	void *database, *connection;
	unsigned int holders;
} held;

static void close_database(void)
{
	if (held.connection)
		library.disconnect(&held.connection);
	if (held.database)
		library.close(&held.database);
	held.database = held.connection = NULL;
}

static int open_database(char why[DUCKDB_WHY_MAX])
{
	if (!library.open(NULL, &held.database) &&
	    !library.connect(held.database, &held.connection))
		return 0;
	close_database();
	snprintf(why, DUCKDB_WHY_MAX, "DuckDB cannot open a database in memory");
	return -EIO;
}

static int ask(const char *sql, const char *question, FILE *answer, char why[DUCKDB_WHY_MAX])
{
	struct result result;
	int err = query(held.connection, sql, &result, why);

	library.destroy(&result);
	if (err)
		return err;
	err = query(held.connection, question, &result, why);
	if (!err)
		put_rows(&result, answer);
	library.destroy(&result);
	return err;
}

static int run_in_library(const char *sql, const char *question, FILE *answer,
			  char why[DUCKDB_WHY_MAX])
{
	bool used = held.database;
	int err = used ? 0 : open_database(why);

	if (!err)
		err = ask(sql, question, answer, why);
	/* One that has once written to its temporary directory takes no other. */
	if (err && used) {
		close_database();
		err = open_database(why) ?: ask(sql, question, answer, why);
	}
	if (!held.holders)
		close_database();
	return err;
}

void duckdb__hold(void)
{
	held.holders++;
}

void duckdb__release(void)
{
	if (!--held.holders)
		close_database();
}

/* ---- the program ---- */

static _Noreturn void become_program(int in, int out)
{
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0)
		execlp("duckdb", "duckdb", "-bail", "-list", "-noheader", "-batch",
		       ":memory:", (char *)NULL);
	_exit(127);
}

/* Copies the program's output after the last line MARK, or reports what else it printed. */
static int read_answer(FILE *said, int status, FILE *answer, char why[DUCKDB_WHY_MAX])
{
	char error[DUCKDB_WHY_MAX / 2] = "", *line = NULL;
	size_t size = 0, len = 0;
	bool answered = false;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		snprintf(why, DUCKDB_WHY_MAX, MISSING);
		return -ENOENT;
	}
	while (getline(&line, &size, said) > 0) {
		if (answered)
			fputs(line, answer);
		else if (!strcmp(line, MARK "\n"))
			answered = true;
		if (status && len < sizeof(error) - 1)
			len += snprintf(error + len, sizeof(error) - len, "%s", line);
	}
	free(line);
	if (!feof(said)) {
		snprintf(why, DUCKDB_WHY_MAX, "%s", strerror(ferror(said) ? EIO : ENOMEM));
		return ferror(said) ? -EIO : -ENOMEM;
	}
	if (!status && answered)
		return 0;
	error[strcspn(error, "\n")] = 0;
	snprintf(why, DUCKDB_WHY_MAX, "duckdb: %s", error);
	return -EIO;
}

static int run_program(const char *sql, const char *question, FILE *answer,
		       char why[DUCKDB_WHY_MAX])
{
	FILE *in = tmpfile(), *out = tmpfile();
	int err = -ENOMEM;
	pid_t pid = -1;

	if (in && out && fprintf(in, "%s;\nSELECT '" MARK "';\n%s;\n", sql, question) > 0 &&
	    !fflush(in)) {
		rewind(in);
		pid = fork();
	}
	if (!pid)
		become_program(fileno(in), fileno(out));
	if (pid > 0) {
		int status = reap(pid);

		rewind(out); /* the program has moved its end */
		err = read_answer(out, status, answer, why);
	} else {
		snprintf(why, DUCKDB_WHY_MAX, "cannot run duckdb: %s", strerror(errno));
	}
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	return err;
}

int duckdb__run(const char *sql, const char *question, FILE *answer, char why[DUCKDB_WHY_MAX])
{
	int err = load_library() ? run_in_library(sql, question, answer, why) :
				   run_program(sql, question, answer, why);

	if (!err && (fflush(answer) || ferror(answer))) {
		snprintf(why, DUCKDB_WHY_MAX, "cannot keep DuckDB's answer");
		err = -EIO;
	}
	return err;
}
