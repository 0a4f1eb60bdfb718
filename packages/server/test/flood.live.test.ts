/**
 * 200,000 hostile datagrams, 20,000 a second, and hostile WebSocket frames with them, at a live server
 * with players on it: no tick is late by more than one tick, and no player is dropped, not even the one
 * from whose address they come. Each datagram and each frame counts exactly once.
 *
 * Server, attacker, players and a control are four processes. The control ticks as the server does and has nothing to do:
 * where its ticks are late by more than one, the machine has other things to do, and lets any process wait. So:
 *
 * - A tick that is late by processor time is the server's fault, always: of an interval between two ticks that took longer
 *   than a tick, what the server has computed in it counts (and a tick at least).
 * - A tick that is late by the clock is the server's fault where the control was on time: it waited for something that
 *   the machine did not keep from it. Where the control was late too, the clock says nothing.
 *
 * There is no second attempt for a server that was late. There is one for an attack that was held up itself: it shows
 * nothing.
 */

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { connect } from "@riposte/client";
import { generateConnectToken, nobleCrypto, writeUserData } from "@riposte/protocol/netcode";
import type { AttackReport, AttackTask } from "./flood-attacker.ts";
import type { ControlReport } from "./flood-control.ts";
import type { FloodServerReport } from "./flood-server.ts";
import { game, idle } from "./game.ts";
import { Player } from "./play.ts";

const DATAGRAMS = 200_000;
const DATAGRAMS_PER_SEC = 20_000;
const FRAMES_PER_SEC = 2000;
const ATTEMPTS = 3;
const TICK_MS = 1000 / game.tickRate;
const PROTOCOL_ID = 0x5249504f53544531n;

test(
  "200,000 hostile datagrams and their WebSocket frames make no tick late and drop no player",
  { timeout: 180_000 },
  async (t) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { report, attack, control } = await attackOnce(t, 4710 + attempt);
      const ticks = report.tickAtMs.length;
      const own = lateness(report.tickAtMs, report.cpuMs);
      const clock = lateness(report.tickAtMs);
      const controlled = lateness(control.tickAtMs);
      t.diagnostic(
        `attempt ${attempt}: ${ticks} ticks, the latest by ${own.toFixed(1)} ms of processor time, ${clock.toFixed(1)} ms ` +
          `by the clock, the control's by ${controlled.toFixed(1)} ms; ${cpuPercent(report).toFixed(0)} % of a core; ` +
          `fired ${attack.datagrams} datagrams and ${attack.frames} frames on ${attack.sockets} sockets in ${attack.seconds.toFixed(1)} s; ` +
          `came ${report.datagrams} and ${report.frames}; dropped ${report.droppedBySockets} by sockets, ${report.dropped} behind them; ` +
          `${report.packets} packets of players`,
      );
      // However busy the machine is.
      assert.deepEqual(report.incidents, []);
      assert.equal(report.clients, 3);
      assert.ok(own <= TICK_MS, `a tick was late by ${own.toFixed(1)} ms of processor time`);
      assert.ok(
        clock <= TICK_MS || controlled > TICK_MS,
        `a tick was late by ${clock.toFixed(1)} ms where a process with nothing to do was not`,
      );
      // Each player's inputs get through, mostly, and nothing hostile counts as one: three players, one message a tick.
      assert.ok(report.messages > ticks, `${report.messages} messages of players`);
      assert.ok(report.messages < 4 * ticks, `${report.messages} messages of players`);
      // What came was dropped before the endpoint or given to it; what was given to it was dropped, or is a player's.
      assert.equal(report.datagrams + report.frames, report.droppedBySockets + report.delivered);
      assert.equal(report.delivered, report.dropped + report.packets);
      if (wasShown(report, attack)) return;
    }
    assert.fail("the machine did not let the attack through: nothing was shown");
  },
);

/** All of the attack came, at about the rate it should. */
function wasShown(report: FloodServerReport, attack: AttackReport): boolean {
  return (
    attack.datagrams >= DATAGRAMS &&
    attack.seconds < (1.2 * DATAGRAMS) / DATAGRAMS_PER_SEC &&
    report.datagrams >= 0.99 * DATAGRAMS &&
    report.frames > FRAMES_PER_SEC
  );
}

interface Outcome {
  readonly report: FloodServerReport;
  readonly attack: AttackReport;
  readonly control: ControlReport;
}

async function attackOnce(t: TestContext, seed: number): Promise<Outcome> {
  const privateKey = new Uint8Array(randomBytes(32));
  const [server, serverPort] = await start(t, "flood-server.ts", Buffer.from(privateKey).toString("hex"));
  const task: AttackTask = {
    serverPort,
    protocolId: PROTOCOL_ID.toString(),
    datagrams: DATAGRAMS,
    datagramsPerSec: DATAGRAMS_PER_SEC,
    framesPerSec: FRAMES_PER_SEC,
    seed,
  };
  const [attacker, relayPort] = await start(t, "flood-attacker.ts", JSON.stringify(task));
  const [control] = await start(t, "flood-control.ts", String(TICK_MS));
  // The first player's way leads through the attacker: its token names the relay, and inside the server.
  const token = generateConnectToken({
    protocolId: PROTOCOL_ID,
    clientId: 1n,
    privateKey,
    serverAddresses: [`127.0.0.1:${relayPort}`],
    internalServerAddresses: [`127.0.0.1:${serverPort}`],
    userData: writeUserData({ issuedAt: Date.now() }),
    nowSeconds: Date.now() / 1000,
    crypto: nobleCrypto((length) => new Uint8Array(randomBytes(length))),
  });
  const url = `http://127.0.0.1:${serverPort}`;
  const players = [
    new Player(await connect(game, url, { token, carrier: "udp" })),
    new Player(await connect(game, url, { carrier: "udp" })),
    new Player(await connect(game, url, { carrier: "websocket" })),
  ];
  let frames = 0;
  const play = async (until: () => boolean): Promise<void> => {
    while (!until()) {
      const right = Math.floor(frames++ / 60) % 2 === 0;
      for (const { session } of players) session.advance(performance.now(), { ...idle, right, left: !right });
      await new Promise((resolve) => setTimeout(resolve, 16));
    }
  };
  await play(() => frames > 60);
  server.send("begin");
  control.send("begin");
  let attack: AttackReport | undefined;
  void once(attacker, "message").then(([report]) => (attack = report as AttackReport));
  attacker.send("fire");
  await play(() => attack !== undefined || attacker.exitCode !== null);
  assert.ok(attack !== undefined, "the attacker ended early");
  server.send("report");
  control.send("report");
  let answers: [[FloodServerReport], [ControlReport]] | undefined;
  void Promise.all([once(server, "message"), once(control, "message")]).then((both) => {
    answers = both as [[FloodServerReport], [ControlReport]];
  });
  await play(() => answers !== undefined);
  assert.ok(answers !== undefined);
  const [[report], [controlReport]] = answers;
  for (const { session, me } of players) {
    assert.ok(me !== undefined);
    assert.equal(session.stats.malformed, 0);
    await session.close();
  }
  for (const child of [server, attacker, control]) {
    child.disconnect();
    await once(child, "exit");
  }
  return { report, attack, control: controlReport };
}

/**
 * How late the latest tick was. Ticks are due one tick apart; what one is late adds up until it is made good. With
 * `cpuMs`, of an interval that took longer than a tick only what was computed in it counts, and a tick at least.
 */
function lateness(tickAtMs: readonly number[], cpuMs?: readonly number[]): number {
  let [latest, late] = [0, 0];
  for (let i = 1; i < tickAtMs.length; i++) {
    let gap = tickAtMs[i] - tickAtMs[i - 1];
    if (cpuMs !== undefined) gap = Math.min(gap, Math.max(TICK_MS, cpuMs[i] - cpuMs[i - 1]));
    late = Math.max(0, late + gap - TICK_MS);
    latest = Math.max(latest, late);
  }
  return latest;
}

function cpuPercent({ tickAtMs, cpuMs }: FloodServerReport): number {
  const last = tickAtMs.length - 1;
  return (100 * (cpuMs[last] - cpuMs[0])) / (tickAtMs[last] - tickAtMs[0]);
}

/** Starts a program beside this file; it answers with the port it opened. */
async function start(t: TestContext, file: string, argument: string): Promise<[ChildProcess, number]> {
  const child = fork(new URL(file, import.meta.url), [argument]);
  t.after(() => child.kill());
  const [port] = (await once(child, "message")) as [number];
  return [child, port];
}
