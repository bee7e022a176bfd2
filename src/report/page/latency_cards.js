// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Charts of latencies and sizes.

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
