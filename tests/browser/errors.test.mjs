// What goes wrong, and what is empty: each has a page that says what happened and what to do.
import assert from "node:assert/strict";
import { seen } from "./checks.mjs";
import { DESKTOP, PHONE } from "./lib.mjs";
import { consent, fill, go, member, newest, person, put, REFUSED, register, signIn } from "./steps.mjs";

const main = (page) => page.textContent("main");
const THOROUGH = { thorough: true };

async function faults(t, body) {
  assert.equal((await t.api("PUT", "/demo/faults", { body })).status, 200);
}

async function public_pages(page) {
  for (const path of ["/", "/sign-in", "/sign-in?purpose=leave", "/privacy", "/children", "/help", "/accessibility", "/demo"]) {
    assert.equal((await page.goto(path)).status(), 200, path);
    await seen(page, path.slice(1).replace(/\W/g, "-") || "home", THOROUGH);
  }
  for (const [path, status, name] of [
    ["/nowhere", 404, "not-found"],
    ["/j/AAAAAAAAAAAAAAAAAAAAAA", 404, "not-found-code"],
    ["/leave/AAAAAAAAAAAAAAAAAAAAAA", 404, "not-found-link"],
    ["/verify", 410, "verification-ended"],
    ["/sign-in?next=/&next=/", 400, "bad-request"],
    ["/sign-out", 405, "wrong-method"],
    [`/help?q=${"a".repeat(2100)}`, 414, "url-too-long"],
  ]) {
    const answer = await page.goto(path);
    assert.equal(answer.status(), status, path);
    assert.match(await page.title(), /^(出错|Error|Failed)/i, path);
    await seen(page, name, THOROUGH);
  }
}

export async function public_and_missing_pages_in_chinese(t) {
  await public_pages(await t.page({ width: PHONE, tolerate: REFUSED }));
}

export async function public_and_missing_pages_in_english(t) {
  const page = await t.page({ width: PHONE, locale: "en-GB", tolerate: REFUSED });
  await public_pages(page);
  assert.equal(await page.getAttribute("html", "lang"), "en");
}

export async function what_is_typed_wrongly_five_times_ends_for_today(t) {
  const who = person("高飞", "19910101", 500);
  await put(t, who);
  const page = await t.page({ tolerate: REFUSED });
  await page.goto("/sign-in");
  await go(page);
  await seen(page, "sign-in-wrong", THOROUGH);
  for (let left = 4; left >= 0; left -= 1) {
    await fill(page, { ...who, name: "高非" });
    await go(page);
    assert.ok((await main(page)).includes(`${left}`) && (await main(page)).includes("没有比对成功"), `${left} left`);
    if (left === 4) await seen(page, "mismatch", THOROUGH);
  }
  await fill(page, who);
  await go(page);
  assert.match(await main(page), /今天的次数用完了/);
  await seen(page, "too-many-today", THOROUGH);
}

export async function a_code_too_early_and_one_that_ended(t) {
  const who = person("江南", "19920202", 510);
  await put(t, who);
  const page = await t.page({ tolerate: REFUSED });
  await page.goto("/sign-in");
  await fill(page, who);
  await go(page);
  // The script holds the button back.
  await page.locator('form[action="/verify/resend"]').evaluate((form) => form.submit());
  await page.waitForSelector(".note.bad");
  assert.match(await main(page), /刚发过，请等 \d+ 秒/);
  await seen(page, "resend-too-early", THOROUGH);
  await page.goto("/sign-in");
  await fill(page, who);
  await go(page);
  await seen(page, "sign-in-too-early", THOROUGH);
  await page.click('main a[href="/verify"]');
  const sent = await t.code(who.phone);
  for (let left = 4; left >= 0; left -= 1) {
    await page.fill('[name="code"]', sent === "111111" ? "222222" : "111111");
    await go(page);
    if (left > 0) assert.ok((await main(page)).includes(`${left}`), `${left} left`);
  }
  assert.match(await main(page), /验证码已失效/);
  await seen(page, "code-ended", THOROUGH);
}

export async function a_gateway_and_a_source_that_are_down(t) {
  const owner = person("周岚", "19750303", 520);
  const book = await register(t, owner);
  await member(t, book.code, person("孙丽", "19800505", 521));
  const who = person("何静", "19820505", 522);
  await put(t, who);
  const page = await t.page({ tolerate: REFUSED });
  const list = await t.page({ width: DESKTOP, tolerate: REFUSED });
  await signIn(t, list, owner);
  try {
    await faults(t, { sms: "fail" });
    await page.goto("/sign-in");
    await fill(page, who);
    await go(page);
    assert.match(await main(page), /短信未发出/);
    await seen(page, "sms-not-sent", THOROUGH);
    await faults(t, { sms: "ok", source: "down" });
    await page.goto(`/j/${book.code}`);
    await consent(page);
    await fill(page, who);
    await go(page);
    await page.waitForURL(/pending/);
    await seen(page, "pending", THOROUGH);
    await page.click('form[action="/pending/send-code"] button');
    await seen(page, "pending-still", THOROUGH);
    await page.goto("/");
    await seen(page, "home-pending", THOROUGH);
    await fetch(`${t.base}/demo/refresh`, { method: "POST" });
    await list.goto(`/registers/${book.id}`);
    assert.match(await main(list), /信息源从.*起连不上/);
    await seen(list, "register-source-down", THOROUGH);
    await page.goto(`/sign-in`);
  } finally {
    await faults(t, { sms: "ok", source: "ok" });
    await fetch(`${t.base}/demo/refresh`, { method: "POST" });
  }
  await page.goto("/pending");
  const before = await newest(t, who);
  await page.click('form[action="/pending/send-code"] button');
  await page.fill('[name="code"]', await t.code(who.phone, before));
  await go(page);
  await page.waitForURL(/joined/);
}

export async function a_child_needs_a_guardian(t) {
  const guardian = person("周岚", "19750303", 530);
  const book = await register(t, guardian);
  const year = new Date().getFullYear() - 8;
  const child = { ...person("周小禾", `${year}0601`, 531), phone: guardian.phone };
  await put(t, child);
  const page = await t.page({ tolerate: REFUSED });
  await page.goto(`/j/${book.code}`);
  await consent(page);
  await fill(page, child);
  await go(page);
  await seen(page, "guardian", THOROUGH);
  await page.click('main a[href^="/sign-in"]');
  await signIn(t, page, guardian);
  await page.goto(`/j/${book.code}`);
  await page.check('[name="whom"][value="other"]');
  await seen(page, "join-for-other", THOROUGH);
  await consent(page);
  await fill(page, child);
  const before = await newest(t, guardian);
  await go(page);
  await page.fill('[name="code"]', await t.code(guardian.phone, before));
  await go(page);
  await page.waitForURL(/joined/);
  assert.match(await main(page), /周小禾/);
  await page.goto("/me");
  await seen(page, "me-guardian", THOROUGH);
}

export async function two_hundred_long_departments_are_taken(t) {
  const owner = person("周岚", "19750303", 540);
  await put(t, owner);
  const page = await t.page({ scripts: false });
  await signIn(t, page, owner);
  await page.goto("/registers/new");
  await page.fill('[name="organisation"]', "青禾实验小学");
  await page.fill('[name="contact"]', "010-62345678");
  await page.fill('[name="purpose"]', "师生健康登记");
  const long = Array.from({ length: 200 }, (_, n) => `${n}${"𠮷".repeat(37)}`);
  await page.fill('[name="departments"]', long.join("\n"));
  for (const part of ["北京市", "海淀区", "中关村街道"]) await page.click(`button[name="pick"]:has-text("${part}")`);
  await go(page);
  await page.selectOption('[name="asked-health_code"]', "required");
  await go(page);
  await go(page);
  await page.waitForURL(/\/code$/);
  await page.goto(page.url().replace(/code$/, "settings"));
  await go(page);
  assert.match(await main(page), /已保存/);
}
