/**
 * `room.debug`: what an operator or developer may ask about one player's prediction, as typed functions. Needs the debug
 * channel (`match: { debug: true }`); without it everything fails with a `DebugError` of reason "off".
 */
import { compareAbilities, INTERPOLATION_MODES } from "@riposte/simulation/prediction";
import type { AbilityDifference, AbilityView, InterpolationMode } from "@riposte/simulation/prediction";
import { DebugError, readPlaces, readPredictionReport, readShots } from "@riposte/simulation/debug";
import type {
  ClientPredictionReport,
  DebugOutcome,
  InputBufferReport,
  PlayerHistory,
  PresentPlace,
  SeatDebug,
  ShotAccount,
  TickRange,
} from "@riposte/simulation/debug";
import type {
  FairnessReport,
  FavorChange,
  FavorTheShooter,
  FavorTheShooterSettings,
  PlayerHitStats,
} from "@riposte/simulation/rewind";
import type { Client } from "./room-client.ts";

/** A player's abilities on both sides. */
export interface AbilityReport {
  readonly server: AbilityView;
  /** As the client says it predicts them. It is ahead of the server, so what regenerates differs by these ticks. */
  readonly client: AbilityView;
  readonly differences: readonly AbilityDifference[];
}

/** A shot on both sides. */
export interface RoomShot extends ShotAccount {
  /** Where the client says it drew everybody at the input of the shot; `undefined` when it does not know any more. */
  readonly drawn: readonly PresentPlace[] | undefined;
}

export interface RoomDebug {
  /** Whether the debug channel is open. */
  readonly enabled: boolean;
  /** The player's inputs that wait for their tick, and how they arrive. */
  inputBuffer(client: Client): InputBufferReport;
  /** The player's inputs as they were used and its entities after each tick; by default all that is kept (2 s). */
  history(client: Client, range?: TickRange): PlayerHistory;
  /**
   * The player's last shots, at most 16, the oldest first: receipts with the ray and the rewound hitboxes, where those who
   * were looked at are now, and, as the client says, where it drew them.
   */
  shots(client: Client): Promise<RoomShot[]>;
  /** How fair the room is to whom: as `room.fairness()`. */
  fairness(): FairnessReport;
  /**
   * Changes how far shooters are favoured, and returns what is in force then. Throws `RangeError`, with nothing changed, for
   * what cannot be and for a `version` that is not the one in force.
   */
  setFavorTheShooter(change: FavorChange): FavorTheShooterSettings;
  /** Asks the client for its prediction's figures and its last mispredictions. */
  prediction(client: Client): Promise<ClientPredictionReport>;
  /** The abilities of the player here and there. Rejects when the game has no `inspectAbilities`. */
  abilities(client: Client): Promise<AbilityReport>;
  /** What became of the player's shots, and how suspicious they are. */
  hits(client: Client): PlayerHitStats;
  /** Makes the client draw the others in this way from now on. */
  setInterpolationMode(client: Client, mode: InterpolationMode): Promise<void>;
}

/** What `room.debug` needs of its room. */
export interface DebuggedRoom {
  readonly enabled: boolean;
  readonly favorTheShooter: FavorTheShooter;
  fairness(): FairnessReport;
  /** `undefined` when the client is not in the room, or the channel is not open. */
  seatOf(client: Client): SeatDebug | undefined;
  /** Of a client that is in the room. */
  hitsOf(client: Client): PlayerHitStats;
  ask(client: Client, method: string, parameters: unknown, done: (outcome: DebugOutcome) => void): void;
}

export class GameRoomDebug implements RoomDebug {
  readonly #room: DebuggedRoom;

  constructor(room: DebuggedRoom) {
    this.#room = room;
  }

  get enabled(): boolean {
    return this.#room.enabled;
  }

  inputBuffer(client: Client): InputBufferReport {
    return this.#seatOf(client, "inputBuffer").inputBuffer();
  }

  history(client: Client, range?: TickRange): PlayerHistory {
    return this.#seatOf(client, "history").history(range);
  }

  hits(client: Client): PlayerHitStats {
    this.#seatOf(client, "hits");
    return this.#room.hitsOf(client);
  }

  fairness(): FairnessReport {
    this.#requireOpen("fairness");
    return this.#room.fairness();
  }

  setFavorTheShooter(change: FavorChange): FavorTheShooterSettings {
    this.#requireOpen("setFavorTheShooter");
    return this.#room.favorTheShooter.change(change);
  }

  async shots(client: Client): Promise<RoomShot[]> {
    const shots = readShots(this.#seatOf(client, "shots").shots()) ?? [];
    const all: RoomShot[] = [];
    for (const shot of shots) {
      const drawn = readPlaces(await this.#ask(client, "picture", shot.view.verdict.tick));
      all.push({ ...shot, drawn });
    }
    return all;
  }

  async prediction(client: Client): Promise<ClientPredictionReport> {
    const report = readPredictionReport(await this.#ask(client, "prediction", null));
    if (report === undefined) throw new DebugError("prediction", "refused", "the client's answer is no report");
    return report;
  }

  async abilities(client: Client): Promise<AbilityReport> {
    const theirs = await this.#ask(client, "abilities", null);
    const server = this.#seatOf(client, "abilities").abilities();
    if (server === undefined) throw new DebugError("abilities", "refused", "the game has no inspectAbilities");
    if (!isAbilityView(theirs)) throw new DebugError("abilities", "refused", "the client's answer is no view");
    return { server, client: theirs, differences: compareAbilities(server, theirs) };
  }

  async setInterpolationMode(client: Client, mode: InterpolationMode): Promise<void> {
    if (!INTERPOLATION_MODES.includes(mode))
      throw new RangeError(`mode must be one of ${INTERPOLATION_MODES.join(", ")}, got "${mode}"`);
    await this.#ask(client, "setInterpolationMode", mode);
  }

  #seatOf(client: Client, method: string): SeatDebug {
    const seat = this.#room.seatOf(client);
    if (seat !== undefined) return seat;
    this.#requireOpen(method);
    throw new DebugError(method, "closed", "the client is not in this room");
  }

  #requireOpen(method: string): void {
    if (!this.enabled) throw new DebugError(method, "off", "the debug channel is not open (match: { debug: true })");
  }

  async #ask(client: Client, method: string, parameters: unknown): Promise<unknown> {
    this.#seatOf(client, method);
    const outcome = await new Promise<DebugOutcome>((resolve) => this.#room.ask(client, method, parameters, resolve));
    if (outcome.ok) return outcome.value;
    throw new DebugError(method, outcome.reason, outcome.message);
  }
}

/** As far as a comparison needs it: whatever else a client put in is its own affair. */
function isAbilityView(value: unknown): value is AbilityView {
  if (typeof value !== "object" || value === null) return false;
  const { tick, resources, abilities, effects, log } = value as Partial<Record<keyof AbilityView, unknown>>;
  return (
    typeof tick === "number" &&
    [resources, abilities, effects].every((part) => typeof part === "object" && part !== null) &&
    Array.isArray(log)
  );
}
