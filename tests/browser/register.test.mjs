// A register with a member in every state, as its administrator sees it.
import assert from "node:assert/strict";
import { seen } from "./checks.mjs";
import { ago, items, member, negative, person, register, signIn } from "./steps.mjs";
import { DESKTOP, PHONE } from "./lib.mjs";

const OWNER = person("周岚", "19750303", 700);
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

export async function the_list_puts_those_who_need_action_first_and_filters_by_every_count(t) {
  const book = await register(t, OWNER);
  for (const [n, [name, health, sharing]] of MEMBERS.entries()) {
    const who = person(name, `198${n % 10}0${1 + (n % 9)}12`, 720 + n);
    await member(t, book.code, who, { health, sharing, department: n % 3 ? "三年级组" : "后勤" });
  }
  for (const [width, dark, locale] of [
    [PHONE, false, "zh-CN"],
    [PHONE, true, "zh-CN"],
    [DESKTOP, false, "zh-CN"],
    [DESKTOP, true, "zh-CN"],
    [DESKTOP, false, "en-GB"],
    [PHONE, false, "en-GB"],
  ]) {
    const page = await t.page({ width, dark, locale, scripts: !dark });
    await signIn(t, page, OWNER);
    await page.goto(`/registers/${book.id}`);
    const names = await page.locator('main a[href*="/members/"]').allTextContents();
    const place = (name) => names.findIndex((text) => text.includes(name));
    assert.ok(place("赵磊") < place("孙丽") && place("孙丽") < place("王小萌"), names.join());
    const text = await page.textContent("main");
    const words = ["不符合", "明天到期", "仅显示是否符合", "无记录", "阳性", "集中观察", "弹窗", "不适宜接种"];
    for (const word of locale === "zh-CN" ? words : []) assert.ok(text.includes(word), word);
    await seen(page, "register", { thorough: !dark });
    await page.goto(`/registers/${book.id}?verdict=expires_tomorrow`);
    const filtered = await page.textContent("table");
    assert.ok(filtered.includes("孙丽") && !filtered.includes("赵磊"));
    await seen(page, "register-filtered", { thorough: !dark });
    await page.goto(`/registers/${book.id}/filter`);
    await seen(page, "filter-full", { thorough: !dark });
    await page.goto(`/registers/${book.id}`);
    await page.click('main a:has-text("赵磊")');
    await seen(page, "member-fails", { thorough: !dark });
    await page.goto(`/registers/${book.id}/code`);
    await seen(page, "code-page", { thorough: !dark });
  }
}
