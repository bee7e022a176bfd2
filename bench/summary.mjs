// SPDX-License-Identifier: GPL-2.0-or-later
// summary.mjs [--exact] COLUMN FILE...: what `iotrc summary --by COLUMN` of these files of fs says, by DuckDB, on one thread;
// with --exact the quantiles, of all times.
import { DuckDBInstance } from "@duckdb/node-api";

const exact = process.argv[2] === "--exact";
const [column, ...files] = process.argv.slice(exact ? 3 : 2);
const db = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
const list = files.map(f => `'${f}'`).join(", ");
// Only the columns that are needed have to be numbers; the rest stays text, which is the fastest that DuckDB does.
const values = exact ? "quantile_disc(duration_ns, [0.5, 0.95, 0.99])" :
  "count(*), count(errno), sum(duration_ns), max(duration_ns), approx_quantile(duration_ns, [0.5, 0.95, 0.99]), sum(bytes_completed)";
const rows = (await db.runAndReadAll(`SELECT coalesce(${column}, '-'), ${values}
  FROM read_csv([${list}], all_varchar = false, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"',
    columns = {${process.env.COLUMNS}}) GROUP BY 1`)).getRowsJson();
console.log(JSON.stringify(exact ?
  { quantiles: Object.fromEntries(rows.map(r => [r[0], (r[1] ?? []).map(Number)])) } :
  { groups: Object.fromEntries(rows.map(r => [r[0], [r[1], r[2], r[3] ?? 0, r[6] ?? 0].map(Number)])) }));
