// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// The page: which charts and tables there are, and what a click does.

const COLORS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8", "--c9"];
const page = { data: null, view: null, filter: {}, kept: {}, choice: {} };
const $ = id => document.getElementById(id);
const keep = name => page.kept[name] ??= {};

// ---- filters ----

const fileRows = () => page.data.tables.files.rows;
const processRows = () => page.data.tables.processes.rows;

/** A condition. `ok` has a 1 for each row of the table that meets it, after a 0 for sampled rows that are not in the table. */
function condition(rows, test, kind, label) {
  const ok = new Uint8Array(rows.length + 1);
  rows.forEach((row, i) => { ok[i + 1] = test(row) ? 1 : 0; });
  return { kind, label, ok, test };
}

const parentOf = name => { const first = name.split(" -> ")[0]; return first.startsWith("/") ? first.slice(0, first.lastIndexOf("/")) || "/" : ""; };

const filterTo = {
  process: row => setFilter("process", condition(processRows(), r => r.pid === row.pid, "process", `${row.name} (${row.pid})`)),
  program: row => setFilter("process", condition(processRows(), r => r.name === row.name, "program", row.name)),
  container: row => setFilter("process", condition(processRows(), r => r.container === row.id, "container", row.label)),
  file: row => setFilter("file", condition(fileRows(), r => r.name === row.name, "file", row.name)),
  directory: path => setFilter("file", condition(fileRows(), r => { const p = parentOf(r.name); return p === path || p.startsWith(path === "/" ? "/" : path + "/"); }, "directory", path)),
  device: row => setFilter("file", condition(fileRows(), r => r.device === row.name, "filesystem", row.name)),
};

function setFilter(which, value) {
  const now = page.filter[which];
  page.filter[which] = value && now && now.kind === value.kind && now.label === value.label ? null : value;
  draw();
}

const isChosen = (which, kind, label) => page.filter[which]?.kind === kind && page.filter[which]?.label === label;

function drawChips() {
  const chips = ["process", "file"].filter(which => page.filter[which]).map(which => {
    const f = page.filter[which];
    return element("button", { class: "chip", title: "Remove this filter", onclick: () => setFilter(which, null) }, `${f.kind}: ${shown(f.label)} ✕`);
  });
  if (chips.length) {
    const v = page.view;
    chips.push(element("small", {}, Object.keys(v.sampled).length ? `estimated from ${fmt.count(v.rows)} sampled rows` : `${fmt.count(v.rows)} rows, all counted`));
  }
  $("chips").replaceChildren(...chips);
}

// ---- the head ----

function lostOf(counts) {
  return Object.values(counts.lost ?? counts.lost_at_least ?? {}).reduce((a, b) => a + b, 0);
}

const total = name => (page.data.channels[name] ?? []).reduce((a, b) => a + b, 0);
const totalOf = prefix => page.data.row_channels.filter(c => c.startsWith(prefix)).reduce((sum, c) => sum + total(c), 0);

function tiles() {
  const d = page.data, streams = Object.values(d.integrity.streams), rows = streams.reduce((a, s) => a + s.read, 0);
  const lost = streams.reduce((a, s) => a + lostOf(s), 0), filtered = streams.reduce((a, s) => a + (s.filtered || 0), 0);
  const all = [
    [fmt.duration((d.time.last_ns - d.time.first_ns) / 1e9), "from the first row to the last"],
    [fmt.short(rows), "rows"], [fmt.short(totalOf("fs_")), "file operations"],
    [fmt.bytes(total("fs_bytes_read")), "read from files"], [fmt.bytes(total("fs_bytes_written")), "written to files"],
    [fmt.short(totalOf("block_")), "block requests"],
    [fmt.bytes(total("block_bytes_read")), "read from disks"], [fmt.bytes(total("block_bytes_written")), "written to disks"],
    [fmt.short(total("conn_connect") + total("conn_accept")), "connections"],
    [fmt.count(d.tables.processes.groups), "processes"], [fmt.count(d.tables.files.groups) + (d.tables.files.dropped ? " +" : ""), "file names"],
    [fmt.short(total("fs_failed")), "failed operations"], [fmt.short(filtered), "rows left out by filters"],
    [fmt.short(lost), "rows lost", lost > 0],
  ];
  $("tiles").replaceChildren(...all.map(([value, label, bad]) => element("div", { class: bad ? "tile bad" : "tile" },
    element("b", {}, value), element("span", {}, label))));
}

function facts() {
  const d = page.data, s = d.session, m = s.machine, list = [
    ["Machine", [s.host?.platform, s.host?.kernel, s.host?.machine].filter(Boolean).join(" ") + `, id ${s.machine_id}`],
    ["Hardware", [m.os.distribution, m.cpu.brand, m.cpu.cores_logical && `${m.cpu.cores_logical} CPUs`, m.memory.total_bytes && fmt.bytes(m.memory.total_bytes),
      !["none", "unknown", null, undefined].includes(m.os.virtualization) && m.os.virtualization].filter(Boolean).join(", ")],
    ["Recorded", `${s.session.started_at} to ${s.session.stopped_at || "now"} (${s.session.state})`],
    ["By", `iotrc ${s.tracer.version}, engine ${s.tracer.engine}`],
    ["Command line", s.tracer.command_line],
    ["This page", `made ${d.made_at} by iotrc ${d.made_by} from ${d.integrity.files} files`],
  ];
  $("facts").replaceChildren(...list.filter(([, v]) => v).flatMap(([k, v]) => [element("dt", {}, k), element("dd", {}, shown(v))]));
}

function contains() {
  const d = page.data, anonymous = d.anonymous || d.session.session.anonymized;
  $("subject").textContent = shown(d.session.session_id ?? "");
  document.title = `iotrc report ${d.session.session_id?.split("/").pop() ?? ""}`;
  $("contains").textContent = anonymous ?
    "This page contains tokens in place of file names, programs, command lines and addresses; pids, sizes, times and devices are as recorded." :
    "This page contains names of files, programs and containers, command lines and network addresses, but no contents of files. Read it before you share it, or make it again with iotrc report -a.";
  const warnings = [];
  const lost = Object.entries(d.integrity.streams).filter(([, s]) => lostOf(s) > 0);
  if (lost.length) warnings.push(`Rows were lost while this was recorded: ${lost.map(([k, s]) => `${fmt.count(lostOf(s))} of ${k}`).join(", ")}. All counts are too low by these.`);
  if (d.integrity.faults.length) warnings.push(`Not all files could be read: ${d.integrity.faults.map(shown).join("; ")}`);
  if (d.session.running) warnings.push(d.live ? "The session is still being recorded; this page follows it." : "The session was still being recorded when this page was made: it shows what had been written.");
  if (typeof uPlot === "undefined") warnings.push("This page has no charts: the iotrc that made it was built without uPlot, because npm was not there.");
  $("warnings").replaceChildren(...warnings.map(w => element("span", { class: "warning", style: "display:block" }, w)));
}

// ---- over time ----

const channel = name => page.view.channels[name];
const perSecond = name => Float64Array.from(channel(name) ?? page.zeros, n => n / page.data.width);

/** Lines of the channels that are not empty. NAMES: [[channel, label]…] */
function rates(names, fmtY) {
  return names.filter(([name]) => page.data.channels[name]).map(([name, label], i) => ({ label, values: perSecond(name), color: COLORS[i], fmtY }));
}

function rateCard(title, names, fmtY, about) {
  const series = rates(names, fmtY);
  if (!series.length) return;
  const c = card(title, { about: nameless(names[0][0]) || estimate(names[0][0]) + (about ?? "") });
  $("time-cards").append(c.root);
  lineChart(c.body, title, page.data.x, series, { fmtY });
}

/** The text below a chart of a filtered channel. */
const estimate = name => {
  const kind = kindOf(name), n = page.view.sampled?.[kind];
  return n ? `Estimated from ${fmt.count(n)} sampled rows${kind === "fs" && page.view.exact ? "; the sum is exact" : ""}. ` : "";
};
const nameless = name => page.filter.file && !name.startsWith("fs_") ? "Not filtered by file: rows of this stream name none." : "";

function ratioCard(title, part, whole, label, about) {
  if (!whole.some(n => page.data.channels[n])) return;
  const sum = names => names.reduce((all, n) => all.map((v, i) => v + (channel(n)?.[i] ?? 0)), [...page.zeros]);
  const a = sum(part), b = sum(whole), all = a.reduce((x, y) => x + y, 0), of = b.reduce((x, y) => x + y, 0);
  const c = card(`${title}${of ? ": " + fmt.percent(all / of) : ""}`, { about: estimate(part[0]) + about });
  $("time-cards").append(c.root);
  lineChart(c.body, title, page.data.x, [{ label, values: a.map((v, i) => b[i] ? v / b[i] : null), color: "--c3" }], { yMax: 1, fmtY: fmt.percent });
}

function kindsCard() {
  const kinds = [["data", "data"], ["direct", "O_DIRECT"], ["metadata", "metadata"], ["journal", "journal"], ["swap", "swap"], ["unknown", "not known"]];
  const series = kinds.map(([kind, label], i) => ({ label, all: page.data.channels[`extent_${kind}`], color: COLORS[i], fmtY: fmt.rate })).filter(s => s.all);
  if (!series.length) return;
  const title = "What is written to disks", c = card(title, { about: page.filter.process || page.filter.file ? "Not filtered." : "" });
  $("time-cards").append(c.root);
  lineChart(c.body, title, page.data.x, series.map(s => ({ ...s, values: Float64Array.from(s.all, n => n / page.data.width) })), { fmtY: fmt.rate });
}

function timeCards() {
  rateCard("File operations", [["fs_read", "read"], ["fs_write", "write"], ["fs_open", "open, close"], ["fs_meta", "names, attributes"], ["fs_sync", "sync"], ["fs_map", "map"], ["fs_copy", "copy"], ["fs_process", "process"]], fmt.perSecond);
  rateCard("Bytes of files", [["fs_bytes_read", "read"], ["fs_bytes_written", "written"], ["fs_bytes_copied", "copied"]], fmt.rate);
  rateCard("Block requests", [["block_read", "read"], ["block_write", "write"], ["block_other", "other"]], fmt.perSecond);
  rateCard("Bytes of disks", [["block_bytes_read", "read"], ["block_bytes_written", "written"]], fmt.rate);
  kindsCard();
  ratioCard("Share of reads in bytes of files", ["fs_bytes_read"], ["fs_bytes_read", "fs_bytes_written"], "read", "The read/write mix: 100 % is only reads, 0 % only writes.");
  ratioCard("Hit ratio of the page cache", ["cache_hit"], ["cache_hit", "cache_miss"], "hits", "Pages that were wanted and there, of all that were wanted. Pages that a write makes anew are not counted.");
  rateCard("Page cache", [["cache_hit", "hit"], ["cache_miss", "miss"], ["cache_new", "made by a write"], ["cache_readahead", "read ahead"], ["cache_dirty", "dirtied"], ["cache_writeback", "written back"], ["cache_evict", "evicted"]], fmt.perSecond, "Pages.");
  rateCard("Page faults in mapped files", [["fault_major", "major"], ["fault_minor", "minor"]], fmt.perSecond);
  rateCard("Connections", [["conn_connect", "connect"], ["conn_accept", "accept"], ["conn_failed", "failed"]], fmt.perSecond);
  rateCard("Waiting, options, drops", [["epoll", "poll, epoll, select"], ["sockopt", "socket options"], ["drop", "packets dropped"], ["retransmit", "sent again"]], fmt.perSecond);
  rateCard("Failed operations", [["fs_failed", "files"], ["block_failed", "block"], ["conn_failed", "connections"]], fmt.perSecond);
  rateCard("Rows lost", [["lost", "lost"]], fmt.perSecond, "By the end of the span in which they were lost.");
}

// ---- latency and sizes ----

function select(name, options, redraw) {
  const now = options.some(([value]) => value === page.choice[name]) ? page.choice[name] : options[0]?.[0];
  return element("select", { "aria-label": name, onchange: e => { page.choice[name] = e.target.value; redraw(); } },
    ...options.map(([value, label]) => element("option", { value, selected: value === now }, label)));
}

const chosenOf = (name, options) => options.find(([value]) => value === page.choice[name]) ?? options[0];

function heatCard(title, kinds) {
  const there = kinds.filter(([name]) => page.data.grids[name]);
  if (!there.length) return;
  const options = [...(there.length > 1 ? [["all", "all of them"]] : []), ...there], host = element("div");
  const redraw = () => {
    forgetCharts(host);
    const [value] = chosenOf(title, options), names = value === "all" ? there.map(([n]) => n) : [value], cells = sumGrids(page.view.grids, names);
    const c = card(title, { controls: [select(title, options, redraw)], about: nameless(there[0][0]) || estimate(there[0][0]) + "The stronger the colour, the more operations, on a logarithmic scale." });
    host.replaceChildren(c.root);
    if (cells.size) heatMap(c.body, title, page.data, cells);
    else c.body.append(element("p", { class: "about" }, "None with this filter."));
  };
  $("latency-cards").append(host);
  redraw();
}

function sizesCard(title, names) {
  const there = names.filter(([name]) => (page.view.sizes[name] ?? []).some(n => n > 0));
  if (!there.length) return;
  const c = card(title, { about: estimate(there[0][0].startsWith("block") ? "block_" : "fs_") });
  $("latency-cards").append(c.root);
  sizeChart(c.body, title, there.map(([name, label], i) => ({ label, counts: page.view.sizes[name], color: names.findIndex(n => n[0] === name) ? "--c2" : "--c1" })));
}

function latencyCards() {
  heatCard("Latency of file operations", [["fs_read", "read"], ["fs_write", "write"], ["fs_sync", "sync"], ["fs_open", "open, close"], ["fs_meta", "names, attributes"], ["fs_map", "map"], ["fs_copy", "copy"], ["fs_process", "process"]]);
  heatCard("Latency of block requests", [["block_read", "read"], ["block_write", "write"], ["block_other", "other"]]);
  heatCard("Latency of connections and waits", [["conn_connect", "connect"], ["conn_accept", "accept"], ["conn_other", "other calls"], ["epoll", "poll, epoll, select"]]);
  sizesCard("Sizes of reads and writes", [["read", "reads"], ["write", "writes"]]);
  sizesCard("Sizes of block requests", [["block_read", "reads"], ["block_write", "writes"]]);
}

// ---- where, and by whom ----

const OPERATION_GROUPS = [["fs_read", "read", "--c1"], ["fs_write", "write", "--c2"], ["block_read", "read", "--c1"], ["block_write", "write", "--c2"], ["block_other", "other", "--c9"]];

/** The sampled rows of a kind that PASS, as points by operation. */
function points(sample, pass, scale = 1) {
  const d = page.data;
  return OPERATION_GROUPS.filter(([name]) => name.startsWith(sample.kind + "_")).map(([name, label, color]) => {
    const number = d.row_channels.indexOf(name), list = [];
    for (let i = 0; i < sample.n; i++) {
      if (sample.channel[i] === number && sample.at[i] >= 0 && pass(i)) list.push([d.start + sample.time[i], sample.at[i] * scale]);
    }
    return { label: `${label} (${fmt.count(list.length)})`, color, points: list };
  }).filter(g => g.points.length);
}

const sampledAbout = s => s.n < s.of ? `Points are ${fmt.count(s.n)} of ${fmt.count(s.of)} rows, drawn at random.` : "All rows.";

function offsetsCard() {
  const s = page.data.samples[0], rows = fileRows();
  const options = rows.map((r, i) => [String(i), r]).filter(([, r]) => r.reads + r.writes > 0).sort((a, b) => b[1].reads + b[1].writes - a[1].reads - a[1].writes)
    .slice(0, 40).map(([i, r]) => [i, shown(r.name)]);
  if (!options.length) return;
  const host = element("div"), redraw = () => {
    forgetCharts(host);
    const filtered = page.filter.file?.kind === "file" ? rows.findIndex(r => r.name === page.filter.file.label) : -1;
    const at = filtered >= 0 ? filtered : Number(chosenOf("file", options)[0]);
    const c = card("Where in a file", { controls: filtered >= 0 ? [] : [select("file", options, redraw)], about: `${shown(rows[at].name)}. ${sampledAbout(s)}` });
    host.replaceChildren(c.root);
    const groups = points(s, i => s.file[i] === at + 1 && (!page.filter.process || page.filter.process.ok[s.process[i]]));
    if (groups.length) pointChart(c.body, "Where in a file", groups, { fmtY: fmt.bytes });
    else c.body.append(element("p", { class: "about" }, "No transfers with this filter."));
  };
  $("places-cards").append(host);
  redraw();
}

function seeksCard() {
  const s = page.data.samples[1], disks = page.data.tables.disks.rows;
  if (!s.n || !disks.length) return;
  const options = disks.map((r, i) => [String(i), r.name]), host = element("div"), redraw = () => {
    forgetCharts(host);
    const at = Number(chosenOf("disk", options)[0]);
    const c = card("Where on a disk", { controls: options.length > 1 ? [select("disk", options, redraw)] : [], about: nameless("block") || `Disk ${disks[at].name}. ${sampledAbout(s)}` });
    host.replaceChildren(c.root);
    const groups = points(s, i => s.disk[i] === at + 1 && (!page.filter.process || page.filter.process.ok[s.process[i]]), 512);
    if (groups.length) pointChart(c.body, "Where on a disk", groups, { fmtY: fmt.bytes });
    else c.body.append(element("p", { class: "about" }, "No requests with this filter."));
  };
  $("places-cards").append(host);
  redraw();
}

const LIVES_MAX = 42;
function livesCard() {
  const d = page.data, all = processRows().map(r => ({ ...r, from: r.forked_ns || r.first_ns, to: r.exited_ns || r.last_ns })).filter(r => r.from && r.to);
  if (!all.length) return;
  const top = [...all].sort((a, b) => b.ns - a.ns || b.rows - a.rows).slice(0, LIVES_MAX).sort((a, b) => a.from - b.from || a.pid - b.pid);
  const names = [...new Set([...top].sort((a, b) => b.ns - a.ns).map(r => r.name))];
  const c = card("Lives of processes", { full: true, about: `${top.length < d.tables.processes.groups ? `The ${top.length} of ${fmt.count(d.tables.processes.groups)} processes that spent most time in operations. ` : ""}Bars begin with the fork or the first row, and end with the exit or the last row. A click filters.` });
  $("places-cards").append(c.root);
  lifeChart(c.body, "Lives of processes", top.map(r => ({
    from: seconds(d, r.from), to: seconds(d, r.to), born: !!r.forked_ns, died: !!r.exited_ns, label: `${shown(r.name)} ${r.pid}`,
    title: `${shown(r.name)} ${r.pid}, child of ${r.ppid}, ${fmt.duration((r.to - r.from) / 1e9)}, ${fmt.count(r.rows)} rows: ${shown(r.cmdline || "")}`,
    color: names.indexOf(r.name) < 8 ? COLORS[names.indexOf(r.name)] : "--c9",
    chosen: page.filter.process ? page.filter.process.test(r) : false, pick: () => filterTo.process(r),
  })));
}

function treemapCard() {
  const rows = page.data.tables.directories.rows;
  if (!rows.length) return;
  const kinds = [["bytes", "bytes moved"], ["rows", "operations"], ["ns", "time spent"]], host = element("div"), redraw = () => {
    const [kind] = chosenOf("directories by", rows.some(r => r.bytes_read + r.bytes_written > 0) ? kinds : kinds.slice(1));
    const c = card("Directories", { controls: [select("directories by", kinds, redraw)], about: "A click opens a directory, or filters to one without others in it." });
    host.replaceChildren(c.root);
    const size = { bytes: r => r.bytes_read + r.bytes_written, rows: r => r.rows, ns: r => r.ns }[kind];
    treemap(c.body, rows, { size, label: { bytes: fmt.bytes, rows: fmt.count, ns: fmt.ns }[kind], pick: path => filterTo.directory(path), kept: keep("treemap") });
  };
  $("places-cards").append(host);
  redraw();
}

function errorsCard() {
  const rows = page.data.tables.errors.rows;
  if (!rows.length) return;
  const c = card("Errors in words"), all = rows.reduce((a, r) => a + r.rows, 0);
  $("places-cards").append(c.root);
  c.body.append(element("ul", { class: "words" }, ...rows.slice(0, 9).map(r => {
    const [words, why] = ERRORS[r.name] ?? [r.name, ""];
    return element("li", {}, element("b", {}, `${fmt.count(r.rows)} × ${shown(r.operation)}: ${shown(words)}`), ` (${shown(r.name)}, ${fmt.share(r.rows, all)}${why ? `; ${why}` : ""})`,
      element("small", {}, `first ${fmt.time(seconds(page.data, r.first_ns), 3)} by ${shown(r.command)}${r.filename ? `: ${shown(r.filename)}` : ""}`));
  })));
}

// ---- tables ----

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

// ---- all of it ----

function draw() {
  const at = window.scrollY, active = document.activeElement?.getAttribute?.("aria-label");
  page.view = viewOf(page.data, page.filter);
  for (const id of ["time-cards", "latency-cards", "places-cards", "table-cards", "integrity-cards"]) {
    forgetCharts($(id));
    $(id).replaceChildren();
  }
  drawChips();
  timeCards();
  latencyCards();
  livesCard();
  offsetsCard();
  seeksCard();
  treemapCard();
  errorsCard();
  tableCards();
  integrityCards();
  window.scrollTo(0, at);
  if (active) document.querySelector(`[aria-label="${CSS.escape(active)}"]`)?.focus({ preventScroll: true });
}

function load(raw) {
  const all = zoom.min === zoom.full[0] && zoom.max === zoom.full[1];
  page.data = decode(raw);
  page.zeros = new Float64Array(page.data.x.length);
  zoom.full = [page.data.start, page.data.end];
  if (all || !(zoom.max > zoom.min)) [zoom.min, zoom.max] = zoom.full;
  for (const [which, rows] of [["process", processRows()], ["file", fileRows()]]) {
    const f = page.filter[which];
    if (f) page.filter[which] = condition(rows, f.test, f.kind, f.label);
  }
  contains();
  tiles();
  facts();
  draw();
  showSpan();
}

function showSpan() {
  const digits = zoom.max - zoom.min < 20 ? 3 : 0;
  $("span").textContent = `${fmt.date(zoom.min)} ${fmt.time(zoom.min, digits)} – ${fmt.time(zoom.max, digits)} (${fmt.duration(zoom.max - zoom.min)})`;
}

document.addEventListener("zoomed", showSpan);
$("zoom-in").onclick = () => zoomBy(.5);
$("zoom-out").onclick = () => zoomBy(2);
$("pan-left").onclick = () => pan(-.25);
$("pan-right").onclick = () => pan(.25);
$("zoom-reset").onclick = resetZoom;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
// Paper is light. Charts are drawn before the print, while the page still has the colours of a screen.
const onPaper = is => { document.documentElement.classList.toggle("print", is); draw(); };
matchMedia("print").addEventListener("change", e => onPaper(e.matches));
addEventListener("beforeprint", () => onPaper(true));
addEventListener("afterprint", () => onPaper(false));

zoom.full = [0, 1];
load(JSON.parse($("data").textContent));
if (page.data.live) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/data");
      if (answer.ok) load(await answer.json());
    } catch { /* the server has ended: what is shown stays */ }
  }, 5000);
}
