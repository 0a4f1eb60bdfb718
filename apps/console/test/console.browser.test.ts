/**
 * The console as an operator meets it: a demo fleet, and a page in a browser that signs in, looks at the map, drains a node,
 * tries, applies and rolls back a setting, and asks where somebody would go.
 *
 * `KEEP_PICTURE=1` writes docs/images/console.png.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { launch } from "puppeteer-core";
import { signOperatorToken } from "@riposte/fleet";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import { buildConsole } from "../src/build-console.ts";
import { DemoFleet } from "../src/demo-fleet.ts";

const IMAGE = fileURLToPath(new URL("../../../docs/images/console.png", import.meta.url));
const ZURICH = "129.132.0.1";
const isKept = process.env.KEEP_PICTURE === "1";
const peer = peerOrSkip("chromium");
const firefox = peerOrSkip("firefox-esr");

async function signIn(target: Page, token: string): Promise<void> {
  await target.getByLabel("Operator's token").fill(token);
  await target.keyboard.press("Enter");
}

describe("the console in a browser", { skip: peer.skip }, () => {
  let fleet: DemoFleet;
  let browser: Browser;
  let page: Page;
  const troubles: string[] = [];
  /** Of requests, other than the balancer's. */
  const foreign: string[] = [];

  async function open(): Promise<Page> {
    const opened = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    opened.on("pageerror", (error) => troubles.push(error.stack ?? error.message));
    opened.on("console", (message) => {
      if (message.type() === "error") troubles.push(message.text());
    });
    opened.on("request", (request) => {
      if (!request.url().startsWith(fleet.url)) foreign.push(request.url());
    });
    await opened.goto(`${fleet.url}/console/`);
    return opened;
  }

  async function show(view: "Map" | "Nodes" | "Configuration" | "Explain"): Promise<void> {
    await page.getByRole("navigation").getByRole("link", { name: view }).click();
  }

  function stateOf(node: string): Promise<string | null> {
    return page.locator(`[data-node="${node}"] .badge`).textContent();
  }

  before(async () => {
    await buildConsole();
    fleet = await DemoFleet.open({ port: 0, playersAtFirst: isKept ? 1500 : 200 });
    browser = await chromium.launch({ executablePath: peer.path, args: ["--no-sandbox"] });
    page = await open();
  });

  after(async () => {
    await browser?.close();
    await fleet?.[Symbol.asyncDispose]();
  });

  it("lets in who has a token, and says what is wrong with another one", async () => {
    await signIn(page, "nonsense");
    await page.getByText("That is no token").waitFor();
    const strange = await signOperatorToken({
      issuer: "riposte-operators",
      audience: "riposte-balancer",
      secret: new Uint8Array(32),
      subject: "mallory",
      scopes: ["fleet:read"],
      lifetimeSeconds: 60,
      wallNow: Date.now(),
    });
    await signIn(page, strange);
    await page.getByText("not signed with a key that is trusted here").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    troubles.length = 0; // The browser writes down each 401.
    await signIn(page, fleet.token);
    await page.getByText("demo · alone · store connected").waitFor();
    await page.reload();
    await page.getByText("demo · alone · store connected").waitFor();
  });

  it("shows regions and where players come from, with whom to credit", async () => {
    await page.locator("[data-region]").nth(11).waitFor();
    assert.equal(await page.locator("[data-region]").count(), 12);
    const central = page.locator('[data-region="eu-central"]');
    assert.match(
      (await central.getAttribute("aria-label")) ?? "",
      /^eu-central: [\d,]+ of 672 seats in use, 5 nodes ready$/,
    );
    assert.ok((await page.locator(".origins circle").count()) > 20);
    await central.focus();
    await page.locator(".tip").getByText("Nodes maintenance").waitFor();
    assert.ok((await page.locator(".ways path").count()) > 0, "ways of who was sent there");
    assert.equal(
      await page.getByRole("link", { name: "IP Geolocation by DB-IP" }).getAttribute("href"),
      "https://db-ip.com",
    );
    const played = Number((await page.locator(".figure b").first().textContent())?.replace(",", ""));
    assert.ok(Math.abs(played - fleet.playing) < 60, `${played} are shown, ${fleet.playing} play`);
    if (isKept) {
      await page.mouse.move(5, 5);
      await central.blur();
      await page.getByLabel("ways to regions").check();
      await page.waitForTimeout(8000);
      await writeFile(IMAGE, await page.screenshot());
    }
  });

  it("drains a node after asking, and resumes it", async () => {
    await show("Nodes");
    await page.locator('[data-node="eu-west-2"]').waitFor();
    assert.equal(await stateOf("eu-west-2"), "ready");
    const drain = page.locator('[data-node="eu-west-2"] [data-command="drain"]');
    await drain.click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    assert.equal(fleet.server.balancer.nodes({ region: "eu-west", state: "draining" }).length, 0);
    await drain.click();
    await page.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
    await page.getByText("eu-west-2 is draining.").waitFor();
    await page.waitForFunction(
      () => document.querySelector('[data-node="eu-west-2"] .badge')?.textContent === "draining",
    );
    assert.equal(fleet.server.balancer.nodes({ region: "eu-west", state: "draining" })[0].id, "eu-west-2");
    await page.locator('[data-node="eu-west-2"] [data-command="resume"]').click();
    await page.getByRole("dialog").getByRole("button", { name: "Resume" }).click();
    await page.waitForFunction(() => document.querySelector('[data-node="eu-west-2"] .badge')?.textContent === "ready");
  });

  it("filters and sorts nodes, and registers one by hand", async () => {
    await page.getByLabel("Search").fill("1.9.1 ap-");
    assert.equal(await page.locator("[data-node]").count(), 4);
    await page.getByLabel("Search").fill("");
    await page.getByLabel("Region").selectOption("sa-east");
    await page.waitForFunction(() => document.querySelectorAll("[data-node]").length === 3);
    await page.getByRole("button", { name: "Node", exact: true }).click();
    assert.equal(await page.locator("[data-node]").first().getAttribute("data-node"), "sa-east-3");
    await page.getByRole("button", { name: "Register…" }).click();
    const registration = page.getByLabel("Registration");
    await registration.fill((await registration.inputValue()).replaceAll("eu-central", "sa-east"));
    await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
    await page.locator('[data-node="sa-east-99"]').waitFor();
  });

  it("tries a setting on recorded players, applies it and rolls it back", async () => {
    await show("Configuration");
    await page.getByText("Configuration, version 0").waitFor();
    const latency = page.getByLabel("maxLatencyMs");
    await latency.fill("-5");
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.locator(".problem").getByText("-5, must be").waitFor();
    troubles.length = 0; // The browser writes down each 400.
    await latency.fill("45");
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByText(/What would have become of \d+ recorded requests/).waitFor();
    assert.match((await page.locator(".diff").textContent()) ?? "", /routing\.maxLatencyMs 400 → 45/);
    assert.match((await page.locator(".compare").textContent()) ?? "", /Latency, mean\d+(\.\d)? ms\d+/);
    assert.equal(fleet.server.balancer.stats().id, "demo");
    await page.getByLabel("Comment").fill("nearer");
    await page.getByRole("button", { name: "Apply…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
    await page.getByText("Version 1 is in force.").waitFor();
    assert.match((await page.locator('[data-version="1"]').textContent()) ?? "", /in force.*demo, .*nearer/);
    assert.equal(await latency.inputValue(), "45");
    await page.locator('[data-version="0"]').getByRole("button", { name: "Roll back to this" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByText("Version 2 is in force, with the settings of version 0.").waitFor();
    assert.equal(await latency.inputValue(), "400");
  });

  it("explains where an address would be sent", async () => {
    await show("Explain");
    await page.getByLabel("IP address").fill(ZURICH);
    await page.keyboard.press("Enter");
    await page.locator(".chosen b").waitFor();
    assert.match((await page.locator(".answer").textContent()) ?? "", /in eu-central.*Switzerland \(by city/);
    assert.match((await page.locator(".candidates .best").textContent()) ?? "", /^eu-central-\d.*chosen$/);
    assert.match((await page.locator(".candidates").textContent()) ?? "", /it is maintenance, not ready/);
    assert.equal(await page.locator(".explain-view .ways path").count(), 1);
    await page.getByLabel("Only regions").fill("us-east");
    await page.keyboard.press("Enter");
    await page.getByText("in us-east").first().waitFor();
  });

  it("lets who may only read change nothing", async () => {
    const reader = await open();
    const token = await fleet.tokenFor("reader", ["fleet:read"]);
    await signIn(reader, token);
    await reader.locator("[data-region]").first().waitFor();
    await reader.goto(`${fleet.url}/console/#nodes?region=eu-north`);
    await reader.getByText('lacks the scope "fleet:write"').waitFor();
    await reader.waitForFunction(() => document.querySelectorAll("[data-node]").length === 2);
    assert.equal(await reader.locator(".actions button:enabled").count(), 0);
    await reader.close();
  });

  it("works in Firefox, too", { skip: firefox.skip }, async () => {
    const other = await launch({ browser: "firefox", executablePath: firefox.path, headless: true, timeout: 60_000 });
    try {
      const opened = await other.newPage();
      opened.on("pageerror", (error) => troubles.push(String(error)));
      opened.on("console", (message) => {
        if (message.type() === "error") troubles.push(message.text());
      });
      await opened.goto(`${fleet.url}/console/`);
      await opened.type("#token", fleet.token);
      await opened.keyboard.press("Enter");
      await opened.waitForSelector('[data-region="oc-east"]');
      assert.equal(await opened.evaluate(() => document.querySelectorAll("[data-region]").length), 12);
      assert.ok(
        await opened.evaluate(() => (document.querySelector(".land")?.getAttribute("d") ?? "").length > 10_000),
      );
      await opened.goto(`${fleet.url}/console/#explain`);
      await opened.type("#explain-ip", ZURICH);
      await opened.keyboard.press("Enter");
      await opened.waitForSelector(".chosen b");
    } finally {
      await other.close();
    }
  });

  it("keeps its figures and says so when nothing answers, and signs out", async () => {
    await show("Map");
    await page.route("**/v1/stats", (route) => route.abort());
    await page.getByText(/No answer for \d+ s: figures are old/).waitFor();
    assert.equal(await page.locator("[data-region]").count(), 12);
    await page.unroute("**/v1/stats");
    await page.getByText("demo · alone · store connected").waitFor();
    troubles.splice(0, troubles.length, ...troubles.filter((text) => !text.includes("ERR_FAILED")));
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Operator's token").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });

  it("asks nobody but the balancer, and leaves nothing on the browser's console", () => {
    assert.deepEqual(foreign, []);
    assert.deepEqual(troubles, []);
  });
});
