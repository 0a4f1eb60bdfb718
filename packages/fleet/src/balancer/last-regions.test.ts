import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { EmbeddedStore } from "../store/embedded-store.ts";
import { LastRegions } from "./last-regions.ts";

const DAY_MS = 24 * 3600 * 1000;
const partOf = (clientId: string): string => createHash("sha256").update(clientId).digest("hex").slice(0, 2);
const eu = { region: "eu", nodeId: "eu-1" };

describe("LastRegions", () => {
  it("is known to another balancer that asks ahead", async () => {
    await using store = await EmbeddedStore.open();
    const [a, b] = [new LastRegions(store), new LastRegions(store)];
    a.note("77", eu, 0);
    await a.flush();
    assert.equal(b.of("77"), undefined);
    await b.prefetch("77");
    assert.deepEqual([b.of("77")?.region, b.of("77")?.nodeId], ["eu", "eu-1"]);
  });

  it("writes a client again only when it plays elsewhere, or a week later", async () => {
    await using store = await EmbeddedStore.open();
    const regions = new LastRegions(store);
    const revisions: number[] = [];
    for (const [region, day] of [
      ["eu", 0],
      ["eu", 6],
      ["us", 6],
      ["us", 12],
      ["us", 13],
    ] as const) {
      regions.note("77", { region, nodeId: `${region}-${day}` }, day * DAY_MS);
      await regions.flush();
      revisions.push((await store.list("clients/"))[0].revision);
    }
    assert.deepEqual(
      revisions.map((revision) => revision - revisions[0]),
      [0, 0, 1, 1, 2],
    );
  });

  it("removes who has not played for a month, part by part", async () => {
    await using store = await EmbeddedStore.open();
    const regions = new LastRegions(store);
    for (let client = 0; client < 200; client++) regions.note(String(client), eu, client < 150 ? 0 : 20 * DAY_MS);
    await regions.flush();
    assert.equal((await store.list("clients/")).length, 200);
    let removed = 0;
    for (let part = 0; part < 256; part++) removed += await regions.cleanNextPart(31 * DAY_MS);
    assert.equal(removed, 150);
    assert.equal((await store.list("clients/")).length, 50);
  });

  it("removes in one turn what has gathered since the last one", async () => {
    await using store = await EmbeddedStore.open();
    const value = JSON.stringify({ ...eu, day: 1 });
    await Promise.all(Array.from({ length: 10_000 }, (_, i) => store.put(`clients/00/${i}`, value)));
    const regions = new LastRegions(store);
    assert.equal(await regions.cleanNextPart(2 * DAY_MS), 10_000 - 4096);
    assert.equal((await store.list("clients/00/")).length, 4096);
  });

  it("does not crowd the store with clients who may ask", async () => {
    await using store = await EmbeddedStore.open();
    const ids = Array.from({ length: 50 }, (_, i) => String(i));
    for (const id of ids) await store.put(`clients/${partOf(id)}/${id}`, JSON.stringify({ ...eu, day: 1 }));
    const regions = new LastRegions(store);
    const known = (): number => ids.filter((id) => regions.of(id) !== undefined).length;
    await Promise.all(ids.map((id) => regions.prefetch(id)));
    assert.equal(known(), 16);
    for (const id of ids) await regions.prefetch(id);
    assert.equal(known(), 50);
  });

  it("drops the oldest of a part that is too full", async () => {
    await using store = await EmbeddedStore.open();
    for (let i = 0; i < 4200; i++) await store.put(`clients/00/${i}`, JSON.stringify({ ...eu, day: i === 7 ? 0 : 1 }));
    const regions = new LastRegions(store);
    assert.equal(await regions.cleanNextPart(2 * DAY_MS), 104);
    assert.equal(await store.get("clients/00/7"), undefined);
  });
});
