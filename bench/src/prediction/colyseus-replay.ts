/**
 * Replays of Colyseus 0.18's own prediction and nothing else: `Predict.reconciler` of its SDK, joined to a room over
 * memory. The bytes are those of `@colyseus/core`'s serializer, behind the handshake and the time prefix of a room with
 * `defineInput()`; only the WebSocket and the room's timers are left out.
 */
import { ClientState, getMessageBytes, Protocol, SchemaSerializer } from "@colyseus/core";
import type { Client } from "@colyseus/core";
import { encode, Encoder, Reflection, schema, t } from "@colyseus/schema";
import { Predict, Room } from "@colyseus/sdk";
import type { InputHandle } from "@colyseus/sdk";
import { cpuMicros } from "./cpu-time.ts";
import type { Replayed } from "./riposte-replay.ts";

const TICK_RATE = 128;
/** Two ticks are sent and acknowledged in each frame. */
const FRAME_TICKS = 2;
const STEP_MS = 1000 / TICK_RATE;
/** Sections of the handshake and their flags, as `@colyseus/shared-types` numbers them. */
const INPUT_REFLECTION = 1;
const INPUT_OPTIONS = 2;
const FIXED_TIMESTEP = 2;
const PATCH_RATE = 4;

const Player = schema({
  x: t.float32(),
  y: t.float32(),
  z: t.float32(),
  vx: t.float32(),
  vy: t.float32(),
  vz: t.float32(),
  yaw: t.float32(),
  pitch: t.float32(),
  energy: t.float32(),
  health: t.uint8(),
  ammunition: t.uint8(),
  grounded: t.boolean(),
});
const State = schema({ player: Player });
const Input = schema({ right: t.float32(), jump: t.boolean(), aim: t.float32() });

type PlayerFields = Record<string, number | boolean>;

/** The parts of a room that the SDK keeps to itself, and what stands in for the socket. */
interface JoinedRoom {
  connection: { readonly isOpen: boolean; send(bytes: Uint8Array): void };
  onMessageCallback(event: { readonly data: Uint8Array }): void;
}

export class ColyseusReplay {
  readonly #serializer = new SchemaSerializer();
  readonly #state = new State();
  readonly #predict: Predict;
  readonly #input: InputHandle<PlayerFields>;
  readonly #client: Client;
  readonly #acknowledged = { ackSeq: 0 };
  readonly #receive: (bytes: Uint8Array) => void;
  /** By the server, not received yet. */
  readonly #sent: Uint8Array[] = [];

  /** Stays `ahead` inputs ahead of the server, which changes a field in each patch. */
  constructor(ahead: number) {
    const player = new Player();
    Object.assign(player, { x: 100, y: -20.5, z: 3, vx: 7.25, vy: -2, vz: 0.5, yaw: 1, pitch: 0, energy: 0 });
    Object.assign(player, { health: 80, ammunition: 0, grounded: false });
    this.#state.player = player;
    this.#serializer.reset(this.#state);
    const room = new Room<unknown, InstanceType<typeof State>>("bench");
    const joined = room as unknown as JoinedRoom;
    joined.connection = { isOpen: true, send(): void {} };
    this.#receive = (data): void => joined.onMessageCallback({ data });
    const raw = (bytes: Uint8Array): void => void this.#sent.push(bytes);
    this.#client = { state: ClientState.JOINED, _inputBuffer: this.#acknowledged, raw } as unknown as Client;

    const options = new Uint8Array(24);
    const at = { offset: 0 };
    options[at.offset++] = FIXED_TIMESTEP | PATCH_RATE;
    encode.number(options, TICK_RATE, at);
    encode.number(options, Math.round(FRAME_TICKS * STEP_MS), at);
    const sections = [
      { tag: INPUT_REFLECTION, bytes: Reflection.encode(new Encoder(new Input())) },
      { tag: INPUT_OPTIONS, bytes: options.subarray(0, at.offset) },
    ];
    this.#receive(getMessageBytes[Protocol.JOIN_ROOM]("token", "schema", this.#serializer.handshake(), sections));
    this.#receive(this.#serializer.getFullState(this.#client, { sNow: 1 }));

    this.#input = room.input({ type: Input }) as unknown as InputHandle<PlayerFields>;
    this.#predict = Predict.get(room);
    this.#predict.reconciler(room.state.player, { input: this.#input, step: () => {} });
    this.#send(ahead);
    this.#predict.tick(1);
  }

  /** Plays frames and tells what they took; what a server does in between is not counted. */
  run(frames: number): Replayed {
    const first = this.#acknowledged.ackSeq;
    for (let i = 0; i < frames; i++) {
      this.#acknowledged.ackSeq += FRAME_TICKS;
      this.#state.player.x = (this.#acknowledged.ackSeq * 37) % 400;
      const now = this.#acknowledged.ackSeq * STEP_MS;
      this.#serializer.applyPatches([this.#client], this.#state, { sNow: now });
    }
    let replayedTicks = 0;
    const startedAt = cpuMicros();
    for (let i = 0; i < frames; i++) {
      this.#receive(this.#sent[i]);
      this.#predict.tick((first + (i + 1) * FRAME_TICKS) * STEP_MS);
      replayedTicks += this.#input.pendingCount;
      this.#send(FRAME_TICKS);
    }
    const spent = cpuMicros() - startedAt;
    this.#sent.length = 0;
    return { frames, replayedTicks, cpuMicros: spent };
  }

  #send(count: number): void {
    const { data } = this.#input;
    for (let i = 0; i < count; i++) {
      data.right = 0.5;
      data.jump = true;
      data.aim = 2;
      this.#input.send();
    }
  }
}
