// node tests/browser/run.mjs PROGRAM [--pictures FOLDER] [--only PATTERN]
//
// Starts `PROGRAM demo` on a free port with an empty folder, opens Debian's Chromium on it and runs what
// every *.test.mjs beside this file exports. Fails when a test fails, and when there was none.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, open } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { weights } from "./checks.mjs";
import { Test } from "./lib.mjs";

const TEST_SECONDS = 120;
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
// One address and a few people do what a city's would: the limits that a walk would meet are lifted. Those of
// mismatches stay, as the walk of the errors meets them.
const LIMITS = ["POSTS_ADDRESS", "CONFIRMS_ADDRESS", "SMS_PHONE", "READS_SESSION", "CREATIONS_PERSON"];
const ENVIRONMENT = {
  ...Object.fromEntries(LIMITS.map((name) => [`TUANTIBU_LIMITS__${name}`, "1000000"])),
  // As on a phone's network, so that the code is one to print; the browser comes by the loopback address.
  TUANTIBU_SERVER__PUBLIC_URL: "http://192.168.1.5:8080",
};
const CHROMIUM_ARGUMENTS = [
  "--no-sandbox", // it refuses root otherwise; it opens only our own pages
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  // No call home: the tests run without a network, and assert on every request.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--no-proxy-server",
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { pictures: { type: "string" }, only: { type: "string" } },
});
if (positionals.length !== 1) {
  console.error("usage: node tests/browser/run.mjs PROGRAM [--pictures FOLDER] [--only PATTERN]");
  process.exit(2);
}

const cleanups = [];
async function cleanUp() {
  while (cleanups.length > 0) await cleanups.pop()();
}
for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.once(signal, () => cleanUp().finally(() => process.exit(status)));
}

let failed = true;
try {
  failed = await main(resolve(positionals[0]));
} catch (error) {
  console.error(error);
} finally {
  await cleanUp();
}
process.exit(failed ? 1 : 0);

async function main(program) {
  if (!CHROMIUM) throw new Error("Chromium is missing: run tests/tools/install.sh");
  const here = fileURLToPath(new URL(".", import.meta.url));
  const modules = (await readdir(here)).filter((name) => name.endsWith(".test.mjs")).sort();
  const tests = [];
  for (const name of modules) {
    for (const [title, run] of Object.entries(await import(join(here, name)))) {
      if (typeof run === "function" && (!options.only || `${name} ${title}`.match(options.only))) {
        tests.push({ title: `${name.replace(".test.mjs", "")}: ${title.replaceAll("_", " ")}`, run });
      }
    }
  }

  const folder = await mkdtemp(join(tmpdir(), "tuantibu-browser-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const base = await startDemo(program, join(folder, "demo"));
  // Those of a test that asks for another address.
  const demos = new Map();
  const demo = (host) => {
    if (!demos.has(host)) demos.set(host, startDemo(program, join(folder, host), host));
    return demos.get(host);
  };
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: CHROMIUM_ARGUMENTS,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  cleanups.push(() => browser.close());

  let passed = 0;
  const failures = [];
  for (const { title, run } of tests) {
    const test = new Test({ browser, base, demo, pictures: options.pictures && resolve(options.pictures) });
    const start = performance.now();
    try {
      await within(TEST_SECONDS, run(test));
      test.clean();
      passed += 1;
      console.log(`ok   ${title} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      failures.push(title);
      console.log(`FAIL ${title}\n${error.stack ?? error}${test.faults.map((fault) => `\n  seen: ${fault}`).join("")}`);
    } finally {
      await test.close();
    }
  }
  const [[name, most] = []] = [...weights].sort(([, one], [, other]) => other - one);
  if (name) console.log(`the heaviest of ${weights.size} pages, uncompressed: ${name}, ${most} bytes`);
  if (tests.length === 0) console.log("no test was found");
  console.log(`${passed} passed, ${failures.length} failed`);
  return failures.length > 0 || tests.length === 0;
}

/** A demo in a folder of its own; with a host, under that address alone. */
async function startDemo(program, folder, host) {
  await mkdir(folder);
  const log = join(folder, "demo.log");
  const out = await open(log, "w");
  const port = await freePort();
  const base = `http://${host ?? "127.0.0.1"}:${port}`;
  const demo = spawn(program, ["demo", "--listen", `127.0.0.1:${port}`, "--data", join(folder, "data")], {
    stdio: ["ignore", out.fd, out.fd],
    env: { ...process.env, ...ENVIRONMENT, ...(host ? { TUANTIBU_SERVER__PUBLIC_URL: base } : {}) },
  });
  const ended = once(demo, "exit");
  // It may not even start; then the wait below tells.
  ended.catch(() => {});
  cleanups.push(async () => {
    if (demo.exitCode === null && demo.signalCode === null && demo.pid) {
      demo.kill("SIGTERM");
      const timer = setTimeout(() => demo.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    }
    await out.close();
  });
  let broken;
  demo.on("error", (error) => (broken = error));
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (broken) throw new Error(`${program} does not start: ${broken.message}`);
    if (demo.exitCode !== null) break;
    const answer = await fetch(`${base}/readyz`).catch(() => null);
    if (answer?.ok) return base;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`the demo is not ready; it said:\n${(await readFile(log, "utf8")).slice(-4000)}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function within(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
