// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// What the page shows now: its data, the filters and the choices of its reader.

const COLORS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8", "--c9"];
const page = { data: null, view: null, filter: {}, kept: {}, choice: {} };
const $ = id => document.getElementById(id);
const keep = name => page.kept[name] ??= {};

const channel = name => page.view.channels[name];

function select(name, options, redraw) {
  const now = options.some(([value]) => value === page.choice[name]) ? page.choice[name] : options[0]?.[0];
  return element("select", { "aria-label": name, onchange: e => { page.choice[name] = e.target.value; redraw(); } },
    ...options.map(([value, label]) => element("option", { value, selected: value === now }, label)));
}

const chosenOf = (name, options) => options.find(([value]) => value === page.choice[name]) ?? options[0];

/** The text below a chart of a filtered channel. */
const estimate = name => {
  const kind = kindOf(name), n = page.view.sampled?.[kind];
  return n ? `Estimated from ${fmt.count(n)} sampled rows${kind === "fs" && page.view.exact ? "; the sum is exact" : ""}. ` : "";
};
const nameless = name => page.filter.file && !name.startsWith("fs_") ? "Not filtered by file: rows of this stream name none." : "";
