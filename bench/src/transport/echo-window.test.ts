import assert from "node:assert/strict";
import { test } from "node:test";
import { EchoWindow } from "./echo-window.ts";
import type { EchoRun } from "./echo-window.ts";
import { MESSAGE_BYTES, WISH_ECHO } from "./message.ts";

const RUN: EchoRun = {
  window: 4,
  durationMs: 1000,
  wish: WISH_ECHO,
  answerBytes: MESSAGE_BYTES,
  lostAfterMs: 300,
};

/** A window whose messages wait in `sent` for whoever answers them. */
function makeWindow(): { readonly window: EchoWindow; readonly sent: Uint8Array[] } {
  const sent: Uint8Array[] = [];
  return { window: new EchoWindow((message) => sent.push(message.slice())), sent };
}

function answer(window: EchoWindow, message: Uint8Array | undefined): void {
  assert.ok(message);
  window.handle(message, 0, message.length);
}

test("whoever is answered is sent anew until the run is over, which ends with nothing under way", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const { window, sent } = makeWindow();
  const done = window.run({ ...RUN, lostAfterMs: 5000 });
  assert.equal(sent.length, 4);
  for (let i = 0; i < 10; i++) answer(window, sent.shift());
  assert.equal(sent.length, 4);
  t.mock.timers.tick(RUN.durationMs);
  for (const message of sent.splice(0)) answer(window, message);
  assert.equal(sent.length, 0);
  const { echoes, bytes, lost } = await done;
  assert.deepEqual({ echoes, bytes, lost }, { echoes: 14, bytes: 14 * MESSAGE_BYTES, lost: 0 });
});

test("a lost message is replaced, and its late answer counts for nothing", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const { window, sent } = makeWindow();
  const done = window.run({ ...RUN, durationMs: 400 });
  const lost = sent.shift();
  for (let i = 0; i < 2; i++) {
    t.mock.timers.tick(100);
    assert.equal(sent.length, 3);
    for (const message of sent.splice(0)) answer(window, message);
  }
  t.mock.timers.tick(100);
  assert.equal(sent.length, 4);
  answer(window, lost);
  assert.equal(sent.length, 4);
  t.mock.timers.tick(100);
  for (const message of sent) answer(window, message);
  const result = await done;
  assert.deepEqual({ echoes: result.echoes, lost: result.lost }, { echoes: 3 + 3 + 4, lost: 1 });
});

test("the end of a run waits for what is under way, and gives it up when it does not come", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const { window, sent } = makeWindow();
  const done = window.run({ ...RUN, durationMs: 100 });
  t.mock.timers.tick(100);
  answer(window, sent[0]);
  t.mock.timers.tick(300);
  const { echoes, lost } = await done;
  assert.deepEqual({ echoes, lost, sent: sent.length }, { echoes: 1, lost: 3, sent: 4 });
});
