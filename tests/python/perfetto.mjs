// SPDX-License-Identifier: GPL-2.0-or-later
// node perfetto.mjs ASSETS TRACE QUERY...: the rows of each query, as JSON, from Perfetto's own trace_processor. ASSETS
// has its WebAssembly with the glue for a browser's worker, whose surroundings are made here.
import fs from "fs";
import vm from "vm";

const [assets, trace, ...queries] = process.argv.slice(2);
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = class {};
globalThis.location = { href: `file://${assets}/` };
globalThis.wasm = new Uint8Array(fs.readFileSync(`${assets}/trace_processor.wasm`));
globalThis.loaded = new Promise(done => globalThis.onLoaded = done);
console.log = console.warn = () => {};

// The glue fetches nothing, and gives away its bridge and when it is ready.
let glue = fs.readFileSync(`${assets}/engine_bundle.node.js`, "utf8");
for (const [from, to] of [
    ["this.useMemory64 = hasMemory64Support();", "this.useMemory64 = false;"],
    ["locateFile: (s) => s,", "locateFile: (s) => s, wasmBinary: globalThis.wasm,"],
    ["const wasmBridge =", "const wasmBridge = globalThis.bridge ="],
    ["deferredRuntimeInitialized.then(() => {", "deferredRuntimeInitialized.then(() => { setTimeout(globalThis.onLoaded);"],
]) {
    if (!glue.includes(from)) throw new Error(`the glue has no ${from}`);
    glue = glue.replace(from, to);
}
const { EngineBase } = await import(`${assets}/engine.mjs`);
vm.runInThisContext(glue);

const { port1, port2 } = new MessageChannel();
class Engine extends EngineBase {
    rpcSendRequestBytes(data) { port2.postMessage(data); }
}
const engine = new Engine();
port2.onmessage = message => engine.onRpcResponseBytes(message.data);
globalThis.bridge.initialize(port1);
await globalThis.loaded;
await engine.parse(new Uint8Array(fs.readFileSync(trace)));
await engine.notifyEof();

const answers = [];
for (const query of queries) {
    const result = await engine.query(query), rows = [];
    const tell = value => typeof value === "bigint" ? value.toString() : value;
    for (const row = result.iter({}); row.valid(); row.next()) rows.push(result.columns().map(c => tell(row.get(c))));
    answers.push(rows);
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
