// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Filters: by process or file, set by a click.

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
