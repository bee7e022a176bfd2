// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Sortable tables, and the treemap.

const ROWS_AT_FIRST = 12;

/**
 * A table in PARENT. COLUMNS: {key, label, fmt, text, short, bar, title}; DEFINITION.pick(row) filters to a row,
 * DEFINITION.chosen(row) says whether it is the current filter. KEPT keeps the order when the table is drawn again.
 */
function sortableTable(parent, name, rows, columns, { pick, chosen = () => false, kept = {} } = {}) {
  const body = element("tbody"), head = element("tr"), table = element("table", { class: "data", "data-table": name },
    element("thead", {}, head), body);
  const peak = Object.fromEntries(columns.filter(c => c.bar).map(c => [c.key, Math.max(...rows.map(r => r[c.key] || 0), 1)]));
  kept.key ??= columns.find(c => c.first)?.key ?? columns.find(c => !c.text).key;
  kept.up ??= false;
  const cell = (row, c) => {
    const text = c.fmt ? c.fmt(row[c.key], row) : shown(row[c.key] ?? ""), td = element("td", { class: (c.text ? "text" : "") + (c.short ? " short" : "") });
    if (c.pick && pick && row[c.key] !== "") td.append(element("button", { class: "link", title: text, onclick: () => pick(row) }, text));
    else td.append(c.text ? element("span", { title: text }, text) : text);
    if (c.bar && row[c.key]) td.append(Object.assign(element("span", { class: "bar" }), { style: `width: ${Math.max(1, 100 * row[c.key] / peak[c.key])}%` }));
    return td;
  };
  const fill = () => {
    const column = columns.find(c => c.key === kept.key), sign = kept.up ? 1 : -1;
    const sorted = rows.filter(r => !kept.search || columns.some(c => c.text && String(r[c.key] ?? "").toLowerCase().includes(kept.search)));
    sorted.sort((a, b) => sign * (column.text ? String(a[column.key] ?? "").localeCompare(String(b[column.key] ?? "")) :
      (a[column.key] ?? -1) - (b[column.key] ?? -1)));
    body.replaceChildren(...sorted.map((row, i) => element("tr", { class: [i >= ROWS_AT_FIRST && "rest", chosen(row) && "chosen"].filter(Boolean).join(" ") },
      ...columns.map(c => cell(row, c)))));
    for (const th of head.children) {
      if (th.dataset.key === kept.key) th.setAttribute("aria-sort", kept.up ? "ascending" : "descending");
      else th.removeAttribute("aria-sort");
    }
    more.hidden = sorted.length <= ROWS_AT_FIRST;
    more.textContent = kept.all ? "Show fewer" : `Show all ${sorted.length}`;
    table.classList.toggle("all", !!kept.all);
  };
  for (const c of columns) {
    head.append(element("th", { scope: "col", class: c.text ? "text" : "", "data-key": c.key, title: c.title },
      element("button", { onclick: () => { kept.up = kept.key === c.key ? !kept.up : !!c.text; kept.key = c.key; fill(); } }, c.label)));
  }
  const more = element("button", { class: "more", onclick: () => { kept.all = !kept.all; fill(); } });
  parent.append(element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, table), more);
  fill();
  return { table, fill };
}

// ---- the treemap ----

/** Directories by name as a tree; a node's own size is that of the files directly in it. */
function directoryTree(rows, size) {
  const root = { name: "/", path: "", size: 0, children: new Map() };
  for (const row of rows) {
    const n = size(row);
    if (!(n > 0)) continue;
    let node = root;
    root.size += n;
    for (const part of row.name.split("/").filter(Boolean)) {
      if (!node.children.has(part)) node.children.set(part, { name: part, path: `${node.path}/${part}`, size: 0, children: new Map(), parent: node });
      node = node.children.get(part);
      node.size += n;
    }
  }
  return root;
}

/** Rectangles with areas SIZES (descending), nearly square (Bruls and others, 'Squarified treemaps', 2000). */
function squarify(sizes, x, y, w, h) {
  const total = sizes.reduce((a, b) => a + b, 0), scale = w * h / total, out = [];
  let i = 0;
  while (i < sizes.length) {
    const side = Math.min(w, h);
    let sum = 0, worst = Infinity, n = 0;
    for (let j = i; j < sizes.length; j++) {
      const with_ = sum + sizes[j] * scale, thick = with_ / side;
      const ratio = Math.max(...[sizes[i], sizes[j]].map(s => { const long = s * scale / thick; return Math.max(long / thick, thick / long); }));
      if (ratio > worst) break;
      worst = ratio; sum = with_; n++;
    }
    const thick = sum / side;
    let along = 0;
    for (let j = i; j < i + n; j++) {
      const long = sizes[j] * scale / thick;
      out.push(w >= h ? [x, y + along, thick, long] : [x + along, y, long, thick]);
      along += long;
    }
    if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    i += n;
  }
  return out;
}

/** The parts of NODE: its directories, and the files directly in it; the largest first. */
function boxesOf(node) {
  const children = [...node.children.values()], own = node.size - children.reduce((sum, c) => sum + c.size, 0);
  if (own > node.size * .002 && children.length) children.push({ name: "(files here)", size: own, path: node.path, children: new Map() });
  return children.sort((a, b) => b.size - a.size).slice(0, 60);
}

const NESTED = [90, 64]; // a box of this size shows its content
const TITLE = 19;

function treemap(parent, rows, { size, label, pick, kept }) {
  const crumbs = element("div", { class: "crumbs" }), map = element("div", { id: "treemap" });
  parent.append(crumbs, map);
  const root = directoryTree(rows, size);
  const open = node => { kept.path = node.path.split("/").filter(Boolean); draw(); };
  const place = (node, x, y, w, h, depth) => squarify(boxesOf(node).map(b => b.size), x, y, w, h).forEach(([left, top, bw, bh], i) => {
    const b = boxesOf(node)[i], text = shown(b.name), value = label(b.size), inside = b.children.size && bw > NESTED[0] && bh > NESTED[1] && depth < 4;
    const box = element("button", { title: `${shown(b.path)}: ${value}`, onclick: () => b.children.size ? open(b) : pick(b.path) },
      bw > 42 && bh > 17 ? text : "", inside ? ` ${value}` : bw > 42 && bh > 36 ? element("small", {}, value) : null);
    box.style = `left:${left}px;top:${top}px;width:${bw}px;height:${bh}px;--shade:${inside ? .1 : .2 + .06 * depth}`;
    if (bw < 30 || bh < 17) box.style.padding = "0";
    map.append(box);
    if (inside) place(b, left + 3, top + TITLE, bw - 6, bh - TITLE - 3, depth + 1);
  });
  const draw = () => {
    let node = root;
    for (const part of kept.path ?? []) node = node.children.get(part) ?? node;
    while (!kept.path && node.children.size === 1) node = [...node.children.values()][0];
    const way = [];
    for (let n = node; n; n = n.parent) way.unshift(n);
    crumbs.replaceChildren(...way.map(n => element("button", { class: "link", onclick: () => open(n) }, shown(n.name))),
      ...(node.path ? [element("button", { onclick: () => pick(node.path) }, "Filter to it")] : []));
    map.replaceChildren();
    place(node, 0, 0, map.clientWidth || 600, map.clientHeight || 340, 0);
  };
  draw();
  const watch = new ResizeObserver(() => map.isConnected ? draw() : watch.disconnect());
  watch.observe(parent);
}
