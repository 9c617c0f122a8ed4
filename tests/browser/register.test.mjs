// A register with a member in every state, as its administrator sees it.
import assert from "node:assert/strict";
import { DESKTOP, PHONE, picture, sound } from "./lib.mjs";

const DAY = 24 * 60 * 60 * 1000;
const OWNER = person("周岚", "19750303", 1);

/** An invented person with a resident number of area 110100, which is issued to nobody. */
function person(name, born, n) {
  const body = `110100${born}${String(700 + n).padStart(3, "0")}`;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = [...body].reduce((all, digit, at) => all + Number(digit) * weights[at], 0);
  return { name, document: body + "10X98765432"[sum % 11], phone: `1390000${String(1000 + n)}` };
}

function ago(days) {
  return new Date(Date.now() - days * DAY).toISOString();
}

const negative = (days) => ({ result: "negative", sampled_at: ago(days) });
const booster = { value: "booster", doses: 3, last_on: "2022-03-01" };
const items = (code, test, vaccination = booster) => ({
  health_code: { value: code },
  ...(test ? { nucleic_acid: test } : {}),
  vaccination,
});

const MEMBERS = [
  ["赵磊", items("red", { result: "positive", sampled_at: ago(1) })],
  ["周建国", items("yellow", negative(5), { value: "complete", doses: 2 })],
  ["阿依古丽·买买提", items("popup", negative(4))],
  ["陈思远", items("green", negative(6)), "verdict"],
  ["刘洋", items("green", null)],
  ["孙丽", items("green", negative(3))],
  ["王小萌", items("green", negative(1))],
  ["何静", items("green", negative(0), { value: "unsuitable" })],
  ["Nguyễn Văn An", items("green", negative(2))],
  ["吴桂芳", items("green", negative(1), { value: "incomplete", doses: 1 })],
];

async function put(t, who, health) {
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
  const code = await t.code(who.phone);
  const path = `/api/v1/verifications/${started.json.verification_id}/confirm`;
  const answer = await t.api("POST", path, { body: { code } });
  assert.equal(answer.status, 200);
  return answer.json.token;
}

async function filled(t) {
  await put(t, OWNER, items("green", negative(0)));
  const token = await confirmed(t, OWNER, await t.api("POST", "/api/v1/sign-in", { body: identity(OWNER) }));
  const made = await t.api("POST", "/api/v1/registers", {
    token,
    body: {
      organisation: "青禾实验小学",
      contact: "010-62345678",
      street_code: "110108011",
      purpose: "2026 年秋季学期师生健康登记",
      items: [
        { item: "health_code", required: true },
        { item: "nucleic_acid", required: true },
        { item: "vaccination", required: false },
      ],
      requirements: [
        { item: "health_code", allowed: ["green"] },
        { item: "nucleic_acid", max_days: 3 },
      ],
      departments: ["三年级组", "后勤"],
    },
  });
  assert.equal(made.status, 201);
  const { consent } = (await t.api("GET", `/api/v1/join/${made.json.code}`)).json;
  for (const [n, [name, health, sharing]] of MEMBERS.entries()) {
    const who = person(name, `198${n % 10}0${1 + (n % 9)}12`, 20 + n);
    await put(t, who, health);
    const started = await t.api("POST", `/api/v1/join/${made.json.code}`, {
      body: {
        ...identity(who),
        department: n % 3 ? "三年级组" : "后勤",
        consent: {
          accepted: true,
          version: consent.version,
          items: ["health_code", "nucleic_acid", "vaccination"],
          sharing: sharing ?? "details",
        },
      },
    });
    assert.equal(started.status, 202, JSON.stringify(started.json));
    await confirmed(t, who, started);
  }
  return made.json.id;
}

export async function the_list_puts_those_who_need_action_first_and_filters_by_every_count(t) {
  const id = await filled(t);
  for (const width of [PHONE, DESKTOP]) {
    for (const dark of [false, true]) {
      const page = await t.page({ width, dark, scripts: false });
      await page.goto("/sign-in");
      const before = (await t.sms(OWNER.phone))[0].at;
      await page.fill('[name="name"]', OWNER.name);
      await page.fill('[name="document_number"]', OWNER.document);
      await page.fill('[name="phone"]', OWNER.phone);
      await page.click("main form button.main");
      await page.fill('[name="code"]', await t.code(OWNER.phone, before));
      await page.click("main form button.main");
      await page.goto(`/registers/${id}`);
      const text = await page.textContent("main");
      const names = await page.locator('main a[href*="/members/"]').allTextContents();
      const place = (name) => names.findIndex((text) => text.includes(name));
      assert.ok(place("赵磊") < place("孙丽") && place("孙丽") < place("王小萌"), names.join());
      for (const word of ["不符合", "明天到期", "仅显示是否符合", "无记录", "阳性", "集中观察", "弹窗", "不适宜接种"]) {
        assert.ok(text.includes(word), word);
      }
      await sound(page);
      await picture(page, `register-${width}${dark ? "-dark" : ""}`);
      await page.goto(`/registers/${id}?verdict=expires_tomorrow`);
      const filtered = await page.textContent("main");
      assert.ok(filtered.includes("孙丽") && !filtered.includes("赵磊"));
      await page.goto(`/registers/${id}/code`);
      await sound(page);
      await picture(page, `code-page-${width}${dark ? "-dark" : ""}`);
    }
  }
}
