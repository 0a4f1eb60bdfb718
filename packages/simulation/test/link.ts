/** A match and its clients in one process, joined by seeded bad links, on one virtual clock. */
import { GameClient, Match, outgoingMessage } from "@riposte/simulation";
import type { AnyGame, GameClientOptions, InputOf, MatchOptions } from "@riposte/simulation";
import { TickRandom } from "../src/game/random.ts";

export interface LinkConditions {
  /** Round trip. */
  readonly latencyMs: number;
  /** Each way, uniform, plus or minus this: as the condition simulator means it. */
  readonly jitterMs?: number;
  readonly lossRate?: number;
  /** Packets lost in a row, on average, when one is. Default: independent losses. */
  readonly meanBurstPackets?: number;
  /** So many packets are lost in a row whenever one is, instead. */
  readonly burstPackets?: number;
}

interface Packet {
  readonly at: number;
  readonly order: number;
  readonly bytes: Uint8Array;
}

class Direction {
  /** Packets wait and come out together this often; 0: each when it is there. */
  burstMs = 0;
  readonly #queue: Packet[] = [];
  readonly #random = new TickRandom();
  #order = 0;
  #reliableAt = 0;
  #lostInARow = 0;

  constructor(seed: number) {
    this.#random.reseed(seed, 0);
  }

  /** Returns when it arrives; `Infinity`: never. */
  send(bytes: Uint8Array, reliable: boolean, now: number, conditions: LinkConditions): number {
    const lost = this.#random.next() < this.#lossOf(conditions);
    const jitter = (this.#random.next() * 2 - 1) * (conditions.jitterMs ?? 0);
    this.#lostInARow = lost ? this.#lostInARow + 1 : 0;
    if (lost && !reliable) return Infinity;
    let at = now + conditions.latencyMs / 2 + jitter + (lost ? conditions.latencyMs * 1.5 : 0);
    if (this.burstMs > 0) at = Math.ceil(at / this.burstMs) * this.burstMs;
    if (reliable) at = this.#reliableAt = Math.max(at, this.#reliableAt);
    this.#queue.push({ at, order: this.#order++, bytes: bytes.slice() });
    this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
    return at;
  }

  receive(now: number): Uint8Array | undefined {
    return this.#queue.length > 0 && this.#queue[0].at <= now ? this.#queue.shift()!.bytes : undefined;
  }

  clear(): void {
    this.#queue.length = 0;
  }

  /** How probable it is that the next packet is lost. */
  #lossOf({ lossRate = 0, meanBurstPackets, burstPackets }: LinkConditions): number {
    if (burstPackets !== undefined)
      return this.#lostInARow % burstPackets > 0 ? 1 : lossRate / (burstPackets * (1 - lossRate) + lossRate);
    if (meanBurstPackets === undefined) return lossRate;
    return this.#lostInARow > 0 ? 1 - 1 / meanBurstPackets : lossRate / (1 - lossRate) / meanBurstPackets;
  }
}

export class Player<G extends AnyGame> {
  readonly client: GameClient<G>;
  readonly clientId: bigint;
  readonly up: Direction;
  readonly down: Direction;
  seat = -1;
  conditions: LinkConditions;
  /** Real time by which this player's clock runs. */
  clockRate = 1;
  /** Frames are this long by the player's own clock. */
  frameMs = 1000 / 60;
  nextFrameAt: number;
  paused = false;
  /** The player's program is busy from one frame to the next: what arrives meanwhile is handled after the next frame. */
  busy = false;
  /** Datagrams to the server wait while this is set, and come all at once afterwards. */
  burstMs = 0;
  input: InputOf<G>;
  onFrame: ((now: number) => void) | undefined;
  /** Called with each message to the server; what it returns goes instead, if anything. */
  tamper: ((bytes: Uint8Array) => Uint8Array | undefined) | undefined;
  /** What has been sent and not yet handed to the link. */
  readonly held: { bytes: Uint8Array; reliable: boolean }[] = [];
  releaseAt = 0;

  constructor(client: GameClient<G>, clientId: bigint, seed: number, conditions: LinkConditions, input: InputOf<G>) {
    this.client = client;
    this.clientId = clientId;
    this.up = new Direction(seed * 2 + 1);
    this.down = new Direction(seed * 2 + 2);
    this.conditions = conditions;
    this.nextFrameAt = (seed * 3.7) % 16;
    this.input = input;
  }
}

export class TestNetwork<G extends AnyGame> {
  readonly match: Match<G>;
  readonly players: Player<G>[] = [];
  readonly game: G;
  now = 0;
  serverPaused = false;
  /** The server is busy: what it should do meanwhile it does afterwards. */
  serverStalled = false;
  /** Whether the match is told how late its ticks are. */
  tellsLateness = true;
  /** Called after each tick of the server. */
  onTick: ((tick: number) => void) | undefined;
  /** Called for each snapshot to a player and each message of one, with the time at which it arrives (`Infinity`: never). */
  onPacket: ((player: Player<G>, way: "down" | "up", arrivesAt: number) => void) | undefined;
  readonly #buffer = new Uint8Array(1400);
  readonly #out = outgoingMessage();
  #nextTickAt = 0;

  constructor(game: G, options: MatchOptions = {}) {
    this.game = game;
    this.match = new Match(game, options);
  }

  add(conditions: LinkConditions, input: InputOf<G>, options: GameClientOptions = {}): Player<G> {
    const seed = this.players.length + 1;
    const player = new Player(new GameClient(this.game, options), BigInt(seed), seed, conditions, input);
    player.nextFrameAt += this.now;
    player.client.updateLink(conditions.latencyMs, conditions.lossRate ?? 0, conditions.burstPackets);
    this.players.push(player);
    this.connect(player);
    return player;
  }

  connect(player: Player<G>): void {
    player.seat = this.match.join(player.clientId);
  }

  disconnect(player: Player<G>): void {
    this.match.leave(player.seat);
    player.client.connectionLost();
    player.up.clear();
    player.down.clear();
    player.seat = -1;
  }

  /** Runs for `ms`, a millisecond at a time. */
  run(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now += 1;
      this.#serve();
      for (const player of this.players) this.#play(player);
    }
  }

  #serve(): void {
    if (this.serverStalled) return;
    for (const player of this.players) {
      for (let bytes = player.up.receive(this.now); bytes !== undefined; bytes = player.up.receive(this.now))
        if (player.seat >= 0) this.match.receive(player.seat, bytes, 0, bytes.length);
    }
    if (this.now < this.#nextTickAt || this.serverPaused) {
      // What a paused server misses it skips.
      if (this.serverPaused) this.#nextTickAt = this.now;
      return;
    }
    const lateMs = this.now - this.#nextTickAt;
    this.#nextTickAt += this.game.tickMs;
    this.match.tick(this.tellsLateness ? lateMs : 0);
    this.onTick?.(this.match.currentTick);
    for (const player of this.players) {
      if (player.seat < 0) continue;
      while (this.match.pollMessage(player.seat, this.#out)) this.#send(player.down, player);
      if (this.match.currentTick % this.game.snapshotTicks !== 0) continue;
      const length = this.match.writeSnapshot(player.seat, this.#buffer);
      if (length === 0) continue;
      const arrivesAt = player.down.send(this.#buffer.subarray(0, length), false, this.now, player.conditions);
      this.onPacket?.(player, "down", arrivesAt);
    }
  }

  #play(player: Player<G>): void {
    if (player.paused) return;
    const local = this.now * player.clockRate;
    if (!player.busy) this.#receive(player, local);
    if (local < player.nextFrameAt) return;
    this.#frame(player, local);
    if (player.busy) this.#receive(player, local);
  }

  #receive(player: Player<G>, local: number): void {
    for (let bytes = player.down.receive(this.now); bytes !== undefined; bytes = player.down.receive(this.now))
      player.client.receive(bytes, 0, bytes.length, local);
  }

  #frame(player: Player<G>, local: number): void {
    player.nextFrameAt = Math.max(player.nextFrameAt + player.frameMs, local - player.frameMs);
    player.client.advance(local, player.input);
    player.onFrame?.(this.now);
    while (player.client.pollMessage(this.#out)) {
      const { buffer, offset, length, channel } = this.#out;
      player.held.push({ bytes: buffer.slice(offset, offset + length), reliable: channel === "reliableOrdered" });
    }
    if (this.now < player.releaseAt) return;
    player.releaseAt = this.now + player.burstMs;
    for (const { bytes, reliable } of player.held) {
      const sent = player.tamper === undefined ? bytes : player.tamper(bytes);
      if (sent === undefined) continue;
      const arrivesAt = player.up.send(sent, reliable, this.now, player.conditions);
      this.onPacket?.(player, "up", arrivesAt);
    }
    player.held.length = 0;
  }

  #send(direction: Direction, player: Player<G>): void {
    const { buffer, offset, length, channel } = this.#out;
    direction.send(
      buffer.subarray(offset, offset + length),
      channel === "reliableOrdered",
      this.now,
      player.conditions,
    );
  }
}
