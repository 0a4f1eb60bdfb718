import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { QueueTickets } from "./queue-ticket.ts";

const withSecret = (secret: string): QueueTickets =>
  new QueueTickets({ mac: (text) => createHmac("sha256", secret).update(text).digest("base64url") });
const tickets = withSecret("of the fleet");
const holder = { key: "k1", filterKey: "eu", seats: 1 };
const NOW = 1_790_000_000_000;
const PATIENCE_MS = 15_000;

describe("QueueTickets", () => {
  const ticket = tickets.write(holder, NOW - 60_000, NOW);
  const read = (text: string, by = holder, at = NOW): number | undefined => tickets.read(text, by, PATIENCE_MS, at);

  it("say since when somebody waits, at any balancer of the fleet", () => {
    assert.equal(read(ticket), NOW - 60_000);
    assert.equal(withSecret("of the fleet").read(ticket, holder, PATIENCE_MS, NOW + 2000), NOW - 60_000);
  });

  it("are not good for another key, filter, size, or fleet", () => {
    assert.equal(read(ticket, { ...holder, key: "k2" }), undefined);
    assert.equal(read(ticket, { ...holder, filterKey: "us" }), undefined);
    assert.equal(read(ticket, { ...holder, seats: 2 }), undefined);
    assert.equal(withSecret("of others").read(ticket, holder, PATIENCE_MS, NOW), undefined);
  });

  it("cannot be saved up, nor come from the future", () => {
    assert.equal(read(ticket, holder, NOW + PATIENCE_MS), NOW - 60_000);
    assert.equal(read(ticket, holder, NOW + PATIENCE_MS + 1), undefined);
    assert.equal(read(ticket, holder, NOW - 6000), undefined);
  });

  it("cannot be changed in any character", () => {
    for (let i = 0; i < ticket.length; i++) {
      const changed = ticket[i] === "a" ? "b" : "a";
      assert.equal(read(ticket.slice(0, i) + changed + ticket.slice(i + 1)), undefined, `character ${i}`);
    }
  });

  it("are refused, not thrown at, when they are garbage", () => {
    const part = fc.array(fc.constantFrom("0", "9", "a", "z", "-", "_", ".")).map((letters) => letters.join(""));
    const garbage = fc.oneof(
      fc.string(),
      fc.tuple(part, part, part).map((parts) => parts.join(".")),
    );
    fc.assert(
      fc.property(garbage, (text) => read(text) === undefined),
      { seed: 81, numRuns: 300 },
    );
    assert.equal(read("1.1.".padEnd(100_000, "a")), undefined);
  });
});
