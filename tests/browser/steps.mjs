// What people do, step by step: on the pages as a browser does, or by the interface where a test needs it done.
import assert from "node:assert/strict";
import { seen } from "./checks.mjs";

const DAY = 24 * 60 * 60 * 1000;
/** Chromium itself prints a line for every answer of 400 and above. */
export const REFUSED = [/status of 4\d\d/, /status of 503/];

/** An invented person with a resident number of area 110100, which is issued to nobody. */
export function person(name, born, n) {
  const body = `110100${born}${String(n).padStart(3, "0")}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = [...body].reduce((all, digit, at) => all + Number(digit) * weights[at], 0);
  return { name, document: body + "10X98765432"[sum % 11], phone: `139${String(n).padStart(8, "0")}` };
}

export function ago(days) {
  return new Date(Date.now() - days * DAY).toISOString();
}

export const negative = (days) => ({ result: "negative", sampled_at: ago(days) });
export const items = (code, test, vaccination = { value: "booster", doses: 3, last_on: "2022-03-01" }) => ({
  health_code: { value: code },
  ...(test ? { nucleic_acid: test } : {}),
  vaccination,
});

export async function put(t, who, health = items("green", negative(0))) {
  const { status } = await t.api("PUT", `/demo/source/${who.document}`, {
    body: { name: who.name, document_type: "resident_id", phones: [who.phone], items: health },
  });
  assert.equal(status, 204);
}

const identity = (who) => ({
  name: who.name,
  document_type: "resident_id",
  document_number: who.document,
  phone: who.phone,
});

async function confirmed(t, who, started) {
  assert.equal(started.status, 202, JSON.stringify(started.json));
  const path = `/api/v1/verifications/${started.json.verification_id}/confirm`;
  const answer = await t.api("POST", path, { body: { code: await t.code(who.phone) } });
  assert.equal(answer.status, 200);
  return answer.json;
}

/** Signs in by the interface: a token. */
export async function token(t, who) {
  await put(t, who);
  return (await confirmed(t, who, await t.api("POST", "/api/v1/sign-in", { body: identity(who) }))).token;
}

/** A register of `who`: its id and code. */
export async function register(t, who, organisation = "青禾实验小学", more = []) {
  const made = await t.api("POST", "/api/v1/registers", {
    token: await token(t, who),
    body: {
      organisation,
      contact: "010-62345678",
      street_code: "110108011",
      purpose: "2026 年秋季学期师生健康登记",
      items: [
        { item: "health_code", required: true },
        { item: "nucleic_acid", required: true },
        { item: "vaccination", required: false },
        ...more.map((item) => ({ item, required: true })),
      ],
      requirements: [
        { item: "health_code", allowed: ["green"] },
        { item: "nucleic_acid", max_days: 3 },
      ],
      departments: ["三年级组", "后勤"],
    },
  });
  assert.equal(made.status, 201);
  return made.json;
}

/** Joins by the interface; what the confirmation told. */
export async function member(t, code, who, { health, department = "三年级组", sharing = "details", more = [] } = {}) {
  await put(t, who, health);
  const { consent } = (await t.api("GET", `/api/v1/join/${code}`)).json;
  const started = await t.api("POST", `/api/v1/join/${code}`, {
    body: {
      ...identity(who),
      department,
      consent: { accepted: true, version: consent.version, items: ["health_code", "nucleic_acid", "vaccination", ...more], sharing },
    },
  });
  return confirmed(t, who, started);
}

export async function fill(page, who) {
  await page.fill('[name="name"]', who.name);
  await page.fill('[name="document_number"]', who.document);
  await page.fill('[name="phone"]', who.phone);
}

export async function newest(t, who) {
  const [message] = await t.sms(who.phone);
  return message?.at ?? 0;
}

export const go = (page) => page.click("main form button.main");

/** Signs in on the pages. */
export async function signIn(t, page, who, how = {}) {
  if (!page.url().includes("/sign-in")) await page.goto("/sign-in");
  await seen(page, "sign-in", how);
  const before = await newest(t, who);
  await fill(page, who);
  await go(page);
  await page.waitForSelector('[name="code"]');
  await seen(page, "code", how);
  await page.fill('[name="code"]', await t.code(who.phone, before));
  await go(page);
  await page.waitForURL((url) => !/\/(verify|sign-in)$/.test(url.pathname));
}

/** Chooses and consents on a register's preview. */
export async function consent(page) {
  for (const box of await page.locator('input[type="checkbox"][name="items"]').all()) await box.check();
  await page.check('[name="sharing"][value="details"]');
  await page.check('[name="accepted"]');
  await go(page);
}

/** Joins on the pages, up to the receipt. */
export async function join(t, page, code, who) {
  await page.goto(`/j/${code}`);
  await consent(page);
  const before = await newest(t, who);
  await fill(page, who);
  await go(page);
  await page.fill('[name="code"]', await t.code(who.phone, before));
  await go(page);
  await page.waitForURL(/\/joined$/);
}
