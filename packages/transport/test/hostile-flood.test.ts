import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { join as joinPath } from "node:path";
import { afterEach, test } from "node:test";
import { droppedBy } from "./harness.ts";
import { closeAll, join, serve, until } from "./fixture.ts";

const COUNT = 200_000;
const PER_SECOND = 20_000;
const TICK_MS = 1000 / 60;
const PLAYERS = 4;

afterEach(closeAll);

test("200,000 hostile datagrams, 20,000 a second: no tick late by more than one tick, no player dropped", async () => {
  const { server, heard } = await serve({ maxClients: 16 });
  const players = await Promise.all(Array.from({ length: PLAYERS }, (_, i) => join(server.port, i + 1)));
  await until(() => heard.opened.length === PLAYERS, "the players are in");
  let inputs = 0;
  heard.onMessage = () => {
    inputs += 1;
    heard.messages.length = 0;
  };

  // The game: players send inputs, the server ticks. Another process on this machine may hold ours up; a
  // tick counts as late by our own doing when this process was busy for as long as it was late.
  let ticks = 0;
  let late = 0;
  let lateByOurWork = 0;
  let before = process.cpuUsage();
  const start = performance.now();
  const input = new Uint8Array(60);
  const snapshot = new Uint8Array(300);
  const game = setInterval(() => {
    const now = performance.now();
    const lateMs = now - start - ticks * TICK_MS;
    const used = process.cpuUsage(before);
    before = process.cpuUsage();
    if (lateMs > 2 * TICK_MS) {
      late += 1;
      if ((used.user + used.system) / 1000 > lateMs - TICK_MS) lateByOurWork += 1;
    }
    while (now - start >= ticks * TICK_MS) ticks += 1;
    for (const { client } of players) {
      client.connection.send("unreliableUnordered", input);
      client.flush();
    }
    for (const connection of heard.opened) connection.send("unreliableUnordered", snapshot);
    server.flush();
  }, 4);

  const received = server.stats.udp.packetsReceived;
  const path = joinPath(import.meta.dirname, "hostile-sender.ts");
  const attacker = fork(path, [String(server.port), String(COUNT), String(PER_SECOND)]);
  const [code] = await once(attacker, "exit");
  assert.equal(code, 0);
  clearInterval(game);

  const arrived = server.stats.udp.packetsReceived - received;
  const inputsDue = ticks * PLAYERS;
  const figures = `${ticks} ticks, ${late} late, ${lateByOurWork} by our work; ${arrived} datagrams, ${inputs} inputs`;
  assert.ok(arrived > COUNT / 2, `most of it arrived: ${figures}`);
  assert.equal(lateByOurWork, 0, figures);
  assert.equal(heard.ended.length, 0, figures);
  assert.ok(inputs > inputsDue / 4, `inputs still come through: ${figures}`);
  const { receiveOverflowed, receiveMalformed } = server.stats.udp;
  const dropped = droppedBy(server.endpoint) + receiveOverflowed + receiveMalformed;
  assert.ok(dropped > COUNT / 2, `what was hostile is counted: ${dropped}; ${figures}`);
  for (const { client, heard: clientHeard } of players) {
    assert.equal(client.connection.state, "open");
    assert.ok(clientHeard.messages.length > 0);
  }
  process.stdout.write(`# ${figures}\n`);
});
