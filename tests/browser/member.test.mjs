// A member's whole way, from the preview to leaving, by the page and by the receipt's link: on a phone and on
// a desktop, with and without scripts, light and dark, in Chinese and in English, and without the stylesheet.
import assert from "node:assert/strict";
import { seen } from "./checks.mjs";
import { DESKTOP, PHONE } from "./lib.mjs";
import { consent, fill, go, join, newest, person, put, REFUSED, register } from "./steps.mjs";

const main = (page) => page.textContent("main");

async function joined(t, page, code, who, how) {
  await page.goto(`/j/${code}`);
  assert.equal(await page.locator('[name="accepted"]').isChecked(), false, "consent is never pre-ticked");
  assert.equal(await page.locator('[name="sharing"]:checked').count(), 0, "nor is how much to share");
  await seen(page, "join-preview", how);
  await go(page);
  await seen(page, "join-no-consent", how);
  await consent(page);
  await seen(page, "join-identity", how);
  const before = await newest(t, who);
  await fill(page, { ...who, document: who.document.slice(0, 17) });
  await go(page);
  assert.match(await main(page), /(18.*17|17.*18)/);
  assert.equal(await page.inputValue('[name="name"]'), who.name, "what was typed stays");
  await seen(page, "join-wrong-number", how);
  await page.fill('[name="document_number"]', who.document);
  await go(page);
  await page.waitForSelector('[name="code"]');
  await seen(page, "join-code", how);
  const sent = await t.code(who.phone, before);
  await page.fill('[name="code"]', sent === "000000" ? "000001" : "000000");
  await go(page);
  await seen(page, "wrong-code", how);
  assert.equal(await page.inputValue('[name="code"]'), "", "a code is never kept");
  await page.fill('[name="code"]', ` ${sent.slice(0, 3)} ${sent.slice(3)} `);
  await go(page);
  await page.waitForURL(/\/joined$/);
  const receipt = await main(page);
  assert.match(receipt, /\/leave\/[A-Za-z0-9_-]{22}/);
  await seen(page, "joined", how);
  await page.reload();
  assert.equal(await main(page), receipt, "a reload keeps the receipt");
  return receipt.match(/\/leave\/[A-Za-z0-9_-]{22}/)[0];
}

async function reported(page, name, how) {
  await seen(page, name, how);
  await go(page);
  await seen(page, `${name}-wrong`, how);
  await page.fill("main textarea", "名称不是我们单位的");
  await go(page);
  await page.waitForSelector(".done-mark");
  await seen(page, "reported", how);
}

let walks = 0;
async function walk(t, { thorough = false, ...options }) {
  const how = { thorough };
  walks += 1;
  const organisation = `青禾实验小学第${walks}校区`;
  const book = await register(t, person("周岚", "19750303", 300 + walks), organisation);
  const who = person("林晓燕", "19880808", 310 + walks);
  await put(t, who);
  const page = await t.page({ ...options, tolerate: REFUSED });

  await page.goto(`/j/${book.code}`);
  await page.click('main a[href$="/report"]');
  await reported(page, "report", how);
  await joined(t, page, book.code, who, how);

  await page.goto("/me");
  assert.ok((await main(page)).includes(organisation));
  await seen(page, "me", how);
  for (const [path, name] of [["access-log", "access-log"], ["data", "data"], ["sessions", "sessions"]]) {
    assert.equal((await page.goto(`/me/${path}`)).status(), 200);
    await seen(page, name, how);
  }
  assert.ok(!(await main(page)).includes(who.document));
  await page.goto("/me");
  const own = await page.getAttribute('main a[href$="/leave"]', "href");
  await page.goto(own.replace(/\/leave$/, ""));
  await seen(page, "consent", how);
  await page.check('[name="sharing"][value="verdict"]');
  await page.check('[name="accepted"]');
  await go(page);
  await page.goto(own.replace(/leave$/, "report"));
  await reported(page, "report-own", how);

  await page.goto("/me");
  await page.click('main a[href$="/leave"]');
  await seen(page, "leave", how);
  await page.click("main form .grave.main");
  assert.ok((await main(page)).includes(organisation));
  await seen(page, "left", how);
  assert.equal((await page.goto(own)).status(), 404);
  await page.goto("/me");
  await seen(page, "me-none", how);

  // Again, and away by the link of the receipt, in a browser where nobody is signed in.
  await join(t, page, book.code, who);
  const [link] = (await main(page)).match(/\/leave\/[A-Za-z0-9_-]{22}/);
  const other = await t.page({ ...options, tolerate: REFUSED });
  await other.goto(link);
  assert.ok(!(await main(other)).includes(who.name), "the link shows nobody");
  await seen(other, "leave-link", how);
  await other.click("main form .grave.main");
  await seen(other, "left-link", how);
  assert.equal((await other.goto(link)).status(), 404);
  await page.reload();
  assert.match(page.url(), /\/(me|sign-in)/, "the receipt of what ended leads on");
}

export async function a_member_on_a_phone(t) {
  await walk(t, { width: PHONE, thorough: true });
}

export async function a_member_on_a_phone_in_the_dark_without_scripts(t) {
  await walk(t, { width: PHONE, scripts: false, dark: true });
}

export async function a_member_on_a_desktop_without_scripts(t) {
  await walk(t, { width: DESKTOP, scripts: false });
}

export async function a_member_on_a_desktop_in_english_and_the_dark(t) {
  await walk(t, { width: DESKTOP, dark: true, locale: "en-GB", thorough: true });
}

export async function without_the_stylesheet_the_forms_still_work(t) {
  const book = await register(t, person("周岚", "19750303", 390));
  const who = person("方圆", "19900909", 391);
  await put(t, who);
  const page = await t.page({ scripts: false, tolerate: [/ERR_FAILED/] });
  await page.route("**/*.css", (route) => route.abort());
  await join(t, page, book.code, who);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).display), "block");
  await page.click('main a[href="/me"]');
  await page.click('main a[href$="/leave"]');
  await page.click("main form button");
  assert.match(await main(page), /青禾实验小学/);
}
