import assert from "node:assert/strict";
import { it } from "node:test";
import { AuditLog } from "./audit-log.ts";
import type { AuditEntry, AuditLogOptions } from "./audit-log.ts";

const entry: AuditEntry = {
  actor: { subject: "ann", address: "10.0.0.1" },
  action: "nodes.drain",
  outcome: "done",
  target: "fra-1",
};

function logTo(lines: string[], options: Partial<AuditLogOptions> = {}): AuditLog {
  return new AuditLog({ sink: { write: (line) => lines.push(line) }, wallNow: () => 1000, ...options });
}

it("writes one line of JSON for each action, whatever is in it", () => {
  const lines: string[] = [];
  logTo(lines).write({ ...entry, detail: `a\nb${"x".repeat(1000)}` });
  assert.equal(lines.length, 1);
  assert.equal(lines[0].indexOf("\n"), lines[0].length - 1);
  const { detail, ...rest } = JSON.parse(lines[0]);
  assert.deepEqual(rest, {
    at: "1970-01-01T00:00:01.000Z",
    actor: "ann",
    address: "10.0.0.1",
    action: "nodes.drain",
    target: "fra-1",
    outcome: "done",
  });
  assert.equal(detail.length, 259);
});

it("bounds what is refused each second, says how much it left out, and never leaves out what was done", () => {
  const lines: string[] = [];
  let now = 1000;
  const log = logTo(lines, { refusalsPerSec: 2, wallNow: () => now });
  for (let i = 0; i < 5; i++) log.write({ ...entry, outcome: "refused" });
  assert.equal(lines.length, 2);
  assert.equal(log.leftOut, 3);
  log.write(entry);
  assert.equal(JSON.parse(lines[2]).lines, 3);
  assert.equal(JSON.parse(lines[3]).outcome, "done");
  now = 2000;
  log.write({ ...entry, outcome: "refused" });
  assert.equal(lines.length, 5);
});

it("leaves lines out while the sink is full", () => {
  const lines: string[] = [];
  const sink = { write: (line: string) => lines.push(line), writableLength: 101 };
  const log = logTo(lines, { sink, maxWaitingBytes: 100 });
  log.write(entry);
  assert.equal(lines.length, 0);
  sink.writableLength = 100;
  log.write(entry);
  assert.equal(lines.length, 2);
});
