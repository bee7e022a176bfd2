// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Charts over time.

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
