/** Drives sessions in tests: frames until something is the case, which must be soon. */

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { connect } from "@riposte/client";
import type { ConnectOptions, Session } from "@riposte/client";
import { listen } from "../src/index.ts";
import type { ListenOptions, Server } from "../src/index.ts";
import { game, idle } from "./game.ts";
import type { Game } from "./game.ts";

/** Fails when it did not become true in this time. Far more than needed: test machines are slow. */
const PATIENCE_MS = 10_000;
const FRAME_MS = 8;

export type Input = typeof idle;

export class Player {
  readonly session: Session<Game>;
  input: Input = idle;

  constructor(session: Session<Game>) {
    this.session = session;
  }

  /** What this player draws of the player with that seat. */
  sees(seat: number): { x: number; y: number; health: number; id: number } | undefined {
    for (const row of this.session.view.players) if (row.owner === seat) return row;
    return undefined;
  }

  get me(): { x: number; y: number; health: number; id: number } | undefined {
    return this.session.view.players.mine;
  }
}

export async function startServer(t: TestContext, options: ListenOptions = {}): Promise<Server<Game>> {
  const lines: string[] = [];
  const server = await listen(game, { port: 0, publicDir: false, log: (line) => lines.push(line), ...options });
  t.after(async () => {
    await server.close();
    if (options.log === undefined) assert.deepEqual(lines, []);
  });
  return server;
}

export async function join(t: TestContext, server: Server<Game>, options: ConnectOptions = {}): Promise<Player> {
  const session = await connect(game, server.url, options);
  t.after(() => session.close());
  return new Player(session);
}

/** Plays frames until the condition holds. */
export async function until(players: readonly Player[], what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`never happened: ${what}`);
    for (const player of players) player.session.advance(performance.now(), player.input);
    await new Promise((resolve) => setTimeout(resolve, FRAME_MS));
  }
}
