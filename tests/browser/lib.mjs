// What the browser tests share. A test module exports async functions, each a test named by its name:
//
//   export async function a_member_joins(t) {
//     const page = await t.page({ width: 390, scripts: false });
//     await page.goto("/");
//     await picture(page, "home");
//     await fits(page);
//   }
//
// Every page is watched: an error on its console, a breach of its Content-Security-Policy, an uncaught
// exception, or a request to another host fails the test that opened it.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

export const PHONE = 390;
export const DESKTOP = 1280;

// Runs before a page's own scripts: breaches are reported as events, and some never reach the console.
const REPORT_BREACHES = () => {
  addEventListener("securitypolicyviolation", (event) => {
    console.error(`CSP: ${event.effectiveDirective} blocked ${event.blockedURI || "inline"}`);
  });
};

/** What one test gets: pages of the server under test, and what was seen wrong on them. */
export class Test {
  constructor({ browser, base, demo, pictures }) {
    this.browser = browser;
    this.base = base;
    this.startDemo = demo;
    this.pictures = pictures;
    this.contexts = [];
    // What each page was opened with: its language, and whether it is dark.
    this.options = new Map();
    this.faults = [];
  }

  /**
   * A new page in a browser profile of its own, so that two pages are two people.
   * `tolerate` lists patterns of console errors that this page may have, as Chromium itself prints one for
   * every answer of 400 and above.
   */
  async page({
    width = PHONE,
    height = width >= 1000 ? 900 : 844,
    scripts = true,
    dark = false,
    locale = "zh-CN",
    tolerate = [],
    ...more
  } = {}) {
    const context = await this.browser.newContext({
      baseURL: this.base,
      viewport: { width, height },
      hasTouch: width < 1000,
      javaScriptEnabled: scripts,
      colorScheme: dark ? "dark" : "light",
      locale,
      timezoneId: "Asia/Shanghai",
      reducedMotion: "reduce",
      serviceWorkers: "block",
      ...more,
    });
    this.contexts.push(context);
    context.setDefaultTimeout(15_000);
    if (scripts) await context.addInitScript(REPORT_BREACHES);
    const own = new URL(this.base).origin;
    // Nothing outside the server under test is ever reached; that it was tried is the fault.
    await context.route(
      (url) => !["data:", "blob:", "about:"].includes(url.protocol) && url.origin !== own,
      (route) => {
        this.faults.push(`a request to another host: ${route.request().url()}`);
        return route.abort();
      },
    );
    const page = await context.newPage();
    page.test = this;
    this.options.set(page, { lang: locale === "zh-CN" ? locale : locale.slice(0, 2), dark, scripts });
    page.on("console", (message) => {
      const text = message.text();
      if (message.type() === "error" && !tolerate.some((pattern) => pattern.test(text))) {
        this.faults.push(`the console of ${path(message.location().url || page.url())}: ${text}`);
      }
    });
    page.on("pageerror", (error) => this.faults.push(`an exception on ${path(page.url())}: ${error}`));
    return page;
  }

  /** Goes on with a demo under another address, which tests share; before the first page. */
  async demo(host) {
    this.base = await this.startDemo(host);
  }

  /** The newest messages to a phone, as the demo shows them: [{phone, text, code, at}]. */
  async sms(phone) {
    const answer = await fetch(`${this.base}/demo/sms?phone=${encodeURIComponent(phone)}`, {
      headers: { accept: "application/json" },
    });
    assert.equal(answer.status, 200, "/demo/sms");
    return answer.json();
  }

  /** The code of the newest message to a phone; waits for one newer than `after`, a message's `at`. */
  async code(phone, after = 0) {
    for (let tries = 0; tries < 50; tries += 1) {
      const [newest] = await this.sms(phone);
      if (newest?.code && newest.at > after) return newest.code;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new assert.AssertionError({ message: `no code was sent to ${phone}` });
  }

  /** A request of the API: the status and the JSON of its answer. */
  async api(method, where, { token, body } = {}) {
    const answer = await fetch(`${this.base}${where}`, {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: "manual",
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, json: text ? JSON.parse(text) : null };
  }

  /** Whether anything went wrong on any page so far; the runner asks after every test. */
  clean() {
    assert.deepEqual(this.faults, [], "the pages of this test");
  }

  async close() {
    for (const context of this.contexts) await context.close();
  }
}

/** Nothing scrolls sideways, and nothing is cut off at the right edge. */
export async function fits(page) {
  const { width, content, out } = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.body.querySelectorAll("*")]
      .filter((element) => {
        const box = element.getBoundingClientRect();
        if (box.width === 0 || box.right <= width + 1) return false;
        // What scrolls or hides within a box of its own does not widen the page.
        for (let at = element.parentElement; at; at = at.parentElement) {
          if (getComputedStyle(at).overflowX !== "visible") return false;
        }
        return true;
      })
      .slice(0, 5)
      .map((element) => element.outerHTML.slice(0, 120));
    return { width, content: document.documentElement.scrollWidth, out };
  });
  assert.ok(content <= width && out.length === 0, `${path(page.url())} is ${content} px wide in ${width} px: ${out.join("\n")}`);
}

// The pictures that the README and the documents show; `PICTURES_ALL=1` writes those of every page.
const SHOWN = new Set([
  "home-390", "sign-in-390", "code-390", "join-preview-390", "join-no-consent-390", "join-identity-390-dark",
  "joined-390", "me-390", "access-log-390", "leave-390", "left-390", "register-390", "register-390-dark",
  "register-1280", "register-1280-dark", "member-390", "export-390", "code-page-390", "code-page-1280",
  "poster-1280", "en-register-1280", "mismatch-390",
]);

/** Saves the whole page as NAME.png where pictures were asked for; else does nothing. */
export async function picture(page, name) {
  const { pictures } = page.test;
  if (!pictures || !(SHOWN.has(name) || process.env.PICTURES_ALL)) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true, animations: "disabled" });
}

// Without its query: a message of a failed test is no place for what a query may hold.
export function path(url) {
  return URL.canParse(url) ? new URL(url).pathname : url;
}
