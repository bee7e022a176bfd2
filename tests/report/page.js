// SPDX-License-Identifier: GPL-2.0-or-later
// Opens a report in Chromium as a job on standard input says, and prints what it has become, as JSON: what the
// console said, which charts drew something, what the tables, tiles and charts hold.
const { chromium } = require("playwright-core");

/** Runs in the page. */
function look() {
  const charts = {};
  for (const box of document.querySelectorAll(".chart")) {
    const canvas = box.querySelector("canvas");
    let colors = 0, coloured = 0; // pixels that are not grey
    if (canvas) {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height), seen = new Set();
      for (let i = 0; i < data.length; i += 4) {
        const rgb = [data[i], data[i + 1], data[i + 2]];
        if (!data[i + 3]) continue;
        seen.add(rgb[0] << 16 | rgb[1] << 8 | rgb[2]);
        coloured += Math.max(...rgb) - Math.min(...rgb) > 60;
      }
      colors = seen.size;
    }
    const x = box.plot?.scales.x;
    charts[box.dataset.chart] = { colors, coloured, min: x?.min, max: x?.max, focusable: box.tabIndex === 0 };
  }
  const tables = {};
  for (const table of document.querySelectorAll("table.data")) {
    const keys = [...table.querySelectorAll("th")].map(th => th.dataset.key);
    tables[table.dataset.table] = [...table.querySelectorAll("tbody tr")].map(tr => Object.fromEntries(
      [...tr.children].map((td, i) => [keys[i], td.textContent])));
  }
  const sum = list => [...list].reduce((a, b) => a + b, 0);
  const grids = Object.fromEntries(Object.entries(page.view.grids).map(([name, grid]) => [name, sum(grid.counts)]));
  return {
    title: document.title, charts, tables, grids,
    tiles: Object.fromEntries([...document.querySelectorAll(".tile")].map(t => [t.querySelector("span").textContent, t.querySelector("b").textContent])),
    channels: Object.fromEntries(Object.entries(page.view.channels).map(([name, bins]) => [name, sum(bins)])),
    bins: Object.fromEntries(Object.entries(page.data.channels).map(([name, bins]) => [name, [...bins]])),
    time: page.data.time, sizes: page.view.sizes, chips: document.getElementById("chips").textContent,
    contains: document.getElementById("contains").textContent, warnings: document.getElementById("warnings").textContent,
    span: document.getElementById("span").textContent, data: page.data.tables, text: document.body.innerText,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    // Of the bar, which stays in sight: what is cut off or would have to be scrolled to.
    hidden: [...document.querySelectorAll("#bar, #bar *")].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth ||
      e.getBoundingClientRect().right > document.documentElement.clientWidth).map(e => e.id || e.textContent),
    boxes: Object.fromEntries([...document.querySelectorAll("#treemap button")].map(b => [b.title, b.offsetWidth * b.offsetHeight])),
    bar: document.getElementById("bar").getBoundingClientRect().height,
    scripts: document.scripts.length, images: document.images.length, focused: document.activeElement?.dataset?.chart,
    background: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    paper: [...new Set([...document.querySelectorAll(".card, .tile")].map(c => getComputedStyle(c).backgroundColor))],
  };
}

async function main(job) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  const tab = await browser.newPage({ viewport: { width: job.width, height: 900 }, colorScheme: job.scheme });
  const said = [], asked = [];
  tab.on("console", m => said.push(`${m.type()}: ${m.text()}`));
  tab.on("pageerror", e => said.push(`error: ${e.stack}`));
  tab.on("dialog", d => { said.push(`dialog: ${d.message()}`); d.dismiss(); });
  tab.on("request", r => asked.push(r.url()));
  await tab.goto(job.page);
  await tab.waitForFunction(() => document.querySelector("#integrity-cards .card"));
  for (const [what, ...how] of job.steps) {
    if (what === "click") await tab.locator(how[0]).first().click();
    else if (what === "press") await tab.keyboard.press(how[0]);
    else if (what === "focus") await tab.locator(how[0]).first().focus();
    else if (what === "media") {
      await tab.emulateMedia(how[0]);
      if (how[0].media === "print") await tab.waitForSelector("html.print"); // the page has been drawn for paper
    }
    else if (what === "changed") {
      const before = await tab.innerText(how[0]), until = Date.now() + 30000;
      while (await tab.innerText(how[0]) === before) {
        if (Date.now() > until) throw new Error(`${how[0]} stayed as it was`);
        await tab.waitForTimeout(100);
      }
    }
    else if (what === "drag") {
      const box = await tab.locator(how[0]).first().boundingBox(), y = box.y + box.height / 2;
      await tab.mouse.move(box.x + box.width * how[1], y);
      await tab.mouse.down();
      await tab.mouse.move(box.x + box.width * how[2], y, { steps: 8 });
      await tab.mouse.up();
    } else throw new Error(`no step ${what}`);
  }
  await tab.waitForTimeout(150);
  await tab.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
  if (job.screenshot) await tab.screenshot({ path: job.screenshot, fullPage: true });
  const result = { ...await tab.evaluate(look), said, asked };
  await browser.close();
  return result;
}

let input = "";
process.stdin.on("data", chunk => { input += chunk; });
process.stdin.on("end", () => main(JSON.parse(input)).then(result => process.stdout.write(JSON.stringify(result)),
  error => { console.error(error); process.exit(1); }));
