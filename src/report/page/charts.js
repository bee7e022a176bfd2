// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Charts. They share one time axis: zooming one zooms all.

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") e.className = value;
    else if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value != null && value !== false) e.setAttribute(name, value);
  }
  e.append(...children.filter(c => c != null));
  return e;
}

/** A card with a title, elements beside the title, and a text below. */
function card(title, { full, id, controls = [], about = "" } = {}) {
  const body = element("div"), text = element("p", { class: "about" }, about);
  const root = element("article", { class: full ? "card full" : "card", id },
    element("div", { class: "head" }, element("h3", {}, title), ...controls), body, text);
  return { root, body, text };
}

const zoom = { min: 0, max: 1, full: [0, 1], charts: new Set() };

function setZoom(min, max) {
  const [lo, hi] = zoom.full, least = Math.min((hi - lo) / 2, 1e-3);
  let span = Math.max(max - min, least);
  span = Math.min(span, hi - lo);
  zoom.min = Math.max(lo, Math.min(min, hi - span));
  zoom.max = zoom.min + span;
  for (const u of zoom.charts) u.setScale("x", { min: zoom.min, max: zoom.max });
  document.dispatchEvent(new Event("zoomed"));
}

function zoomBy(factor) {
  const middle = (zoom.min + zoom.max) / 2, half = (zoom.max - zoom.min) / 2 * factor;
  setZoom(middle - half, middle + half);
}

function pan(share) {
  const by = (zoom.max - zoom.min) * share;
  const min = Math.max(zoom.full[0], Math.min(zoom.min + by, zoom.full[1] - (zoom.max - zoom.min)));
  setZoom(min, min + (zoom.max - zoom.min));
}

const resetZoom = () => setZoom(...zoom.full);

const KEYS = { "+": () => zoomBy(.5), "=": () => zoomBy(.5), "-": () => zoomBy(2), ArrowLeft: () => pan(-.25),
  ArrowRight: () => pan(.25), 0: resetZoom, Escape: resetZoom };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  KEYS[event.key]();
  event.preventDefault();
}

const TIME_STEPS = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
  7200, 14400, 21600, 43200, 86400, 172800, 604800];

const axis = (more) => ({ stroke: () => css("--soft"), grid: { stroke: () => css("--grid"), width: 1 },
  ticks: { stroke: () => css("--grid"), width: 1, size: 4 }, font: "11px system-ui, sans-serif", ...more });

const round = text => text.replace(/\.0+(?=\D)/, "");
const BYTE_STEPS = Array.from({ length: 60 }, (_, i) => 2 ** i);
const DECADES = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];

const timeAxis = () => axis({ size: 26, incrs: TIME_STEPS, space: 70,
  values: (u, splits, at, space, step) => splits.map(t => fmt.time(t, step < .01 ? 3 : step < .1 ? 2 : step < 1 ? 1 : 0)) });

const valueAxis = fmtY => axis({ size: 74, values: (u, splits) => splits.map(v => round(fmtY(v))),
  ...(fmtY === fmt.rate || fmtY === fmt.bytes ? { incrs: BYTE_STEPS } : {}) });

/** A chart in PARENT, as wide as PARENT. OPTIONS are uPlot's, without those that are the same for all charts. */
function chart(parent, label, options, data, { time = true, height = 190 } = {}) {
  const box = element("div", { class: "chart", tabindex: 0, role: "group", "aria-label": label, "data-chart": label });
  parent.append(box);
  if (typeof uPlot === "undefined") {
    box.classList.add("missing");
    box.textContent = "No chart: this iotrc was built without uPlot.";
    return null;
  }
  const width = () => Math.max(220, Math.floor(box.clientWidth || parent.clientWidth || 500));
  const u = new uPlot({
    width: width(), height, padding: [8, 10, 0, 0], ...options,
    scales: { x: { time: false, ...(time ? { min: zoom.min, max: zoom.max } : {}), ...(options.scales?.x || {}) }, ...Object.fromEntries(
      Object.entries(options.scales || {}).filter(([name]) => name !== "x")) },
    cursor: { ...(time ? { sync: { key: "time", setSeries: false }, drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: { dblclick: () => () => resetZoom() } } : { drag: { x: false, y: false } }),
      points: { show: !options.bare }, y: false, ...(options.cursor || {}) },
    hooks: { ...(options.hooks || {}), ...(time ? { setSelect: [v => {
      if (v.select.width < 4) return;
      const min = v.posToVal(v.select.left, "x"), max = v.posToVal(v.select.left + v.select.width, "x");
      v.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      setZoom(min, max);
    }] } : {}) },
  }, data, box);
  if (time) {
    zoom.charts.add(u);
    u.setScale("x", { min: zoom.min, max: zoom.max });
    box.addEventListener("keydown", onKey);
  }
  let before = width();
  const watch = new ResizeObserver(() => {
    if (!box.isConnected || width() === before) return;
    before = width();
    u.setSize({ width: before, height });
  });
  watch.observe(box);
  box.forget = () => { watch.disconnect(); zoom.charts.delete(u); u.destroy(); };
  box.plot = u;
  return u;
}

function forgetCharts(root) {
  for (const box of root.querySelectorAll(".chart")) box.forget?.();
}

/** The points of a line that no line leads to: their neighbours have no value. */
const lonely = (u, series) => {
  const values = u.data[series];
  return Array.from(values.keys()).filter(i => values[i] != null && values[i - 1] == null && values[i + 1] == null);
};

/** Lines over time. SERIES: {label, values, color, fmt}. */
function lineChart(parent, label, x, series, { yMax, fmtY = fmt.short, fill = true, height } = {}) {
  return chart(parent, label, {
    series: [{ label: "time", value: (u, t) => t == null ? "" : fmt.time(t, 2) }, ...series.map(s => ({
      label: s.label, stroke: () => css(s.color), width: 1.4,
      points: { show: true, size: 4, fill: () => css(s.color), filter: lonely },
      fill: fill && series.length <= 3 ? () => css(s.color) + "22" : undefined, value: (u, v) => v == null ? "" : fmtY(v), spanGaps: false }))],
    scales: { y: { range: (u, lo, hi) => [0, yMax ?? (hi > 0 ? hi * 1.06 : 1)] } },
    axes: [timeAxis(), valueAxis(fmtY)],
    legend: { live: true },
  }, [x, ...series.map(s => s.values)], { height });
}

/** A chart over time, drawn by DRAW(u, context, x, y); x and y convert values to coordinates. */
function drawnChart(parent, label, { range, axisY, draw, under, height = 220, size = 74 }) {
  const said = element("output", { class: "about" });
  const u = chart(parent, label, {
    bare: true,
    series: [{}, { points: { show: false }, paths: () => null }],
    scales: { y: { range } },
    axes: [timeAxis(), axisY ? axis({ size, ...axisY }) : { show: false }],
    legend: { show: false },
    cursor: { y: true, points: { show: false } },
    hooks: {
      draw: [v => {
        const c = v.ctx;
        c.save();
        c.beginPath();
        c.rect(v.bbox.left, v.bbox.top, v.bbox.width, v.bbox.height);
        c.clip();
        draw(v, c, t => v.valToPos(t, "x", true), n => v.valToPos(n, "y", true));
        c.restore();
      }],
      setCursor: [v => {
        if (under) said.textContent = v.cursor.left >= 0 && v.cursor.top >= 0 ?
          under(v.posToVal(v.cursor.left, "x"), v.posToVal(v.cursor.top, "y")) || " " : " ";
      }],
    },
  }, [[zoom.full[0], zoom.full[1]], [null, null]], { height });
  if (under) parent.append(said);
  said.textContent = " ";
  return u;
}

// ---- latency ----

/** Adds up grids: a Map from column * rows + row to a count. */
function sumGrids(grids, names) {
  const sum = new Map();
  for (const name of names) {
    const grid = grids[name];
    if (grid) grid.cells.forEach((cell, i) => sum.set(cell, (sum.get(cell) || 0) + grid.counts[i]));
  }
  return sum;
}

const rowNs = (data, row) => 2 ** (data.grid.low + Math.floor(row / 2)) * (row % 2 ? 1.5 : 1);

const nsRow = (data, ns) => 2 * (Math.log2(ns) - data.grid.low);

function heatMap(parent, label, data, cells) {
  const rows = [...cells.keys()].map(cell => cell % data.grid.rows);
  let lo = Infinity, hi = 0, most = 0;
  for (const row of rows) { lo = Math.min(lo, row); hi = Math.max(hi, row); }
  for (const n of cells.values()) most = Math.max(most, n);
  const spare = Math.max(0, (12 - (hi - lo)) / 2); // a few rows do not fill a chart
  lo = Math.max(0, Math.floor(lo - 1 - spare));
  hi = Math.min(data.grid.rows, Math.ceil(hi + 2 + spare));
  const width = data.width * data.grid.bins;
  drawnChart(parent, label, {
    range: () => [lo, hi],
    axisY: { splits: () => DECADES.map(ns => nsRow(data, ns)).filter(r => r >= lo && r <= hi), values: (u, splits) => splits.map(r => round(fmt.ns(10 ** Math.round(Math.log10(2 ** (data.grid.low + r / 2)))))) },
    draw(u, c, x, y) {
      const color = css("--heat");
      for (const [cell, n] of cells) {
        const t = data.start + Math.floor(cell / data.grid.rows) * width, row = cell % data.grid.rows;
        if (t > zoom.max || t + width < zoom.min) continue;
        const left = Math.floor(x(t)), top = Math.floor(y(row + 1));
        c.fillStyle = `rgba(${color}, ${(.12 + .88 * Math.log1p(n) / Math.log1p(most)).toFixed(3)})`;
        c.fillRect(left, top, Math.max(1, Math.floor(x(t + width)) - left), Math.floor(y(row)) - top);
      }
    },
    under(t, row) {
      const column = Math.floor((t - data.start) / width), at = Math.floor(row);
      const n = cells.get(column * data.grid.rows + at);
      return n ? `${fmt.time(data.start + column * width, 1)}: ${fmt.count(n)} took ${fmt.ns(rowNs(data, at))} to ${fmt.ns(rowNs(data, at + 1))}` : "";
    },
  });
}

// ---- sizes ----

function sizeChart(parent, label, all) {
  const counts = all.map(s => s.counts), used = counts[0].map((_, i) => counts.some(c => c[i] > 0));
  const first = Math.max(0, used.indexOf(true)), last = used.lastIndexOf(true);
  const x = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const name = p => p === 0 ? "0" : fmt.bytes(2 ** (p - 1)).replace(/\.0+ /, " ").replace(/(\d)\.00 /, "$1 ");
  const bars = align => typeof uPlot === "undefined" ? null : uPlot.paths.bars({ size: [.42, 40], align });
  chart(parent, label, {
    series: [{ label: "bytes", value: (u, p) => p == null ? "" : p === 0 ? "0" : `${name(p)} and more` },
      ...all.map((s, i) => ({ label: s.label, stroke: () => css(s.color), fill: () => css(s.color) + "bb", width: 0,
        paths: bars(all.length === 1 ? 0 : i ? 1 : -1), points: { show: false }, value: (u, v) => v == null ? "" : fmt.count(v) }))],
    scales: { x: { range: () => [first - .7, last + .7] }, y: { range: (u, lo, hi) => [0, hi > 0 ? hi * 1.06 : 1] } },
    axes: [axis({ size: 26, incrs: [1, 2, 3, 4, 6, 8], space: 58, values: (u, splits) => splits.map(p => Number.isInteger(p) && p >= 0 ? name(p) : "") }),
      valueAxis(fmt.short)],
  }, [x, ...counts.map(c => x.map(p => c[p]))], { time: false, height: 190 });
}

// ---- points ----

/** Points over time: GROUPS of {color, label, points: [[time, value]…]}. */
function pointChart(parent, label, groups, { fmtY, height = 230, size = 74 }) {
  let most = 0, least = Infinity;
  for (const g of groups) for (const [, v] of g.points) { most = Math.max(most, v); least = Math.min(least, v); }
  const pad = (most - least || most || 1) * .03;
  drawnChart(parent, label, {
    height, size, range: () => [Math.max(0, least - pad) , most + pad],
    axisY: { incrs: BYTE_STEPS, values: (u, splits) => splits.map(v => round(fmtY(v))) },
    draw(u, c, x, y) {
      const ratio = uPlot.pxRatio;
      for (const g of groups) {
        const dot = Math.max(1, (g.points.length > 8000 ? 1.2 : g.points.length > 1500 ? 1.8 : 2.6) * ratio);
        c.fillStyle = css(g.color);
        c.globalAlpha = g.points.length > 4000 ? .55 : .8;
        for (const [t, v] of g.points) if (t >= zoom.min && t <= zoom.max) c.fillRect(x(t) - dot / 2, y(v) - dot / 2, dot, dot);
      }
      c.globalAlpha = 1;
    },
    under: (t, v) => `${fmt.time(t, 3)}  ${fmtY(v)}`,
  });
  parent.append(legend(groups));
}

function legend(groups) {
  return element("p", { class: "about" }, ...groups.flatMap(g => [
    Object.assign(element("span", { "aria-hidden": "true" }, "■ "), { style: `color: var(${g.color})` }), g.label + "   "]));
}

// ---- life lines ----

/** Bars from birth to death. BARS: {from, to, label, color, born, died, chosen, pick()}. */
function lifeChart(parent, label, bars) {
  const height = 24 + Math.max(3, bars.length) * 15 + 30;
  const at = (t, row) => {
    const b = bars[Math.floor(row)];
    return b && t >= b.from && t <= b.to ? b : null;
  };
  const u = drawnChart(parent, label, {
    height, size: 8, range: () => [bars.length, 0], axisY: null,
    draw(v, c, x, y) {
      const ratio = uPlot.pxRatio, text = css("--text");
      c.font = `${10.5 * ratio}px system-ui, sans-serif`;
      c.textBaseline = "middle";
      c.textAlign = "left";
      bars.forEach((b, i) => {
        if (b.to < zoom.min || b.from > zoom.max) return;
        const left = Math.max(x(b.from), v.bbox.left), right = Math.min(x(b.to), v.bbox.left + v.bbox.width), top = y(i) + 2 * ratio, h = y(i + 1) - y(i) - 4 * ratio;
        c.fillStyle = css(b.color);
        c.globalAlpha = b.chosen ? .65 : .35;
        c.fillRect(left, top, Math.max(right - left, 2 * ratio), h);
        c.globalAlpha = 1;
        if (b.born) c.fillRect(left, top, 2 * ratio, h);
        if (b.died) c.fillRect(Math.max(right - 2 * ratio, left), top, 2 * ratio, h);
        c.fillStyle = text;
        const w = c.measureText(b.label).width, space = v.bbox.left + v.bbox.width;
        c.fillText(b.label, left + w + 8 * ratio < space ? left + 5 * ratio : Math.max(v.bbox.left, space - w - 4 * ratio), top + h / 2);
      });
    },
    under: (t, row) => { const b = at(t, row); return b ? b.title : ""; },
  });
  u?.over.addEventListener("click", () => {
    const b = bars[Math.floor(u.posToVal(u.cursor.top, "y"))];
    if (b && u.cursor.left >= 0) b.pick();
  });
}
