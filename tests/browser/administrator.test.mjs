// An administrator's whole way, from signing in to deleting the register: on a phone and on a desktop, with
// and without scripts, light and dark, in Chinese and in English.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { seen } from "./checks.mjs";
import { DESKTOP, PHONE } from "./lib.mjs";
import { go, member, newest, person, put, REFUSED, signIn } from "./steps.mjs";

/** Draws a register up on the pages; its address. */
async function draw(page, organisation, how) {
  await page.goto("/registers/new");
  await go(page);
  await seen(page, "new-register-wrong", how);
  await page.fill('[name="organisation"]', organisation);
  await page.fill('[name="contact"]', "010-62345678");
  await page.fill('[name="purpose"]', "2026 年秋季学期师生健康登记");
  await page.fill('[name="departments"]', "三年级组\n后勤");
  for (const part of ["北京市", "海淀区", "中关村街道"]) {
    await page.click(`button[name="pick"]:has-text("${part}")`);
    assert.equal(await page.inputValue('[name="organisation"]'), organisation, "what was typed stays");
  }
  await seen(page, "new-register", how);
  await go(page);
  for (const [item, needed] of [["health_code", "required"], ["nucleic_acid", "required"], ["vaccination", "optional"]]) {
    await page.selectOption(`[name="asked-${item}"]`, needed);
  }
  await seen(page, "new-register-items", how);
  await go(page);
  await seen(page, "new-register-check", how);
  await go(page);
  await page.waitForURL(/registers\/(?!new)[^/]+\/code$/);
  return new URL(page.url()).pathname.match(/^\/registers\/[^/]+/)[0];
}

const code = async (page) => (await page.textContent("main")).match(/\/j\/([A-Za-z0-9_-]{22})/)[1];
const main = (page) => page.textContent("main");

/** A code was sent since `before`; types it. */
async function typeCode(t, page, who, before) {
  await page.fill('[name="code"]', await t.code(who.phone, before));
}

async function exported(t, page, book, owner, how) {
  await page.goto(`${book}/export`);
  await seen(page, "export", how);
  await go(page);
  await seen(page, "export-wrong", how);
  await page.check('[name="format"][value="csv"]');
  await page.fill('[name="purpose"]', "=上报学区");
  let before = await newest(t, owner);
  await go(page);
  await page.waitForURL(/exports$/);
  await seen(page, "export-code", how);
  await page.fill('[name="code"]', "000000");
  await go(page);
  await seen(page, "export-code-wrong", how);
  await typeCode(t, page, owner, before);
  const [file] = await Promise.all([page.waitForEvent("download"), go(page)]);
  assert.match(file.suggestedFilename(), /\.csv$/);
  return readFile(await file.path(), "utf8");
}

async function deleted(t, page, book, organisation, owner, how) {
  await page.goto(`${book}/settings`);
  await seen(page, "settings", how);
  await page.click('main a[href$="/delete"]');
  await seen(page, "delete", how);
  await page.fill('[name="organisation"]', "另一个单位");
  await page.click("main form .grave");
  await seen(page, "delete-wrong", how);
  await page.fill('[name="organisation"]', organisation);
  const before = await newest(t, owner);
  await page.click("main form .grave");
  await page.waitForSelector('[name="code"]');
  await seen(page, "delete-code", how);
  await typeCode(t, page, owner, before);
  await page.click("main form .grave.main");
  assert.ok((await main(page)).includes(organisation));
  await seen(page, "deleted", how);
  assert.equal((await page.goto(book)).status(), 404);
}

let walks = 0;
async function walk(t, { thorough = false, ...options }) {
  const how = { thorough };
  walks += 1;
  const owner = person("周岚", "19750303", 100 + walks);
  const [first, second, third] = ["孙丽", "马超", "何静"].map((name, n) => person(name, `198${n}0505`, 110 + 10 * walks + n));
  await put(t, owner);
  const page = await t.page({ ...options, tolerate: REFUSED });
  await page.goto("/");
  await seen(page, "home", how);
  await page.click('main a[href="/registers"]');
  await signIn(t, page, owner, how);
  await page.goto("/registers");
  await seen(page, "registers-none", how);

  const organisation = `青禾实验小学第${walks}分校`;
  const book = await draw(page, organisation, how);
  await seen(page, "code-page", how);
  const old = await code(page);
  const image = await page.request.get(`${book}/code.png`);
  assert.equal(image.headers()["content-type"], "image/png");
  await page.goto(book);
  await seen(page, "register-none", how);

  for (const who of [first, second, third]) await member(t, old, who);
  await page.goto(book);
  assert.match(await main(page), /孙丽[\s\S]*马超|马超[\s\S]*孙丽/);
  assert.doesNotMatch(await page.content(), new RegExp(first.document));
  await page.click(".tile:nth-child(1)");
  await seen(page, "register-no-hit", how);
  await page.click(".tile[aria-current]");
  assert.equal(new URL(page.url()).search, "", "pressed again, the filter goes");
  await page.goto(`${book}/filter`);
  await seen(page, "filter", how);
  await page.goto(book);
  await page.fill('[name="name"]', "马");
  await page.click(".search button");
  assert.ok((await main(page)).includes("马超") && !(await main(page)).includes("孙丽"));
  assert.ok(!page.url().includes("%"), "a search is in no address");
  await page.fill('[name="name"]', "王五");
  await page.click(".search button");
  await seen(page, "search-no-hit", how);
  await page.click(".search button");
  await page.fill('[name="name"]', "");
  await page.click(".search button");
  await seen(page, "search-empty", how);

  await page.goto(book);
  await page.click('main a:has-text("孙丽")');
  await seen(page, "member", how);
  await page.click('main form[action*="/phone"] button');
  assert.ok((await main(page)).includes(first.phone));
  await seen(page, "member-phone", how);
  await page.click('main a[href$="/remove"]');
  await seen(page, "remove", how);
  await page.click("main form .grave.main");
  await page.waitForURL(new RegExp(`${book}(\\?.*)?$`));
  assert.ok(!(await main(page)).includes("孙丽"), "removed");

  const sheet = await exported(t, page, book, owner, how);
  assert.ok(sheet.startsWith("\uFEFF") && sheet.includes("马超") && !sheet.includes("孙丽"));
  assert.ok(!sheet.includes(second.document) && !/(^|,)"?=/m.test(sheet), "masked, and nothing is a formula");

  await page.goto(`${book}/code`);
  await page.click('main a[href$="/code/replace"]');
  await seen(page, "replace", how);
  await page.click("main form button");
  await page.waitForURL(/\/code$/);
  assert.notEqual(await code(page), old);
  assert.equal((await page.goto(`/j/${old}`)).status(), 410);
  await seen(page, "code-replaced", how);
  await page.goto(`${book}/poster`);
  await page.waitForSelector(".poster img");
  await seen(page, "poster", how);
  await page.goto(`${book}/settings`);
  await page.fill('[name="contact"]', "010-60000000");
  await go(page);
  await seen(page, "settings-saved", how);
  await page.goto("/registers");
  await seen(page, "registers", how);
  await deleted(t, page, book, organisation, owner, how);

  await page.click('form[action="/sign-out"] button');
  await page.goto("/registers");
  assert.match(page.url(), /sign-in/);
}

export async function an_administrator_on_a_phone(t) {
  await walk(t, { width: PHONE, thorough: true });
}

export async function an_administrator_on_a_phone_in_the_dark_without_scripts(t) {
  await walk(t, { width: PHONE, scripts: false, dark: true });
}

export async function an_administrator_on_a_desktop_without_scripts(t) {
  await walk(t, { width: DESKTOP, scripts: false });
}

export async function an_administrator_on_a_desktop_in_english_and_the_dark(t) {
  await walk(t, { width: DESKTOP, dark: true, locale: "en-GB", thorough: true });
}
