// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// The data of the page, and the part that is shown: the counts of all rows or, with a filter, the sampled rows that
// meet it. Each sampled row stands for the number of rows that it was drawn from.

/** @param {string} text @param {Function} type */
function typed(text, type) {
  const raw = atob(text || ""), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new type(bytes.buffer);
}

// Characters that change the direction of text, are invisible or break a line are shown as their numbers.
function shown(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, c => `\\u{${c.codePointAt(0).toString(16)}}`);
}

function decode(raw) {
  const data = { ...raw, channels: {}, grids: {}, samples: [] };
  for (const [name, text] of Object.entries(raw.channels)) data.channels[name] = typed(text, Float64Array);
  for (const [name, grid] of Object.entries(raw.grids.of)) {
    data.grids[name] = { cells: typed(grid.cells, Uint16Array), counts: typed(grid.counts, Uint32Array) };
  }
  data.grid = { bins: raw.grids.bins, rows: raw.grids.rows, low: raw.grids.low };
  for (const kind of ["fs", "block", "other"]) {
    const s = raw.samples[kind];
    data.samples.push({
      kind, n: s.n, of: s.of, weight: s.n ? s.of / s.n : 0,
      time: typed(s.time, Float32Array), bytes: typed(s.bytes, Float32Array), at: typed(s.at, Float32Array),
      us: typed(s.us, Float32Array), file: typed(s.file, Uint16Array), process: typed(s.process, Uint16Array),
      channel: typed(s.channel, Uint8Array), failed: typed(s.failed, Uint8Array), disk: typed(s.disk, Uint8Array),
    });
  }
  data.start = raw.time.wall + raw.time.utc_offset; // local time, as if it were UTC
  data.width = raw.time.width_ns / 1e9;
  data.x = Float64Array.from({ length: raw.time.bins }, (_, i) => data.start + (i + .5) * data.width);
  data.end = data.start + raw.time.bins * data.width;
  return data;
}

const seconds = (data, ns) => data.start + (ns - data.time.origin_ns) / 1e9;

// Other sums to which a row of a channel adds.
const BYTES_OF = { fs_read: "fs_bytes_read", fs_write: "fs_bytes_written", fs_copy: "fs_bytes_copied",
  block_read: "block_bytes_read", block_write: "block_bytes_written" };
const SIZES_OF = { fs_read: "read", fs_write: "write", block_read: "block_read", block_write: "block_write" };
const failedOf = channel => channel.startsWith("fs_") ? "fs_failed" : channel.startsWith("block_") ? "block_failed" :
  channel.startsWith("conn_") ? "conn_failed" : null;

function gridRow(grid, us) {
  const ns = us * 1000;
  if (ns < 2 ** grid.low) return 0;
  const power = Math.floor(Math.log2(ns));
  return Math.min(2 * (power - grid.low) + (ns >= 1.5 * 2 ** power ? 1 : 0), grid.rows - 1);
}

// A filter is up to two conditions: on the process, and on the file. OK has a 1 for each row of the table that meets it.
function meets(filter, sample, i) {
  return (!filter.process || filter.process.ok[sample.process[i]]) && (!filter.file || filter.file.ok[sample.file[i]]);
}

const kindOf = channel => channel.startsWith("fs_") ? "fs" : channel.startsWith("block_") ? "block" : "other";

/** Sums of the rows of fs that meet a filter of one condition, from the tables; null: the tables lack some of them. */
function sumsOf(data, filter) {
  if (filter.process && filter.file) return null;
  const rows = data.tables[filter.process ? "processes" : "files"].rows.filter((filter.process || filter.file).test);
  if (rows.some(r => r.lacks)) return null;
  const sum = key => rows.reduce((all, r) => all + r[key], 0);
  return { fs_read: sum("reads"), fs_write: sum("writes"), others: sum("rows") - sum("reads") - sum("writes"),
    fs_bytes_read: sum("bytes_read"), fs_bytes_written: sum("bytes_written"), fs_failed: sum("failed") };
}

/** Scales the estimates of fs so that their sums are SUMS. False if a sum is not 0 but no row of it was sampled. */
function correct(data, view, sums) {
  const total = names => names.reduce((all, n) => all + (view.channels[n] ?? []).reduce((a, b) => a + b, 0), 0);
  const others = data.row_channels.filter(n => n.startsWith("fs_") && n !== "fs_read" && n !== "fs_write");
  let exact = true;
  for (const [key, sum] of Object.entries(sums)) {
    const names = key === "others" ? others : [key], factor = sum / total(names);
    if (!total(names)) { exact &&= !sum; continue; }
    for (const n of names) {
      view.channels[n]?.forEach((v, i, all) => { all[i] = v * factor; });
      if (view.grids[n]) view.grids[n].counts = view.grids[n].counts.map(v => v * factor);
      if (SIZES_OF[n]) view.sizes[SIZES_OF[n]] = view.sizes[SIZES_OF[n]]?.map(v => v * factor);
    }
  }
  return exact;
}

/** The shown channels, grids and sizes. With a filter also: rows, the number of sampled rows; sampled, the same by
    kind if these stand for more rows; exact, whether the sums of fs are exact. */
function viewOf(data, filter) {
  if (!filter.process && !filter.file) return { channels: data.channels, grids: data.grids, sizes: data.sizes, rows: null };
  const view = { channels: {}, grids: {}, sizes: {}, rows: 0, sampled: {}, exact: false }, bins = data.x.length, cells = {};
  const add = (name, bin, n) => (view.channels[name] ??= new Float64Array(bins))[bin] += n;
  for (const s of data.samples) {
    for (let i = 0; i < s.n; i++) {
      if (!meets(filter, s, i)) continue;
      const channel = data.row_channels[s.channel[i]], w = s.weight;
      const bin = Math.max(0, Math.min(bins - 1, Math.floor(s.time[i] / data.width)));
      view.rows++;
      if (w > 1) view.sampled[s.kind] = (view.sampled[s.kind] ?? 0) + 1;
      add(channel, bin, channel.startsWith("cache_") ? w * s.bytes[i] : w);
      if (BYTES_OF[channel]) add(BYTES_OF[channel], bin, w * s.bytes[i]);
      if (s.failed[i] && failedOf(channel)) add(failedOf(channel), bin, w);
      if (SIZES_OF[channel] && !s.failed[i]) {
        const sizes = view.sizes[SIZES_OF[channel]] ??= new Array(65).fill(0);
        sizes[s.bytes[i] ? Math.floor(Math.log2(s.bytes[i])) + 1 : 0] += w;
      }
      if (s.us[i] >= 0 && (s.kind !== "other" || channel.startsWith("conn_") || channel === "epoll")) {
        const at = Math.floor(bin / data.grid.bins) * data.grid.rows + gridRow(data.grid, s.us[i]);
        const grid = cells[channel] ??= new Map();
        grid.set(at, (grid.get(at) || 0) + w);
      }
    }
  }
  for (const [name, grid] of Object.entries(cells)) view.grids[name] = { cells: [...grid.keys()], counts: [...grid.values()] };
  const sums = view.sampled.fs ? sumsOf(data, filter) : null;
  if (sums) view.exact = correct(data, view, sums);
  return view;
}

// ---- how numbers are written ----

const scaled = (n, base, units) => {
  let i = 0;
  while (Math.abs(n) >= base * .9995 && i < units.length - 1) { n /= base; i++; }
  const digits = i === 0 ? (Number.isInteger(n) ? 0 : 2) : Math.abs(n) < 9.995 ? 2 : Math.abs(n) < 99.95 ? 1 : 0;
  return [n.toFixed(digits), units[i]];
};
const fmt = {
  count: n => n == null ? "" : Math.round(n).toLocaleString("en"),
  short: n => n == null ? "" : scaled(n, 1000, ["", "k", "M", "G", "T"]).join(""),
  bytes: n => n == null ? "" : scaled(n, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]).join(" "),
  rate: n => n == null ? "" : fmt.bytes(n) + "/s",
  perSecond: n => n == null ? "" : fmt.short(n) + "/s",
  percent: n => n == null ? "" : (100 * n).toFixed(1) + " %",
  ns: n => n == null ? "" : scaled(n, 1000, n < 1e12 ? ["ns", "µs", "ms", "s"] : ["ns", "µs", "ms", "s", "ks"]).join(" "),
  share: (n, of) => of ? `${(100 * n / of).toFixed(1)} %` : "",
  time(t, digits = 0) {
    const d = new Date(Math.round(t * 1000)), two = n => String(n).padStart(2, "0");
    return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}` +
      (digits ? "." + String(d.getUTCMilliseconds()).padStart(3, "0").slice(0, digits) : "");
  },
  date: t => new Date(t * 1000).toISOString().slice(0, 10),
  duration(s) {
    if (s < 120) return `${s.toFixed(s < 10 ? 2 : 1)} s`;
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return h ? `${h} h ${m} min` : `${m} min ${Math.round(s % 60)} s`;
  },
};
