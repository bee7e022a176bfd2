// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// The head of the page: numbers of the whole session, its machine, and warnings.

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
