/**
 * Bots in the arena, all in one process over memory: what players of a real game wish, and the messages in which their
 * clients send it, tick by tick. The same every time.
 */
import { Random } from "@riposte/protocol";
import { BotMind } from "@riposte/arena/bot-mind";
import { game } from "@riposte/arena/game";
import { GameClient, Match, outgoingMessage } from "@riposte/simulation/game";
import { InputSizes } from "@riposte/simulation/prediction";

/** Of the way in each direction. */
const LATENCY_TICKS = 2;
/** Frames are as even as a display's; packets come at any time up to this long before one. */
const FRAME_JITTER_MS = 0.1;
const ARRIVAL_JITTER_MS = 8;

export interface ArenaRecording {
  readonly players: number;
  /** What the server receives before each tick, by seat: one message for each player that has joined by then. */
  readonly messages: readonly (readonly SeatMessage[])[];
  /** What inputs and view stamps took, of all players. */
  readonly sizes: InputSizes;
}

interface SeatMessage {
  readonly seat: number;
  readonly bytes: Uint8Array;
}

export function recordArena(players: number, ticks: number): ArenaRecording {
  const random = new Random(7);
  const match = new Match(game, { seed: 5, maxSeats: players });
  const clients = Array.from({ length: players }, (_, i) => {
    const client = new GameClient(game);
    client.updateLink(2 * LATENCY_TICKS * game.tickMs, 0);
    return {
      client,
      seat: match.join(BigInt(i + 1)),
      mind: new BotMind(0.35 + 0.5 * random.next(), () => random.next()),
    };
  });
  const out = outgoingMessage();
  const buffer = new Uint8Array(1400);
  const up: SeatMessage[][] = [];
  const down: SeatMessage[][] = [];
  for (let tick = 0; tick < ticks; tick++) {
    for (const { seat, bytes } of up[tick - LATENCY_TICKS] ?? []) match.receive(seat, bytes, 0, bytes.length);
    match.tick();
    const sent: SeatMessage[] = [];
    const made: SeatMessage[] = [];
    for (const { client, seat, mind } of clients) {
      const now = tick * game.tickMs + random.next() * FRAME_JITTER_MS;
      while (match.pollMessage(seat, out))
        sent.push({ seat, bytes: out.buffer.slice(out.offset, out.offset + out.length) });
      const length = match.currentTick % game.snapshotTicks === 0 ? match.writeSnapshot(seat, buffer) : 0;
      if (length > 0) sent.push({ seat, bytes: buffer.slice(0, length) });
      for (const message of down[tick - LATENCY_TICKS] ?? [])
        if (message.seat === seat)
          client.receive(message.bytes, 0, message.bytes.length, now - random.next() * ARRIVAL_JITTER_MS);
      const { players: seen } = client.view;
      client.advance(now, mind.decide(seen.mine, seen.all(), 1 / game.tickRate));
      while (client.pollMessage(out)) made.push({ seat, bytes: out.buffer.slice(out.offset, out.offset + out.length) });
    }
    down.push(sent);
    up.push(made);
  }
  const sizes = new InputSizes();
  for (const { client } of clients) {
    client.inputSizes.records.forEach((count, bits) => (sizes.records[bits] += count));
    client.inputSizes.stamps.forEach((count, bits) => (sizes.stamps[bits] += count));
  }
  const delay = Array.from({ length: LATENCY_TICKS }, () => []);
  return { players, messages: [...delay, ...up].slice(0, ticks), sizes };
}
