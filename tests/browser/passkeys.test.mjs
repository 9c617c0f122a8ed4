// Passkeys, with Chromium's virtual authenticator. Browsers make them for a domain alone, so these tests have a demo
// of their own under "localhost".
import assert from "node:assert/strict";
import { seen } from "./checks.mjs";
import { DESKTOP, PHONE } from "./lib.mjs";
import { REFUSED, go, newest, person, put, register, signIn } from "./steps.mjs";

const main = (page) => page.textContent("main");

/** A device with a screen lock, as the browser sees it. */
async function device(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const credentials = async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  const unlocks = (isUserVerified) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
  return { credentials, unlocks };
}

async function code(t, page, who, before) {
  await page.waitForURL(/\/me\/passkeys\/code$/);
  await page.fill('[name="code"]', await t.code(who.phone, before));
  await go(page);
}

/** Names a passkey and brings the code, up to the button that makes it. */
async function name(t, page, who, label, how = {}) {
  await page.goto("/me/passkeys/new");
  await seen(page, "passkey-new", how);
  await page.fill('[name="label"]', label);
  const before = await newest(t, who);
  await go(page);
  await page.waitForSelector('[name="code"]');
  await seen(page, "passkey-code", how);
  await code(t, page, who, before);
  await page.waitForSelector('[data-passkey="make"]', { state: "attached" });
}

let walks = 0;
async function walk(t, how, options) {
  await t.demo("localhost");
  walks += 1;
  const who = person("周岚", "19700404", 800 + walks);
  await put(t, who);
  const book = await register(t, who);
  const page = await t.page({ ...options, tolerate: REFUSED });
  const own = await device(page);
  await page.goto("/sign-in?next=%2Fregisters");
  assert.ok(await page.isVisible('[data-passkey="show"]'));
  await signIn(t, page, who, how);
  await seen(page, "registers-offered", how);
  await page.click('main a[href="/me/passkeys"]');
  await seen(page, "passkeys-none", how);

  // Given up once, then made.
  await name(t, page, who, "我的手机", how);
  await own.unlocks(false);
  await go(page);
  await page.waitForSelector("[data-failed]:not([hidden])");
  await seen(page, "passkey-make-failed", how);
  await own.unlocks(true);
  await go(page);
  await page.waitForURL(/done=added$/);
  await seen(page, "passkeys-added", how);
  assert.ok((await main(page)).includes("我的手机") && (await main(page)).includes("还没有用过"));
  const [credential, ...others] = await own.credentials();
  assert.ok(credential.isResidentCredential && others.length === 0);
  assert.equal(credential.rpId, "localhost");

  // The same device has one already, which the browser is told.
  await name(t, page, who, "又一个");
  await go(page);
  await page.waitForSelector("[data-known]:not([hidden])");
  await seen(page, "passkey-known", how);

  await page.click('form[action="/sign-out"] button');
  await page.goto(`/sign-in?next=${encodeURIComponent(`/registers/${book.id}`)}`);
  const sent = await newest(t, who);
  await own.unlocks(false);
  await page.click('[data-passkey="show"] button');
  await page.waitForSelector("[data-failed]:not([hidden])");
  await seen(page, "sign-in-passkey-failed", how);
  await own.unlocks(true);
  await page.click('[data-passkey="show"] button');
  await page.waitForURL((url) => url.pathname === `/registers/${book.id}`);
  assert.equal(await newest(t, who), sent, "without an SMS");
  await page.goto("/me/sessions");
  assert.ok((await main(page)).includes("通行密钥"));
  await seen(page, "sessions-passkey", how);
  await page.goto("/me/data");
  await seen(page, "data-passkey", how);

  await page.goto("/me/passkeys");
  assert.ok(!(await main(page)).includes("还没有用过"));
  await seen(page, "passkeys", how);
  await page.click('main a[href$="/remove"]');
  await seen(page, "passkey-remove", how);
  const before = await newest(t, who);
  await go(page);
  await page.waitForSelector('[name="code"]');
  await seen(page, "passkey-remove-code", how);
  await code(t, page, who, before);
  await page.waitForURL(/done=removed$/);
  await seen(page, "passkeys-removed", how);

  // The device's own copy opens nothing any more.
  await page.click('form[action="/sign-out"] button');
  await page.goto("/sign-in");
  await page.click('[data-passkey="show"] button');
  await page.waitForURL(/\/sign-in\/passkey$/);
  await seen(page, "passkey-refused", how);
  assert.ok((await main(page)).includes("通行密钥不能登录"));
}

export async function a_passkey_is_added_signs_in_and_is_removed_on_a_phone(t) {
  await walk(t, { thorough: true }, { width: PHONE });
}

export async function a_passkey_is_added_signs_in_and_is_removed_on_a_desktop(t) {
  await walk(t, { thorough: true }, { width: DESKTOP });
}

export async function without_scripts_there_is_the_sms_alone(t) {
  await t.demo("localhost");
  const who = person("周岚", "19700404", 890);
  await put(t, who);
  await register(t, who);
  const page = await t.page({ width: PHONE, scripts: false, tolerate: REFUSED });
  await page.goto("/sign-in?next=%2Fregisters");
  assert.ok(!(await page.isVisible('[data-passkey="show"]')));
  await signIn(t, page, who);
  await name(t, page, who, "我的手机");
  assert.ok(await page.isVisible("[data-without]"), "it says that this browser makes none");
  assert.ok(!(await page.isVisible('[data-passkey="make"]')));
  await seen(page, "passkey-without");
}

export async function at_another_address_than_its_own_there_is_the_sms_alone(t) {
  await t.demo("localhost");
  t.base = t.base.replace("localhost", "127.0.0.1");
  const page = await t.page({ width: PHONE });
  await page.goto("/sign-in");
  assert.ok(!(await page.isVisible('[data-passkey="show"]')));
}
