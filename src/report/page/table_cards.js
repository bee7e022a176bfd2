// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// The tables, and how complete the session is.

const N = (key, label, more) => ({ key, label, fmt: fmt.count, ...more });
const TOTALS = [N("rows", "operations", { first: true, bar: true }), N("reads", "reads"), N("writes", "writes"), { key: "bytes_read", label: "bytes read", fmt: fmt.bytes },
  { key: "bytes_written", label: "written", fmt: fmt.bytes }, { key: "ns", label: "time", fmt: fmt.ns, title: "time in operations, those at the same time counted each" }, N("failed", "failed")];
const LATENCY = [["p50", "median"], ["p90", "90 %"], ["p99", "99 %"], ["p999", "99.9 %"], ["max", "longest"]].map(([key, label]) => ({ key, label, fmt: fmt.ns }));

function tableCard(title, name, columns, options = {}) {
  const t = page.data.tables[name], rows = t.rows;
  if (!rows.length) return;
  const kept = keep(name), search = element("input", { type: "search", placeholder: "find", "aria-label": `find in ${title}`, value: kept.search ?? "" });
  const about = [t.groups > rows.length || t.dropped ? `The ${rows.length} heaviest of ${t.dropped ? "more than " : ""}${fmt.count(t.groups)}.` : "",
    t.dropped ? `Counts of this table lack at most ${fmt.count(t.floor)} operations (or 4 KiB moved).` : ""].filter(Boolean).join(" ");
  const c = card(title, { controls: rows.length > 8 ? [search] : [], about, id: `table-${name}` });
  $("table-cards").append(c.root);
  const made = sortableTable(c.body, title, rows, columns, { ...options, kept });
  search.addEventListener("input", () => { kept.search = search.value.toLowerCase(); made.fill(); });
}

/** Files on disks: rows of extent. */
function diskCards(text) {
  const parts = N("parts", "parts", { title: "contiguous parts of block requests" });
  const bytes = [{ key: "written", label: "written", fmt: fmt.bytes, first: true, bar: true }, { key: "read", label: "read", fmt: fmt.bytes }];
  for (const r of page.data.tables.disk_files.rows) {
    r.amplification = r.requested ? r.written / r.requested : undefined;
    r.owner = r.other_commands ? `${r.command || "unknown"} and others` : r.command;
    r.why = r.other_causes ? `${r.cause || "unknown"} and others` : r.cause;
  }
  tableCard("Files on disks", "disk_files", [text("name", "file", { pick: true }), ...bytes,
    { key: "ahead", label: "read ahead", fmt: fmt.bytes, title: "of what was read: nobody had asked for it" },
    { key: "requested", label: "by write()", fmt: n => n ? fmt.bytes(n) : "", title: "bytes that programs wrote to the file" },
    { key: "amplification", label: "amplification", fmt: n => n === undefined ? "" : n.toFixed(2), title: "bytes written to disks, by those that programs wrote" },
    { key: "oldest_ns", label: "dirty for", fmt: n => n ? fmt.ns(n) : "", title: "the page that was dirty for longest when it was written" },
    text("owner", "written by", { short: true }), text("why", "because of", { short: true }), parts],
    { pick: filterTo.file, chosen: r => isChosen("file", "file", r.name) });
  tableCard("Who wears the disks", "disk_owners", [text("command", "thread name", { short: true }), text("kind", "kind", { short: true }), text("cause", "because of", { short: true }), ...bytes, parts]);
}

function tableCards() {
  const text = (key, label, more) => ({ key, label, text: true, ...more });
  tableCard("Files", "files", [text("name", "file", { pick: true }), ...TOTALS, text("device", "device", { short: true })],
    { pick: filterTo.file, chosen: r => isChosen("file", "file", r.name) });
  tableCard("Directories", "directories", [text("name", "directory", { pick: true }), ...TOTALS], { pick: r => filterTo.directory(r.name), chosen: r => isChosen("file", "directory", r.name) });
  tableCard("Processes", "processes", [{ key: "pid", label: "pid", fmt: String }, text("name", "name", { pick: true, short: true }), ...TOTALS, { key: "ppid", label: "parent", fmt: String }, text("cmdline", "command line")],
    { pick: filterTo.process, chosen: r => page.filter.process?.test(r) });
  tableCard("Programs", "programs", [text("name", "thread name", { pick: true, short: true }), ...TOTALS], { pick: filterTo.program, chosen: r => isChosen("process", "program", r.name) });
  for (const r of page.data.tables.containers.rows) r.label = r.name ? `${r.name} (${r.id})` : r.id;
  tableCard("Containers", "containers", [text("label", "container (cgroup)", { pick: true, short: true }), text("image", "image", { short: true }), ...TOTALS], { pick: filterTo.container, chosen: r => isChosen("process", "container", r.label) });
  tableCard("Filesystems", "devices", [text("name", "device", { pick: true, short: true }), text("fs_type", "type", { short: true }), ...TOTALS, ...LATENCY], { pick: filterTo.device, chosen: r => isChosen("file", "filesystem", r.name) });
  tableCard("Disks", "disks", [text("name", "disk", { short: true }), N("rows", "requests", { first: true, bar: true }), ...TOTALS.slice(1), ...LATENCY]);
  diskCards(text);
  for (const r of page.data.tables.operations.rows) r.full = `${r.stream} ${r.name}`;
  tableCard("Operations", "operations", [text("full", "operation", { short: true }), N("rows", "rows", { first: true, bar: true }), N("failed", "failed"), { key: "bytes", label: "moved", fmt: (n, r) => ["fs", "block", "nw_drop"].includes(r.stream) ? fmt.bytes(n) : n ? `${fmt.count(n)} pages` : "" },
    { key: "ns", label: "time", fmt: fmt.ns }, ...LATENCY]);
  tableCard("Errors", "errors", [text("operation", "operation", { short: true }), text("name", "error", { short: true }), N("rows", "rows", { first: true, bar: true }), text("command", "first by", { short: true }), text("filename", "of")]);
  tableCard("Peers", "peers", [text("type", "call", { short: true }), text("name", "peer", { short: true }), text("port", "port", { short: true }), N("rows", "calls", { first: true, bar: true }), N("failed", "failed"), { key: "ns", label: "time", fmt: fmt.ns }, { key: "max_ns", label: "longest", fmt: fmt.ns }, text("command", "first by", { short: true })]);
}

// ---- integrity ----

function integrityCards() {
  const i = page.data.integrity, c = card("Rows of each stream", { full: true, about: [
    `${fmt.count(i.files)} files read${i.unfinished ? `, ${i.unfinished} of them unfinished` : ""}.`,
    i.bad ? `${fmt.count(i.bad)} lines were no rows and were left out.` : "", i.lost_spans ? `${fmt.count(i.lost_spans)} spans with losses.` : "",
    "seen = written + filtered + lost. Whether files are as they were written, iotrc verify tells."].filter(Boolean).join(" ") });
  $("integrity-cards").append(c.root);
  const streams = Object.entries(i.streams).filter(([, s]) => s.enabled !== false || s.read).map(([name, s]) => ({ name, ...s, lost: lostOf(s),
    causes: Object.entries(s.lost ?? s.lost_at_least ?? {}).filter(([, n]) => n).map(([k, n]) => `${k} ${fmt.count(n)}`).join(", ") }));
  sortableTable(c.body, "Integrity", streams, [{ key: "name", label: "stream", text: true, short: true }, N("read", "read here", { first: true }), N("seen", "seen"), N("written", "written"), N("filtered", "filtered"), N("lost", "lost"),
    { key: "causes", label: "by", text: true, short: true }, { key: "description", label: "what it is", text: true }], { kept: keep("integrity") });
  const s = page.data.samples.filter(x => x.n < x.of);
  $("foot").replaceChildren(
    "Without a filter, all rows are counted. Quantiles are at most 1 % off. ",
    s.length ? `With a filter, and where points are drawn, a random sample stands for all rows: ${s.map(x => `${fmt.count(x.n)} of ${fmt.count(x.of)} rows of ${x.kind === "other" ? "the other streams" : x.kind}`).join(", ")}. ` : "With a filter, too. ",
    "Times are local to the machine that was recorded. Charts by uPlot (MIT).");
}
