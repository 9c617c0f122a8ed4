// An owner invites an administrator, who signs in, accepts and sees the list; then the register is handed over:
// on a phone and on a desktop, with and without scripts.
import assert from "node:assert/strict";
import { seen } from "./checks.mjs";
import { DESKTOP, PHONE } from "./lib.mjs";
import { go, member, newest, person, put, REFUSED, register, signIn } from "./steps.mjs";

const main = (page) => page.textContent("main");
const linkOn = async (page) => new URL((await page.textContent(".address")).trim()).pathname;

/** Types the code that was sent since `before`, and gets the link. */
async function link(t, page, who, before, name, how) {
  await page.waitForURL(/administrators\/code$/);
  await seen(page, `${name}-code`, how);
  await page.fill('[name="code"]', "000000");
  await go(page);
  await seen(page, `${name}-code-wrong`, how);
  await page.fill('[name="code"]', await t.code(who.phone, before));
  await go(page);
  await page.waitForSelector(".address");
  await seen(page, `${name}-link`, how);
  assert.ok(await page.isVisible(".qr svg"));
  return linkOn(page);
}

let walks = 0;
async function walk(t, { thorough = false, ...options }) {
  const how = { thorough };
  walks += 1;
  const [owner, invited, joined] = ["周岚", "韩雪", "马超"].map((name, n) => person(name, `197${n}0404`, 900 + 10 * walks + n));
  for (const who of [owner, invited]) await put(t, who);
  const organisation = `青禾实验小学第${walks}校区`;
  const book = await register(t, owner, organisation);
  await member(t, book.code, joined);
  const list = `/registers/${book.id}/administrators`;

  const page = await t.page({ ...options, tolerate: REFUSED });
  await page.goto(list);
  await signIn(t, page, owner);
  await page.waitForURL(new RegExp(`${list}$`));
  await seen(page, "administrators", how);
  await page.click("main a.button.main");
  await seen(page, "invite", how);
  await page.check('[name="departments"][value="1"]');
  let before = await newest(t, owner);
  await go(page);
  const first = await link(t, page, owner, before, "invite", how);
  await page.click("main a.button.main");
  await seen(page, "administrators-invited", how);
  assert.ok(!(await page.content()).includes(first), "the link is shown once");

  const other = await t.page({ ...options, tolerate: REFUSED });
  await other.goto(first);
  await seen(other, "invitation", how);
  assert.ok((await main(other)).includes(organisation) && (await main(other)).includes("后勤"));
  assert.ok(!(await other.content()).includes(owner.name), "who invites is masked");
  await other.click("main a.button.main");
  await signIn(t, other, invited);
  await other.waitForURL(new RegExp(`${first}$`));
  await seen(other, "invitation-signed-in", how);
  await go(other);
  await seen(other, "accepted", how);
  await other.click("main a.button.main");
  assert.ok((await main(other)).includes(organisation));
  assert.ok(!(await main(other)).includes("马超"), "of another department");
  await other.goto(list);
  assert.ok((await main(other)).includes(owner.name), "administrators see one another");
  await seen(other, "administrators-of-a-co-administrator", how);
  assert.equal((await other.goto(first)).status(), 410);
  await seen(other, "invitation-ended", how);

  await page.goto(list);
  assert.ok((await main(page)).includes(invited.name));
  await page.click('main a[href$="/hand-over"]');
  await seen(page, "hand-over", how);
  before = await newest(t, owner);
  await go(page);
  const second = await link(t, page, owner, before, "hand-over", how);
  assert.equal((await page.goto(second)).status(), 200);
  await go(page);
  await seen(page, "own-invitation", how);
  await other.goto(second);
  await seen(other, "invitation-to-own", how);
  await go(other);
  await seen(other, "accepted-owner", how);
  await other.goto(list);
  await seen(other, "administrators-handed-over", how);

  const own = page.locator('main a[href$="/remove"]');
  await page.goto(list);
  assert.equal(await own.count(), 1, "oneself alone");
  await own.click();
  await seen(page, "resign", how);
  await page.goto("/me");
  await other.click('main a[href$="/remove"]');
  await seen(other, "remove-administrator", how);
  await other.click("main form .grave.main");
  await seen(other, "administrator-removed", how);
  assert.equal((await page.goto(list)).status(), 404);

  const told = await t.page({ ...options });
  await told.goto(`/j/${book.code}`);
  await seen(told, "join-preview-handed-over", how);
  await told.goto("/sign-in");
  await signIn(t, told, joined);
  await told.goto("/me");
  assert.match(await main(told), /换了管理员/, "members are told");
  await seen(told, "me-handed-over", how);
}

export async function administrators_on_a_phone(t) {
  await walk(t, { width: PHONE, thorough: true });
}

export async function administrators_on_a_desktop_without_scripts(t) {
  await walk(t, { width: DESKTOP, scripts: false });
}

export async function administrators_on_a_desktop(t) {
  await walk(t, { width: DESKTOP, thorough: true });
}

export async function other_sessions_are_ended_on_a_shared_computer(t) {
  const who = person("冯涛", "19740909", 990);
  await put(t, who);
  const [old, page] = [await t.page({ width: DESKTOP }), await t.page({ width: PHONE })];
  for (const own of [old, page]) await signIn(t, own, who);
  await page.goto("/me/sessions");
  await seen(page, "sessions-two", { thorough: true });
  await page.click('form[action="/me/sessions/others"] button');
  await page.waitForURL(/ended=others$/);
  await seen(page, "sessions-ended", { thorough: true });
  await old.goto("/me");
  assert.match(old.url(), /sign-in/);
}
