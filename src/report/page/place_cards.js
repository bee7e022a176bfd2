// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Charts of where and by whom: offsets, sectors, lives of processes, directories; and errors in words.

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
