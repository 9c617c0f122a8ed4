// Both journeys by hand on a phone and on a desktop, without scripts, in light and dark; each page fits and
// is kept as a picture.
import assert from "node:assert/strict";
import { DESKTOP, PHONE, picture, sound } from "./lib.mjs";

const OWNER = { name: "王小明", document: "110100195801010019", phone: "13800000000" };
const MEMBER = { name: "李敏", document: "110100195902020021", phone: "13800000001" };
// Chromium itself prints a line for every answer of 400 and above.
const REFUSED = [/status of 4\d\d/, /status of 503/];

async function seen(page, name, width, dark) {
  await sound(page);
  await picture(page, `${name}-${width}${dark ? "-dark" : ""}`);
}

async function fill(page, who) {
  await page.fill('[name="name"]', who.name);
  await page.fill('[name="document_number"]', who.document);
  await page.fill('[name="phone"]', who.phone);
}

/** Types the code that went out since `before`, and goes on. */
async function confirm(t, page, phone, before, width, dark, name) {
  await page.waitForSelector('[name="code"]');
  await seen(page, name, width, dark);
  await page.fill('[name="code"]', await t.code(phone, before));
  await page.click("main form button.main");
}

async function newest(t, phone) {
  const [message] = await t.sms(phone);
  return message?.at ?? 0;
}

async function signIn(t, page, who, width, dark) {
  await page.goto("/sign-in");
  await seen(page, "sign-in", width, dark);
  const before = await newest(t, who.phone);
  await fill(page, who);
  await page.click("main form button.main");
  await confirm(t, page, who.phone, before, width, dark, "code");
  await page.waitForURL(/registers|me/);
}

/** Draws a register up, and gives its address. */
async function draw(page, organisation, width, dark) {
  await page.goto("/registers/new");
  await seen(page, "new-register", width, dark);
  await page.fill('[name="organisation"]', organisation);
  await page.fill('[name="contact"]', "010-62345678");
  await page.fill('[name="purpose"]', "2026 年秋季学期师生健康登记");
  await page.fill('[name="departments"]', "三年级组\n后勤");
  for (const part of ["北京市", "海淀区", "中关村街道"]) {
    await page.click(`button[name="pick"]:has-text("${part}")`);
    assert.equal(await page.inputValue('[name="organisation"]'), organisation, "what was typed stays");
  }
  await seen(page, "new-register-street", width, dark);
  await page.click("main form button.main");
  for (const [item, needed] of [["health_code", "required"], ["nucleic_acid", "required"], ["vaccination", "optional"]]) {
    await page.selectOption(`[name="asked-${item}"]`, needed);
  }
  await seen(page, "new-register-items", width, dark);
  await page.click("main form button.main");
  await seen(page, "new-register-check", width, dark);
  await page.click("main form button.main");
  await page.waitForURL(/registers\/(?!new)[^/]+/);
  return new URL(page.url()).pathname.match(/^\/registers\/[^/]+/)[0];
}

async function join(t, page, code, who, width, dark) {
  const answer = await page.goto(`/j/${code}`);
  assert.equal(answer.status(), 200);
  assert.equal(await page.locator('[name="accepted"]').isChecked(), false, "consent is never pre-ticked");
  await seen(page, "join-preview", width, dark);
  await page.click("main form button.main");
  assert.match(await page.textContent("main"), /请先勾选/, "no consent, no next step");
  await seen(page, "join-no-consent", width, dark);
  for (const box of await page.locator('input[type="checkbox"][name="items"]').all()) await box.check();
  await page.check('[name="sharing"][value="details"]');
  await page.check('[name="accepted"]');
  await page.click("main form button.main");
  await seen(page, "join-identity", width, dark);
  const before = await newest(t, who.phone);
  await fill(page, { ...who, document: who.document.slice(0, 17) });
  await page.click("main form button.main");
  assert.match(await page.textContent("main"), /居民身份证是 18 位，现在是 17 位/);
  assert.equal(await page.inputValue('[name="name"]'), who.name, "what was typed stays");
  await seen(page, "join-wrong-number", width, dark);
  await page.fill('[name="document_number"]', who.document);
  await page.click("main form button.main");
  await confirm(t, page, who.phone, before, width, dark, "join-code");
  await page.waitForSelector("h1");
  await seen(page, "joined", width, dark);
}

async function walk(t, width, dark) {
  const options = { width, dark, scripts: false, tolerate: REFUSED };
  const owner = await t.page(options);
  await owner.goto("/");
  await seen(owner, "home", width, dark);
  await signIn(t, owner, OWNER, width, dark);
  const organisation = `青禾实验小学 ${width}${dark ? " 夜" : ""}`;
  const register = await draw(owner, organisation, width, dark);
  await owner.goto(`${register}/code`);
  await sound(owner);
  assert.equal((await owner.request.get(`${register}/code.png`)).status(), 200);
  await owner.goto(`${register}/poster`);
  await seen(owner, "poster", width, dark);
  await owner.goto(register);
  await seen(owner, "register-empty", width, dark);

  const answer = await owner.request.get("/registers");
  assert.equal(answer.status(), 200);
  await owner.goto(`${register}/code`);
  const code = (await owner.textContent("main")).match(/\/j\/([A-Za-z0-9_-]{22})/)[1];

  const member = await t.page(options);
  await join(t, member, code, MEMBER, width, dark);
  await member.goto("/me");
  assert.match(await member.textContent("main"), new RegExp(organisation));
  await seen(member, "me", width, dark);

  await owner.goto(register);
  assert.match(await owner.textContent("main"), /李敏/);
  assert.doesNotMatch(await owner.textContent("body"), new RegExp(MEMBER.document));
  await sound(owner);
  await owner.click('main a:has-text("李敏")');
  await seen(owner, "member", width, dark);
  for (const page of ["settings", "export", "delete"]) {
    await owner.goto(`${register}/${page}`);
    await seen(owner, page, width, dark);
  }
  await owner.goto("/registers");
  await seen(owner, "registers", width, dark);

  for (const page of ["/me/access-log", "/me/sessions", "/me/data", "/privacy", "/help", "/accessibility", "/demo"]) {
    assert.equal((await member.goto(page)).status(), 200, page);
    await seen(member, page.slice(1).replaceAll("/", "-"), width, dark);
  }
  await member.goto("/me");
  await member.click('main a:has-text("退出")');
  await seen(member, "leave", width, dark);
  await member.click('main button:has-text("确认退出")');
  await seen(member, "left", width, dark);
  await owner.goto(register);
  assert.doesNotMatch(await owner.textContent("main"), /李敏/);

  assert.equal((await member.goto("/nowhere")).status(), 404);
  await seen(member, "not-found", width, dark);
  assert.equal((await member.goto("/j/AAAAAAAAAAAAAAAAAAAAAA")).status(), 404);
}

export async function both_journeys_on_a_phone_without_scripts(t) {
  await walk(t, PHONE, false);
}

export async function both_journeys_on_a_desktop_in_the_dark(t) {
  await walk(t, DESKTOP, true);
}

export async function every_public_page_fits_320_pixels_and_speaks_english(t) {
  const page = await t.page({ width: 320, locale: "en-GB", scripts: false });
  for (const path of ["/", "/sign-in", "/privacy", "/help", "/accessibility", "/demo"]) {
    await page.goto(path);
    await sound(page);
    assert.equal(await page.getAttribute("html", "lang"), "en");
    await picture(page, `english${path.replaceAll("/", "-")}-320`);
  }
}
