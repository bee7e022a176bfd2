// SPDX-License-Identifier: GPL-2.0-or-later
// report.mjs VIEWS.sql: what a page of iotrc report shows, by DuckDB, from the views that `python3 -m iotrc` prints.
import { readFileSync } from "fs";
import { DuckDBInstance } from "@duckdb/node-api";

const db = await (await DuckDBInstance.create(":memory:")).connect();
await db.run(readFileSync(process.argv[2], "utf8"));
const all = async sql => (await db.runAndReadAll(sql)).getRowsJson();

const there = new Set((await all("SELECT view_name FROM duckdb_views() WHERE NOT internal")).flat());
const COLUMNS = {
  fs: "operation, pid, command, filename, \"offset\", bytes_completed, device, duration_ns, return_value, errno, cmdline, ppid, container_id, fs_type, mono_ns",
  block: "operation, pid, sector, size, latency_ms, device, flags, mono_ns",
  cache: "event_type, pid, \"count\", mono_ns",
  pagefault: "severity, pid, mono_ns",
  nw_conn: "event_type, pid, command, remote_addr, sport, dport, latency_ns, return_value, mono_ns",
  nw_epoll: "event_type, pid, latency_ns, errno, mono_ns",
  nw_sockopt: "event_type, pid, errno, mono_ns",
};
let rows = 0;
for (const [stream, columns] of Object.entries(COLUMNS)) {
  if (!there.has(stream)) continue;
  await db.run(`CREATE TABLE _${stream} AS SELECT ${columns} FROM ${stream}`);
  rows += Number((await all(`SELECT count(*) FROM _${stream}`))[0][0]);
}
const [[origin, end]] = await all("SELECT min(mono_ns), max(mono_ns) FROM _fs");
const width = (BigInt(end) - BigInt(origin)) / 600n + 1n, bin = `(mono_ns::BIGINT - ${origin}) // ${width}`;
const quantiles = "approx_quantile(duration_ns, [0.5, 0.9, 0.99, 0.999])";
const totals = `count(*), count(*) FILTER (operation = 'read'), count(*) FILTER (operation = 'write'), count(errno),
  sum(bytes_completed) FILTER (operation = 'read'), sum(bytes_completed) FILTER (operation = 'write'), sum(duration_ns), min(mono_ns), max(mono_ns)`;
const top = "ORDER BY count(*) DESC LIMIT 400";
await all(`SELECT ${bin}, operation, count(*), sum(bytes_completed), count(errno) FROM _fs GROUP BY ALL`);
await all(`SELECT ${bin} // 4, operation, floor(2 * log2(greatest(duration_ns, 128))), count(*) FROM _fs GROUP BY ALL`);
await all(`SELECT operation, floor(log2(greatest(bytes_completed, 1))), count(*) FROM _fs WHERE bytes_completed IS NOT NULL GROUP BY ALL`);
await all(`SELECT operation, count(*), count(errno), sum(bytes_completed), sum(duration_ns), ${quantiles} FROM _fs GROUP BY ALL`);
await all(`SELECT device, any_value(fs_type), ${totals}, ${quantiles} FROM _fs GROUP BY device`);
const files = await all(`SELECT filename, ${totals} FROM _fs WHERE filename IS NOT NULL GROUP BY filename ORDER BY count(*) + coalesce(sum(bytes_completed) // 4096, 0) DESC LIMIT 400`);
await all(`SELECT regexp_replace(filename, '/[^/]*$', ''), ${totals} FROM _fs WHERE filename IS NOT NULL GROUP BY 1 ${top}`);
await all(`SELECT pid, any_value(command), any_value(cmdline), any_value(ppid), min(mono_ns), max(mono_ns), ${totals} FROM _fs GROUP BY pid ${top}`);
await all(`SELECT command, ${totals} FROM _fs GROUP BY command ${top}`);
await all(`SELECT container_id, ${totals} FROM _fs GROUP BY container_id ${top}`);
await all("SELECT operation, errno, count(*), arg_min(filename, mono_ns), arg_min(command, mono_ns) FROM _fs WHERE errno IS NOT NULL GROUP BY ALL");
await all("SELECT return_value, min(mono_ns) FROM _fs WHERE operation = 'process_fork' GROUP BY ALL");
await all("SELECT * FROM _fs USING SAMPLE 60000");
if (there.has("block")) {
  await all(`SELECT ${bin}, operation, count(*), sum(size) FROM _block GROUP BY ALL`);
  await all(`SELECT ${bin} // 4, operation, floor(2 * log2(greatest(latency_ms * 1e6, 128))), count(*) FROM _block GROUP BY ALL`);
  await all("SELECT operation, floor(log2(greatest(size, 1))), count(*), approx_quantile(latency_ms, [0.5, 0.9, 0.99, 0.999]) FROM _block GROUP BY ALL");
  await all("SELECT * FROM _block USING SAMPLE 30000");
}
if (there.has("cache")) await all(`SELECT ${bin}, event_type, sum("count"), count(*) FROM _cache GROUP BY ALL`);
if (there.has("pagefault")) await all(`SELECT ${bin}, severity, count(*) FROM _pagefault GROUP BY ALL`);
if (there.has("nw_conn")) {
  await all(`SELECT ${bin}, event_type, count(*), count(*) FILTER (return_value < 0) FROM _nw_conn GROUP BY ALL`);
  await all("SELECT event_type, remote_addr, dport, sport, count(*), sum(latency_ns), max(latency_ns) FROM _nw_conn WHERE event_type IN ('CONNECT', 'ACCEPT') GROUP BY ALL");
}
for (const stream of ["nw_epoll", "nw_sockopt"]) if (there.has(stream)) await all(`SELECT ${bin}, event_type, count(*), count(errno) FROM _${stream} GROUP BY ALL`);
console.log(JSON.stringify({ rows, files: Object.fromEntries(files.map(([name, n, , , failed, read, written]) => [name, [n, read ?? 0, written ?? 0, failed].map(Number)])) }));
