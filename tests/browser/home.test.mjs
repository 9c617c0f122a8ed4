import assert from "node:assert/strict";
import { DESKTOP, PHONE, picture, sound } from "./lib.mjs";

export async function the_home_page_fits_every_screen_with_and_without_scripts(t) {
  for (const width of [PHONE, DESKTOP]) {
    for (const scripts of [true, false]) {
      for (const dark of [false, true]) {
        const page = await t.page({ width, scripts, dark });
        const answer = await page.goto("/");
        assert.equal(answer.status(), 200);
        assert.match(await page.textContent("body"), /团体簿/);
        await sound(page);
        if (scripts) await picture(page, `home-${width}-${dark ? "dark" : "light"}`);
      }
    }
  }
}
