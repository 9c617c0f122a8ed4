// What every page is held to: axe, targets of 44 px, 320 px, text of twice the size, its weight. A page of
// one name, width and language is measured once a run, however many tests come by.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { DESKTOP, fits, path, picture } from "./lib.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LEAST = 44;
// Bytes of a page with everything it loads, uncompressed; most are near half of it.
const MOST = 100_000;
const measured = new Set();
/** The weight of each page that was measured, by its name. */
export const weights = new Map();

/** axe finds nothing, in the light and in the dark. */
export async function accessible(page) {
  await page.evaluate(AXE);
  const found = [];
  for (const [scheme, only] of [["light", { type: "tag", values: RULES }], ["dark", { type: "rule", values: ["color-contrast"] }]]) {
    await page.emulateMedia({ colorScheme: scheme });
    const { violations } = await page.evaluate(
      (runOnly) => globalThis.axe.run(document, { runOnly, resultTypes: ["violations"], elementRef: false }),
      only,
    );
    for (const { id, help, nodes } of violations) {
      found.push(`${scheme}: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join("\n    ")}`);
    }
  }
  assert.deepEqual(found, [], `axe on ${path(page.url())}`);
}

/** What is pressed is 44 px high; links within a sentence are excepted (WCAG 2.5.8). */
export async function roomy(page) {
  const small = await page.evaluate((least) => {
    const controls = "a[href], button, select, textarea, summary, input:not([type=hidden])";
    return [...document.querySelectorAll(controls)]
      .filter((element) => !element.matches(".skip, [aria-hidden=true]") && element.getClientRects().length > 0)
      .map((element) => (element.matches("[type=checkbox], [type=radio]") ? element.closest("label") : element))
      .filter((element) => {
        if (element.getBoundingClientRect().height >= least - 0.5) return false;
        const around = element.parentElement.textContent.trim();
        const inSentence = around.length > element.textContent.trim().length + 4;
        return !(getComputedStyle(element).display.startsWith("inline") && inSentence && element.localName === "a");
      })
      .map((element) => `${Math.round(element.getBoundingClientRect().height)} px: ${element.outerHTML.slice(0, 160)}`);
  }, LEAST);
  assert.deepEqual(small, [], `targets on ${path(page.url())}`);
}

/** The document and everything that it loaded, uncompressed. */
export async function weigh(page) {
  return page.evaluate(() => {
    const parts = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      // What the page asked for later is no part of its loading.
      .filter((entry) => entry.initiatorType !== "xmlhttprequest");
    return parts.reduce((all, entry) => all + entry.decodedBodySize, 0);
  });
}

async function light(page, name) {
  const bytes = await weigh(page);
  weights.set(name, bytes);
  assert.ok(bytes > 20_000 && bytes <= MOST, `${name} weighs ${bytes} bytes`);
}

/** The text's size doubled, as WeChat's own setting does: media queries do not move. */
async function doubled(page, name) {
  const set = (size) => page.evaluate((size) => { document.documentElement.style.fontSize = size; }, size);
  await set("200%");
  await fits(page);
  await picture(page, `${name}-200-percent`);
  await set("");
}

async function narrow(page) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: before.height });
  await fits(page);
  await page.setViewportSize(before);
}

/** A page that only a phone came by, as a desktop shows it. */
async function wide(page, name) {
  const before = page.viewportSize();
  const full = name.replace(`-${before.width}`, `-${DESKTOP}`);
  if (measured.has(full)) return;
  await page.setViewportSize({ width: DESKTOP, height: before.height });
  await fits(page);
  await roomy(page);
  await picture(page, full);
  await page.setViewportSize(before);
}

/** Everything at once; `thorough` is for one walk of a width and language. The walk goes on whatever is found. */
export async function seen(page, name, { thorough = false, clocked = false } = {}) {
  const { width } = page.viewportSize();
  const { lang, dark, scripts } = page.test.options.get(page);
  const full = `${lang === "zh-CN" ? "" : `${lang}-`}${name}-${width}${dark ? "-dark" : ""}`;
  const held = async (check) => {
    try {
      await check(page, full);
    } catch (error) {
      page.test.faults.push(`${full}: ${error.message}`);
    }
  };
  await page.waitForLoadState("load");
  await held(fits);
  await picture(page, full);
  if (!thorough || measured.has(full)) return;
  assert.ok(scripts, "axe waits, which needs a page with scripts");
  measured.add(full);
  // The clock of a test stands in for what is measured.
  if (!clocked) await held(light);
  await held(roomy);
  await held(accessible);
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  if (width < 1000) {
    await held(doubled);
    await held(narrow);
    await held(wide);
  }
}
