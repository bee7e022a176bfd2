// SPDX-License-Identifier: GPL-2.0-or-later
// sql_syntax.mjs spark|trino: reads statements, a JSON list, and prints what the grammar of Apache Spark or Trino has
// against each. Runs where node_modules has dt-sql-parser, which is made for bundlers: its imports name directories.
import { register } from "node:module";

register("data:text/javascript," + encodeURIComponent(`
export async function resolve(name, context, next) {
    for (const end of ["", ".js", "/index.js"])
        try { return await next(name + end, context); } catch (e) { if (end === "/index.js") throw e; }
}`));
const { SparkSQL, TrinoSQL } = await import(process.cwd() + "/node_modules/dt-sql-parser/dist/index.js");
const { readFileSync } = await import("node:fs");
const parser = { spark: new SparkSQL(), trino: new TrinoSQL() }[process.argv[2]];
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(s => parser.validate(s).map(e => e.message))));
