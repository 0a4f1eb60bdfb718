/** A session on a carrier that goes nowhere, with a clock of its own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Connection } from "@riposte/protocol/channel";
import { CallError, defineCall, defineGame } from "@riposte/simulation/game";
import { bool, defineInput, defineState } from "@riposte/simulation/state";
import { GameSession } from "./game-session.ts";

const Ask = defineCall("ask", {}, { yes: bool() });
const game = defineGame({
  tickRate: 60,
  states: { players: defineState({ here: bool() }) },
  input: defineInput({ fire: bool() }),
  messages: [Ask],
  join: () => {},
  step: () => {},
});

/** An open session to which nobody ever answers, and what moves its time on. */
function openSession(t: TestContext): { session: GameSession<typeof game>; pass: (ms: number) => Promise<void> } {
  let now = 5000;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const session = new GameSession(game);
  const connection = { send: (): string => "queued" } as unknown as Connection;
  session.start(
    {
      connection,
      flush: () => {},
      migrate: () => Promise.resolve(),
      simulate: () => {},
      close: () => Promise.resolve(),
    },
    undefined,
    undefined,
  );
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    t.mock.timers.tick(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { session, pass };
}

test("a call fails after 10 s, also when nobody calls advance", async (t) => {
  const { session, pass } = openSession(t);
  const failed: string[] = [];
  const ask = (name: string): void => {
    session.call(Ask, {}).catch((error: unknown) => {
      assert.ok(error instanceof CallError);
      failed.push(`${name} ${error.reason}`);
    });
  };
  ask("first");
  await pass(4000);
  ask("second");
  await pass(5990);
  assert.deepEqual([...failed], []);
  await pass(15);
  assert.deepEqual([...failed], ["first timedOut"]);
  await pass(4000);
  assert.deepEqual([...failed], ["first timedOut", "second timedOut"]);
  ask("third");
  await session.close();
  await pass(0);
  assert.deepEqual(failed.slice(2), ["third closed"]);
});

test("options of the session reach the game's client", () => {
  assert.throws(() => new GameSession(game, { inputRedundancy: 99 }), RangeError);
  assert.throws(() => new GameSession(game, { smoothingHalfLifeMs: -1 }), RangeError);
  const session = new GameSession(game, { interpolationMode: "hermite" });
  assert.equal(session.interpolationMode, "hermite");
  session.interpolationMode = "extrapolation";
  assert.equal(session.interpolationMode, "extrapolation");
  assert.throws(() => Object.assign(session, { interpolationMode: "cubic" }), RangeError);
  assert.equal(session.interpolationMode, "extrapolation");
});
