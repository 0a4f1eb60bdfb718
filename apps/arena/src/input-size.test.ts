/** What docs/inputs.md says that inputs and view stamps cost, measured on bots and on a hand on a mouse. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { bitsAt, InputSizes } from "@riposte/simulation/prediction";
import { GameClient, Match, outgoingMessage } from "@riposte/simulation/game";
import { numbers } from "../test/numbers.ts";
import { BotMind } from "./bot-mind.ts";
import { game } from "./game.ts";
import { goalNear } from "./navigation.ts";
import { IDLE } from "./states.ts";
import type { Wish } from "./states.ts";

/**
 * A hand: it swings to a new target every half second or so (in 120 to 400 ms, as smoothly as hands do), follows it as
 * it moves, and trembles; the other hand changes a key about three times a second.
 */
function hand(random: () => number): () => Wish {
  const wish = { ...IDLE };
  let [from, swing, frames, frame, pace] = [0, 0, 1, 1, 0];
  return () => {
    if (frame >= frames && random() < 0.035) {
      from = wish.aim;
      swing = -Math.log(1 - random()) * 0.6 * (random() < 0.5 ? -1 : 1);
      frames = 7 + Math.floor(random() * 17);
      frame = 0;
      pace = (random() - 0.5) * 2;
    }
    if (frame < frames) {
      const part = ++frame / frames;
      wish.aim = from + swing * (10 * part ** 3 - 15 * part ** 4 + 6 * part ** 5);
    } else wish.aim += pace / game.tickRate;
    wish.aim += (random() - 0.5) * 0.006;
    if (random() < 0.025) wish.left = !wish.left;
    if (random() < 0.025) wish.up = !wish.up;
    wish.right = !wish.left && frame < frames;
    if (random() < 0.03) wish.fire = !wish.fire;
    wish.dash = random() < 0.005;
    return wish;
  };
}

/** Six players for 10 s at 60 frames a second that come up to `unsteadyMs` early or late. */
function play(
  unsteadyMs: number,
  player: (random: () => number) => (client: GameClient<typeof game>) => Wish,
): InputSizes {
  const match = new Match(game, { seed: 5 });
  const random = numbers();
  const players = Array.from({ length: 6 }, (_, i) => {
    match.join(BigInt(i + 1));
    return { client: new GameClient(game), decide: player(random) };
  });
  const buffer = new Uint8Array(4000);
  const out = outgoingMessage();
  for (let tick = 1; tick <= 600; tick++) {
    const now = tick * game.tickMs;
    match.tick();
    players.forEach(({ client, decide }, seat) => {
      while (match.pollMessage(seat, out)) client.receive(out.buffer, out.offset, out.length, now);
      if (tick % game.snapshotTicks === 0)
        client.receive(buffer, 0, match.writeSnapshot(seat, buffer), now + random() * unsteadyMs);
      client.advance(now + unsteadyMs * (1 + random()), decide(client));
      while (client.pollMessage(out)) match.receive(seat, out.buffer, out.offset, out.length);
    });
  }
  const sum = new InputSizes();
  for (const { client } of players) {
    client.inputSizes.records.forEach((count, bits) => (sum.records[bits] += count));
    client.inputSizes.stamps.forEach((count, bits) => (sum.stamps[bits] += count));
    sum.messages += client.inputSizes.messages;
    sum.messageBytes += client.inputSizes.messageBytes;
  }
  return sum;
}

function tell(t: TestContext, sizes: InputSizes): string {
  const line = [0.25, 0.5, 0.75, 0.95, 0.99]
    .map((part) => `p${part * 100}: ${bitsAt(sizes.records, part)} + ${bitsAt(sizes.stamps, part)}`)
    .join(", ");
  t.diagnostic(
    `bits of an input + its view stamp: ${line}; ${(sizes.messageBytes / sizes.messages).toFixed(1)} bytes a message`,
  );
  return line;
}

describe("an input of the arena", () => {
  it("takes fewer than 12 bits at the median when bots play", (t) => {
    const sizes = play(1, (random) => {
      const mind = new BotMind(0.5, random);
      mind.rally = goalNear(0, 0);
      return ({ view: { players } }) => mind.decide(players.mine, players.all(), 1 / game.tickRate);
    });
    const line = tell(t, sizes);
    assert.ok(bitsAt(sizes.records, 0.5) < 12, line);
  });

  it("takes fewer than 12 bits at the median when a hand moves a mouse all the time", (t) => {
    const sizes = play(0.1, hand);
    const line = tell(t, sizes);
    assert.ok(bitsAt(sizes.records, 0.5) < 12, line);
    assert.ok(bitsAt(sizes.records, 0.25) > 1, "a mouse that moves");
  });
});
