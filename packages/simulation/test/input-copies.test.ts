/** An input is in as many messages as the loss calls for, whether a frame makes one input or several. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { bool, defineGame, defineInput, defineState, float, inputCopies, MessageKind } from "@riposte/simulation";
import { TestNetwork } from "./link.ts";

const coordinate = float({ min: -50, max: 50, step: 1 / 512 });

for (const tickRate of [30, 60, 128, 240]) {
  it(`at ${tickRate} ticks a second`, () => {
    const game = defineGame({
      tickRate,
      snapshotRate: tickRate / 2,
      states: { players: defineState({ x: coordinate, y: coordinate }) },
      input: defineInput({ fire: bool() }),
      join: (world, client) => void world.players.spawn(client.id),
      step() {},
    });
    const network = new TestNetwork(game);
    const player = network.add({ latencyMs: 80, lossRate: 0.1 }, { fire: true });
    const messages = new Map<number, number>();
    const { up } = player;
    const send = up.send.bind(up);
    up.send = (bytes, ...rest): number => {
      if (bytes[0] === MessageKind.inputs && network.now > 2000) {
        const newest = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
        const count = (bytes[5] & 31) + 1;
        for (let tick = newest - count + 1; tick <= newest; tick++) messages.set(tick, (messages.get(tick) ?? 0) + 1);
      }
      return send(bytes, ...rest);
    };
    network.run(5000);
    const copies = inputCopies({ lossRate: 0.1 });
    // Not of the first and the last, which other messages have, too.
    const counts = [...messages.values()].slice(30, -30);
    const fewest = Math.min(...counts);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    assert.ok(counts.length >= 30 && fewest >= copies - 1, `an input is in ${fewest} messages, not ${copies}`);
    assert.ok(mean >= copies - 0.1 && mean <= copies + 1.5, `${mean} messages on average`);
  });
}
