import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { TokenHistory } from "./token-history.ts";

const CAPACITY = 6;

/** Few distinct tags, many of them in one bucket. */
function tagOf(token: number): Uint8Array {
  const tag = new Uint8Array(18);
  tag[2] = token & 1;
  tag[14] = token;
  return tag;
}

test("agrees with a list that forgets its oldest", () => {
  const action = fc.record({
    kind: fc.constantFrom("use", "spend", "sequence"),
    token: fc.nat(11),
    path: fc.nat(2),
    expireAt: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(action, { minLength: 40, maxLength: 80 }), (actions) => {
      const history = new TokenHistory(CAPACITY);
      let list: { token: number; path: number; expireAt: number; spent: boolean; next: number; serial: number }[] = [];
      let evicted = 0;
      for (const { kind, token, path, expireAt } of actions) {
        const known = list.find((entry) => entry.token === token);
        const serial = history.find(tagOf(token), 2);
        assert.equal(serial, known?.serial ?? -1);
        if (kind === "spend") {
          history.spend(serial);
          if (known !== undefined) known.spent = true;
        } else if (kind === "sequence") {
          history.setNextSequence(serial, expireAt);
          if (known !== undefined) known.next = expireAt;
        } else if (known === undefined) {
          if (list.length === CAPACITY) {
            if (list[0].expireAt > 10) evicted++;
            list = list.slice(1);
          }
          const added = history.add(tagOf(token), 2, `${path}`, expireAt, 10);
          list.push({ token, path, expireAt, spent: false, next: 0, serial: added });
        }
        for (const entry of list) {
          assert.equal(history.find(tagOf(entry.token), 2), entry.serial);
          for (let other = 0; other < 3; other++) {
            assert.equal(history.admits(entry.serial, `${other}`), other === entry.path && !entry.spent);
          }
          assert.equal(history.nextSequence(entry.serial), entry.next);
        }
        assert.deepEqual([history.size, history.evicted], [list.length, evicted]);
      }
    }),
    { seed: 61, numRuns: 200 },
  );
});

test("a token that was forgotten answers for nothing", () => {
  const history = new TokenHistory(1);
  const first = history.add(tagOf(1), 2, "5", 100, 0);
  history.setNextSequence(first, 9);
  history.add(tagOf(2), 2, "5", 100, 0);
  assert.equal(history.find(tagOf(1), 2), -1);
  assert.deepEqual([history.admits(first, "5"), history.nextSequence(first), history.nextSequence(-1)], [false, 0, 0]);
  history.setNextSequence(first, 7);
  assert.equal(history.nextSequence(history.find(tagOf(2), 2)), 0);
});
