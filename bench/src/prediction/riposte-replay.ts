/**
 * Replays of `GameClient` and nothing else: a match and its client are played once on a virtual clock, with a round trip
 * of so many ticks; what the server sent is kept. Clients are then driven by that recording over and over. In a game whose
 * server moves the player where no client expects it, each snapshot is followed by a replay of all ticks since.
 */
import { GameClient, Match, outgoingMessage } from "@riposte/simulation";
import type { AnyGame, InputOf } from "@riposte/simulation";
import { cpuMicros } from "./cpu-time.ts";

const RECORDED_TICKS = 4096;
/** Frames until a client has found its place ahead of the server. */
const START_FRAMES = 512;

interface Frame {
  readonly atMs: number;
  /** Snapshots and messages that arrive in this frame. */
  readonly received: readonly Uint8Array[];
}

/** What one player was sent, frame by frame, and what it plays. */
export interface Recording<G extends AnyGame> {
  readonly game: G;
  readonly roundTripMs: number;
  /** For 64 frames each, in turn. */
  readonly inputs: readonly InputOf<G>[];
  readonly frames: readonly Frame[];
}

export interface Replayed {
  readonly frames: number;
  readonly replayedTicks: number;
  /** CPU time. */
  readonly cpuMicros: number;
}

export function record<G extends AnyGame>(
  game: G,
  inputs: readonly InputOf<G>[],
  roundTripTicks: number,
  ticks: number = RECORDED_TICKS,
): Recording<G> {
  const match = new Match(game, { maxSeats: 1 });
  const client = new GameClient(game);
  const roundTripMs = roundTripTicks * game.tickMs;
  client.updateLink(roundTripMs, 0);
  const seat = match.join(1n);
  const out = outgoingMessage();
  const buffer = new Uint8Array(1400);
  const frames: Frame[] = [];
  const half = roundTripTicks / 2;
  const down: Uint8Array[][] = [];
  const up: Uint8Array[][] = [];
  for (let tick = 0; tick < ticks; tick++) {
    for (const bytes of up[tick - half] ?? []) match.receive(seat, bytes, 0, bytes.length);
    match.tick();
    const sent: Uint8Array[] = [];
    while (match.pollMessage(seat, out)) sent.push(out.buffer.slice(out.offset, out.offset + out.length));
    const length = match.currentTick % game.snapshotTicks === 0 ? match.writeSnapshot(seat, buffer) : 0;
    if (length > 0) sent.push(buffer.slice(0, length));
    down.push(sent);

    const received = down[tick - half] ?? [];
    const atMs = tick * game.tickMs;
    frames.push({ atMs, received });
    for (const bytes of received) client.receive(bytes, 0, bytes.length, atMs);
    client.advance(atMs, inputAt(inputs, tick));
    const made: Uint8Array[] = [];
    while (client.pollMessage(out)) made.push(out.buffer.slice(out.offset, out.offset + out.length));
    up.push(made);
  }
  return { game, roundTripMs, inputs, frames };
}

/** A client that is driven by a recording, to its end; it has found its place ahead of the server already. */
export class ReplayClient<G extends AnyGame> {
  readonly #recording: Recording<G>;
  readonly #client: GameClient<G>;
  readonly #out = outgoingMessage();
  #next = 0;

  constructor(recording: Recording<G>, startFrames: number = START_FRAMES) {
    this.#recording = recording;
    this.#client = new GameClient(recording.game);
    this.#client.updateLink(recording.roundTripMs, 0);
    this.run(startFrames);
  }

  get framesLeft(): number {
    return this.#recording.frames.length - this.#next;
  }

  /** Plays the next frames and tells what they took. */
  run(frames: number): Replayed {
    const client = this.#client;
    const { prediction } = client.stats;
    const before = prediction.replayedTicks;
    const end = Math.min(this.#next + frames, this.#recording.frames.length);
    const startedAt = cpuMicros();
    for (let i = this.#next; i < end; i++) {
      const { atMs, received } = this.#recording.frames[i];
      for (let k = 0; k < received.length; k++) client.receive(received[k], 0, received[k].length, atMs);
      client.advance(atMs, inputAt(this.#recording.inputs, i));
      while (client.pollMessage(this.#out));
    }
    const spent = cpuMicros() - startedAt;
    const played = end - this.#next;
    this.#next = end;
    return { frames: played, replayedTicks: prediction.replayedTicks - before, cpuMicros: spent };
  }
}

function inputAt<I>(inputs: readonly I[], frame: number): I {
  return inputs[(frame >> 6) % inputs.length];
}
