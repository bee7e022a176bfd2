// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// The page: draws all of it, again after a click and when data arrives.

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
