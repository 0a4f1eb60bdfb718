import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { AddressTable } from "./address-table.ts";

test("an address keeps its path, another gets another", () => {
  const table = new AddressTable(8);
  const a = table.intern("127.0.0.1", 1000);
  const b = table.intern("127.0.0.1", 1001);
  const c = table.intern("::1", 1000);
  assert.equal(new Set([a, b, c]).size, 3);
  assert.equal(table.intern("127.0.0.1", 1000), a);
  assert.equal(table.host(c), "::1");
  assert.equal(table.port(b), 1001);
  assert.equal(table.size, 3);
});

test("IPv4 mapped into IPv6 is the IPv4 address", () => {
  const table = new AddressTable(8);
  const path = table.intern("::ffff:10.0.0.1", 5);
  assert.equal(table.intern("10.0.0.1", 5), path);
  assert.equal(table.host(path), "10.0.0.1");
  assert.equal(table.host6(path), "::ffff:10.0.0.1");
  assert.equal(table.host6(table.intern("fe80::1", 5)), "fe80::1");
});

test("a full table forgets what was used longest ago and nobody retains", () => {
  const table = new AddressTable(3);
  const a = table.intern("a", 1);
  const b = table.intern("b", 1);
  const c = table.intern("c", 1);
  table.retain(a);
  table.intern("b", 1);
  assert.equal(table.intern("d", 1), c);
  assert.equal(table.intern("e", 1), b);
  assert.equal(table.host(a), "a");
  assert.equal(table.recycled, 2);
  table.retain(b);
  table.retain(c);
  assert.equal(table.intern("f", 1), -1);
  table.release(a);
  assert.equal(table.intern("f", 1), a);
});

test("misuse is named", () => {
  const table = new AddressTable(3);
  assert.throws(() => table.host(0), /unknown path 0/);
  const path = table.intern("a", 1);
  assert.throws(() => table.release(path), /not retained/);
  assert.throws(() => new AddressTable(0), RangeError);
});

test("whatever comes, a retained path keeps its address and no two paths share one", () => {
  const action = fc.record({
    kind: fc.constantFrom("intern", "retain", "release"),
    host: fc.nat(30),
    pick: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const table = new AddressTable(6);
      const retained = new Map<number, { key: string; times: number }>();
      for (const { kind, host, pick } of actions) {
        if (kind === "intern") {
          const path = table.intern(`h${host}`, host);
          if (path < 0) assert.equal(retained.size, 6);
          else assert.equal(`${table.host(path)} ${table.port(path)}`, `h${host} ${host}`);
        } else if (kind === "retain" && table.size > 0) {
          const path = pick % table.size;
          table.retain(path);
          const entry = retained.get(path) ?? { key: table.host(path), times: 0 };
          entry.times += 1;
          retained.set(path, entry);
        } else if (kind === "release" && retained.size > 0) {
          const path = [...retained.keys()][pick % retained.size];
          const entry = retained.get(path) ?? { key: "", times: 1 };
          table.release(path);
          entry.times -= 1;
          if (entry.times === 0) retained.delete(path);
        }
        for (const [path, entry] of retained) assert.equal(table.host(path), entry.key);
        const seen = new Set<string>();
        for (let path = 0; path < table.size; path += 1) seen.add(table.host(path));
        assert.equal(seen.size, table.size);
      }
    }),
    { seed: 4, numRuns: 200 },
  );
});

test("an address has the same name under whatever path, a recycled path another name", () => {
  const table = new AddressTable(1);
  const first = table.intern("::ffff:10.0.0.1", 4000);
  const name = table.name(first);
  assert.equal(table.intern("10.0.0.2", 4000), first);
  assert.notEqual(table.name(first), name);
  assert.equal(table.name(table.intern("10.0.0.1", 4000)), name);
});
