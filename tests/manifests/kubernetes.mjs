// SPDX-License-Identifier: GPL-2.0-or-later
// kubernetes.mjs FILE…: checks each document by the types that Kubernetes' own OpenAPI description gives (package
// kubernetes-types): unknown members, missing ones and wrong types are errors of the compiler's.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";

const need = createRequire(path.join(process.env.IOTRC_NODE, "x.js"));
const ts = need("typescript"), yaml = need("js-yaml");
const groups = { "v1": "core/v1", "apps/v1": "apps/v1" };
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "iotrc-kubernetes-"));
let passed = 0, failed = 0;

for (const file of process.argv.slice(2))
	for (const doc of yaml.loadAll(fs.readFileSync(file, "utf8"))) {
		const name = `${doc.kind} ${doc.metadata?.name}`, types = groups[doc.apiVersion];
		const source = path.join(dir, `${passed + failed}.ts`);
		fs.writeFileSync(source, `import { ${doc.kind} } from "kubernetes-types/${types}.js";\n` +
			`export const it: ${doc.kind} = ${JSON.stringify(doc, null, 1)};\n`);
		const program = ts.createProgram([source], {
			strict: true, noEmit: true, module: ts.ModuleKind.NodeNext,
			moduleResolution: ts.ModuleResolutionKind.NodeNext, skipLibCheck: false, types: [],
			baseUrl: path.join(process.env.IOTRC_NODE, "node_modules"),
			paths: { "kubernetes-types/*.js": ["kubernetes-types/*.d.ts"] },
		});
		const errors = ts.getPreEmitDiagnostics(program);
		for (const e of errors)
			console.log(`${file}: ${name}: ${ts.flattenDiagnosticMessageText(e.messageText, "\n")}`);
		errors.length ? failed++ : passed++;
	}
fs.rmSync(dir, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
