/** A match and its clients in one process and in virtual time, with lines between them that may be long. */
import assert from "node:assert/strict";
import { inspectAbilities } from "@riposte/simulation";
import { GameClient, Match, outgoingMessage } from "@riposte/simulation/game";
import { abilityKit } from "../src/abilities.ts";
import { game } from "../src/game.ts";
import type { ArenaGame } from "../src/game.ts";
import { writeProfile } from "../src/profile.ts";
import type { Wish } from "../src/states.ts";

/** What is under way in one direction. */
class Line {
  readonly #packets: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  send(buffer: Uint8Array, offset: number, length: number, at: number): void {
    this.#packets.push({ at, bytes: buffer.slice(offset, offset + length) });
  }

  receive(now: number): Uint8Array | undefined {
    return this.#packets.length > 0 && this.#packets[0].at <= now ? this.#packets.shift()?.bytes : undefined;
  }
}

interface Chair {
  readonly client: GameClient<ArenaGame>;
  readonly up: Line;
  readonly down: Line;
  readonly oneWayMs: number;
}

export class Table {
  readonly match: Match<ArenaGame> = new Match(game, { seed: 7, debug: true });
  /** Called for each client's frame, one a tick. */
  onFrame: ((seat: number) => void) | undefined;
  now = 1000;
  readonly #chairs: Chair[] = [];
  readonly #buffer = new Uint8Array(2000);
  readonly #out = outgoingMessage();

  /** `latencyMs`: the round trip. */
  sit(name: string, latencyMs = 0): GameClient<ArenaGame> {
    const seat = this.match.join(BigInt(this.#chairs.length + 1), writeProfile({ name, hue: 10 }));
    const client = new GameClient(game);
    assert.equal(seat, this.#chairs.length);
    client.updateLink(latencyMs, 0);
    this.#chairs.push({ client, up: new Line(), down: new Line(), oneWayMs: latencyMs / 2 });
    return client;
  }

  play(ticks: number, wish: (seat: number) => Wish): void {
    for (let i = 0; i < ticks; i++) {
      this.now += game.tickMs;
      this.#chairs.forEach(({ up }, seat) => {
        for (let bytes = up.receive(this.now); bytes !== undefined; bytes = up.receive(this.now))
          this.match.receive(seat, bytes, 0, bytes.length);
      });
      this.match.tick();
      this.#chairs.forEach((chair, seat) => this.#frame(chair, seat, wish(seat)));
    }
  }

  abilities(seat: number) {
    return inspectAbilities(abilityKit, this.row(seat), this.match.currentTick);
  }

  /** The server's. */
  row(seat: number) {
    const row = this.match.world.players.firstOwnedBy(seat);
    assert(row !== undefined);
    return row;
  }

  #frame({ client, up, down, oneWayMs }: Chair, seat: number, wish: Wish): void {
    const { match, now } = this;
    const out = this.#out;
    while (match.pollMessage(seat, out)) down.send(out.buffer, out.offset, out.length, now + oneWayMs);
    const length = match.currentTick % game.snapshotTicks === 0 ? match.writeSnapshot(seat, this.#buffer) : 0;
    if (length > 0) down.send(this.#buffer, 0, length, now + oneWayMs);
    for (let bytes = down.receive(now); bytes !== undefined; bytes = down.receive(now))
      client.receive(bytes, 0, bytes.length, now);
    client.advance(now, wish);
    this.onFrame?.(seat);
    while (client.pollMessage(out)) up.send(out.buffer, out.offset, out.length, now + oneWayMs);
  }
}
