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
	int64_t (*number)(struct result *result, uint64_t column, uint64_t row);
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
		{ "duckdb_value_int64", &library.number },
		{ "duckdb_destroy_result", &library.destroy },
	};
	const char *name = getenv("IOTRC_DUCKDB");
	void *handle = dlopen(name && *name ? name : "libduckdb.so", RTLD_NOW | RTLD_LOCAL);

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

static int run_in_library(const char *sql, const char *count, uint64_t *ret_count,
			  char why[DUCKDB_WHY_MAX])
{
	void *database = NULL, *connection = NULL;
	struct result result;
	int err;

	if (library.open(NULL, &database) || library.connect(database, &connection)) {
		snprintf(why, DUCKDB_WHY_MAX, "DuckDB cannot open a database in memory");
		return -EIO;
	}
	err = query(connection, sql, &result, why);
	library.destroy(&result);
	if (!err) {
		err = query(connection, count, &result, why);
		*ret_count = err ? 0 : (uint64_t)library.number(&result, 0, 0);
		library.destroy(&result);
	}
	library.disconnect(&connection);
	library.close(&database);
	return err;
}

/* ---- the program ---- */

static _Noreturn void become_program(int in, int out)
{
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0)
		execlp("duckdb", "duckdb", "-bail", "-csv", "-noheader", "-batch",
		       ":memory:", (char *)NULL);
	_exit(127);
}

/* Parses the program's output: a number at the end, or an error. */
static int read_answer(FILE *said, int status, uint64_t *ret_count, char why[DUCKDB_WHY_MAX])
{
	char text[DUCKDB_WHY_MAX / 2] = "", *line, *end = text;
	size_t n = fread(text, 1, sizeof(text) - 1, said);

	text[n] = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		snprintf(why, DUCKDB_WHY_MAX, MISSING);
		return -ENOENT;
	}
	while (n && text[n - 1] == '\n')
		text[--n] = 0;
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	*ret_count = strtoull(line, &end, 10);
	if (status || !*line || *end) {
		snprintf(why, DUCKDB_WHY_MAX, "duckdb: %s", text);
		return -EIO;
	}
	return 0;
}

static int run_program(const char *sql, const char *count, uint64_t *ret_count,
		       char why[DUCKDB_WHY_MAX])
{
	FILE *in = tmpfile(), *out = tmpfile();
	int err = -ENOMEM;
	pid_t pid = -1;

	if (in && out && fprintf(in, "%s;\n%s;\n", sql, count) > 0 && !fflush(in)) {
		rewind(in);
		pid = fork();
	}
	if (!pid)
		become_program(fileno(in), fileno(out));
	if (pid > 0) {
		rewind(out);
		err = read_answer(out, reap(pid), ret_count, why);
	} else {
		snprintf(why, DUCKDB_WHY_MAX, "cannot run duckdb: %s", strerror(errno));
	}
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	return err;
}

int duckdb__run(const char *sql, const char *count, uint64_t *ret_count, char why[DUCKDB_WHY_MAX])
{
	return load_library() ? run_in_library(sql, count, ret_count, why) :
				run_program(sql, count, ret_count, why);
}
