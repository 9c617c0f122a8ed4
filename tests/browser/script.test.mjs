// What the script adds for comfort: counts that follow, the seconds until another code, a list that keeps its place.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { seen } from "./checks.mjs";
import { DESKTOP, PHONE } from "./lib.mjs";
import { consent, fill, go, items, member, negative, person, put, register, signIn } from "./steps.mjs";

const tile = (page, n) => page.textContent(`.tile:nth-child(${n}) b`);

/** Opens a register's list on a page whose clock and visibility the test moves. */
async function opened(t, owner, book, width = DESKTOP) {
  const page = await t.page({ width });
  await page.addInitScript(() => {
    Object.defineProperty(document, "hidden", { get: () => globalThis.isHidden === true });
  });
  await signIn(t, page, owner);
  await page.clock.install();
  await page.goto(`/registers/${book.id}`);
  return page;
}

export async function counts_follow_while_somebody_looks_and_stop_with_the_session(t) {
  const owner = person("周岚", "19750303", 800);
  const book = await register(t, owner);
  const { token, authorization } = await member(t, book.code, person("孙丽", "19800505", 801));
  const page = await opened(t, owner, book);
  let asked = 0;
  page.on("request", (request) => { asked += request.url().includes("/counts"); });
  const answered = () => page.waitForResponse((response) => response.url().includes("/counts"));
  const looks = async () => (await t.api("GET", "/api/v1/me/access-log", { token })).json.length;
  const before = await looks();
  assert.equal(await tile(page, 1), "0");
  await page.focus(".tile:nth-child(1)");
  await page.evaluate(() => { document.body.style.minHeight = "4000px"; scrollTo(0, 120); });

  await member(t, book.code, person("赵磊", "19810505", 802), { health: items("red", negative(1)) });
  await Promise.all([answered(), page.clock.fastForward(31_000)]);
  await page.waitForFunction(() => document.querySelector(".tile:nth-child(1) b").textContent === "1");
  assert.match(await page.getAttribute(".bar", "aria-label"), /不符合 1/);
  assert.match(await page.textContent(".summary"), /2/);
  assert.ok(await page.evaluate(() => document.activeElement === document.querySelector(".tile:nth-child(1)")), "focus");
  assert.equal(await page.evaluate(() => Math.round(scrollY)), 120, "the place");
  assert.ok(await page.isVisible("[data-changed]"), "the list is as it was opened, and the page says so");
  assert.ok(!(await page.textContent("table")).includes("赵磊"));
  assert.equal(await looks(), before, "counts are no view of the list");
  await seen(page, "register-changed", { thorough: true, clocked: true });
  assert.ok(authorization.id);

  await page.evaluate(() => { globalThis.isHidden = true; });
  await page.clock.fastForward(120_000);
  assert.equal(asked, 1, "nobody looks, nothing is asked");
  await page.evaluate(() => {
    globalThis.isHidden = false;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForTimeout(300);
  assert.equal(asked, 2, "seen again, it asks at once");
  await page.click("[data-changed] a");
  await page.waitForSelector('table:has-text("赵磊")');

  await page.context().clearCookies({ name: "tb_session" });
  await Promise.all([answered(), page.clock.fastForward(31_000)]);
  const last = asked;
  await page.waitForTimeout(300);
  await page.clock.fastForward(120_000);
  await page.waitForTimeout(300);
  assert.equal(asked, last, "signed out, it stops");
}

export async function the_seconds_until_another_code_stand_on_the_button(t) {
  const who = person("江南", "19920202", 810);
  await put(t, who);
  const page = await t.page({ tolerate: [/status of 429/] });
  await page.clock.install();
  await page.goto("/sign-in");
  await fill(page, who);
  await go(page);
  const button = page.locator('form[action="/verify/resend"] button');
  await page.waitForSelector('form[action="/verify/resend"] button:disabled');
  assert.match(await button.textContent(), /^\d+ 秒后可重新发送$/);
  await seen(page, "code-waiting", { thorough: true, clocked: true });
  await page.clock.fastForward(61_000);
  await page.clock.runFor(2_000);
  assert.equal(await button.textContent(), "重新发送");
  await button.click();
  assert.match(await page.textContent("main"), /刚发过/, "the server's clock alone decides");
}

export async function back_from_the_code_page_the_browser_keeps_name_and_phone_and_not_the_document(t) {
  const book = await register(t, person("周岚", "19750303", 815));
  const who = person("孙丽", "19800505", 816);
  await put(t, who);
  const page = await t.page({});
  await page.goto(`/j/${book.code}`);
  await consent(page);
  await fill(page, who);
  await go(page);
  await page.waitForSelector('[name="code"]');
  await page.goBack();
  const typed = await page.locator("main input:not([type=hidden])").evaluateAll((all) => Object.fromEntries(all.map((one) => [one.name, one.value])));
  assert.deepEqual([typed.name, typed.phone, typed.document_number], [who.name, who.phone, ""]);
  // The code is still good.
  await page.goto("/verify");
  await page.waitForSelector('[name="code"]');
}

export async function a_long_list_grows_in_place_and_keeps_it(t) {
  const owner = person("周岚", "19750303", 820);
  // Every item of the catalogue, and everybody fails: the heaviest list that there is.
  const more = ["influenza_vaccine", "health_certificate"];
  const book = await register(t, owner, "青禾实验小学", more);
  const health = { ...items("red", negative(5)), health_certificate: { valid_until: "2022-01-01" } };
  for (let n = 0; n < 35; n += 1) {
    await member(t, book.code, person(`成员${"甲乙丙丁戊己庚辛壬癸"[n % 10]}`, "19830505", 821 + n), { health, more });
  }
  const plain = await t.page({ scripts: false });
  await signIn(t, plain, owner);
  await plain.goto(`/registers/${book.id}`);
  await plain.click("a[data-next]");
  assert.equal(await plain.locator("tbody tr").count(), 5, "without scripts it is the next page");

  const page = await t.page({ width: PHONE });
  await signIn(t, page, owner);
  await page.goto(`/registers/${book.id}`);
  const rows = page.locator("tbody tr");
  assert.equal(await rows.count(), 30);
  await seen(page, "register-long", { thorough: true });
  await page.click("a[data-next]");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 35);
  assert.match(await page.textContent(".pager"), /已显示 35 人，共 35 人/);
  assert.equal(await page.locator("a[data-next]").count(), 0);
  const names = await page.locator("tbody a").evaluateAll((all) => all.map((one) => one.href));
  assert.equal(new Set(names).size, 35, "nobody twice");
  assert.ok(await page.evaluate(() => document.activeElement.closest("tr").rowIndex === 31), "the focus goes on");

  const at = await page.evaluate(() => { scrollTo(0, 4000); return scrollY; });
  const back = async (leave) => {
    await page.locator("tbody a").nth(20).evaluate((link) => link.click());
    await page.waitForURL(/members/);
    await leave();
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 35);
    await page.waitForFunction((at) => Math.abs(scrollY - at) < 3, at);
  };
  await back(() => page.click("a[data-list]"));
  await back(() => page.goBack());
  // Also after a form of the member's page; and nothing of it shows, or is stored.
  await back(async () => {
    const shortened = () => page.waitForFunction(() => location.hash === "" && document.readyState === "complete");
    await shortened();
    await page.click('form[action*="/phone"] button');
    await page.waitForSelector('a[href^="tel:"]');
    await shortened();
    await page.click("a[data-list]");
  });
  await page.reload();
  await page.waitForFunction((at) => document.querySelectorAll("tbody tr").length === 35 && Math.abs(scrollY - at) < 3, at);

  await page.evaluate(() => scrollTo(0, 300));
  await page.locator(".tile").nth(0).evaluate((link) => link.click());
  await page.waitForURL(/verdict=fails/);
  await page.waitForFunction(() => Math.abs(scrollY - 300) < 3);
  assert.equal(new URL(page.url()).hash, "");
  await page.locator("tbody a").nth(3).evaluate((link) => link.click());
  await page.waitForURL(/members/);
  await page.click("a[data-list]");
  await page.waitForURL(/verdict=fails/);

  // What somebody else puts there leads nowhere else, and breaks nothing.
  for (const value of [{ path: `/registers/${book.id}`, search: "//evil.example", y: "x", pages: -1 }, 7, null, [], "x"]) {
    const list = page.url();
    await page.goto("/me");
    await page.goto(`${names[0]}#kept=${encodeURIComponent(JSON.stringify(value))}`);
    const to = new URL(await page.locator("a[data-list]").evaluate((link) => link.href));
    assert.deepEqual([to.host, to.pathname], [new URL(list).host, `/registers/${book.id}`]);
  }
  const stored = await page.evaluate(async () => [
    sessionStorage.length, localStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length,
  ]);
  assert.deepEqual(stored, [0, 0, 0, 0], "nothing is stored in the browser");
}

export async function the_script_is_small_and_runs_in_old_kernels(t) {
  const text = await readFile(new URL("../../assets/script.js", import.meta.url), "utf8");
  assert.ok(text.length < 12_000);
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").replace(/"[^"]*"|'[^']*'/g, '""');
  for (const modern of [/=>/, /`/, /\?\./, /\?\?/, /\b(let|const|class|async|await|import|export)\b/, /\.\.\./, /\bfetch\b/]) {
    assert.doesNotMatch(code, modern);
  }
  assert.doesNotMatch(code, /innerHTML|insertAdjacentHTML|document\.write|eval|DOMParser/, "nothing is parsed from a string");
  const page = await t.page();
  const answer = await page.goto("/");
  assert.match(answer.headers()["content-security-policy"], /script-src 'self';/);
  const address = await page.getAttribute("script[src]", "src");
  const script = await page.request.get(address);
  assert.equal(script.headers()["cache-control"], "public, max-age=31536000, immutable");
  assert.equal(await page.locator("script:not([src]), style, [style], [onclick]").count(), 0);
}
