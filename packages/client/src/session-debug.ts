/** `session.debug`: why was I corrected, and what does the server know of me. For developers. */
import {
  DebugError,
  explainMisprediction,
  predictedFields,
  PredictionProbe,
  readPlayerHistory,
  readShots,
} from "@riposte/simulation/debug";
import type {
  MispredictionExplanation,
  MispredictionReport,
  PlayerHistory,
  PredictionProbeOptions,
  PresentPlace,
  ShotAccount,
} from "@riposte/simulation/debug";
import type { AnyGame, GameClient } from "@riposte/simulation/game";

export interface SessionDebug {
  /** Whether the server answers questions (`listen(game, { match: { debug: true } })`). */
  readonly enabled: boolean;
  /** The last mispredictions of this session, oldest first, at most 16; noted whether the channel is open or not. */
  readonly mispredictions: readonly MispredictionReport[];
  /** Begins to note curves and ways for a `PredictionOverlay`, a sample in each `advance`, until the session is over. */
  probe(options?: PredictionProbeOptions): PredictionProbe;
  /** The server's account of this player in these ticks, both included, as far as it is kept. Rejects with `DebugError`. */
  history(fromTick: number, toTick: number): Promise<PlayerHistory>;
  /**
   * Where a misprediction (the newest, unless one is given) began, and by which input: asks for the server's account and
   * holds it against the client's. `undefined` when there is none to explain. Rejects with `DebugError`.
   */
  explain(report?: MispredictionReport): Promise<MispredictionExplanation | undefined>;
  /**
   * This player's last shots, as many as a message has room for and at most 4, the oldest first: the server's receipts with
   * the ray and the rewound hitboxes, where those who were looked at are now, and where they were drawn here. Rejects with
   * `DebugError`.
   */
  shots(): Promise<OwnShot[]>;
}

/** A shot of this player: how the server judged it, and what was on the screen when it was fired. */
export interface OwnShot extends ShotAccount {
  /** Where everybody was drawn at the input of the shot; `undefined` when that is too long ago. */
  readonly drawn: readonly PresentPlace[] | undefined;
}

export class GameDebug<G extends AnyGame> implements SessionDebug {
  readonly #client: GameClient<G>;
  readonly #asked: () => void;
  readonly #probes: PredictionProbe[] = [];

  /** `asked`: a question waits to be sent. */
  constructor(client: GameClient<G>, asked: () => void) {
    this.#client = client;
    this.#asked = asked;
  }

  get enabled(): boolean {
    return this.#client.debug.enabled;
  }

  get mispredictions(): readonly MispredictionReport[] {
    return this.#client.mispredictions.reports;
  }

  probe(options: PredictionProbeOptions = {}): PredictionProbe {
    const probe = new PredictionProbe(options);
    this.#probes.push(probe);
    return probe;
  }

  /** Once a frame. */
  sample(now: number): void {
    for (let i = 0; i < this.#probes.length; i++) this.#probes[i].sample(this.#client, now);
  }

  async history(fromTick: number, toTick: number): Promise<PlayerHistory> {
    const answer = await this.#ask("history", { fromTick, toTick });
    const history = readPlayerHistory(answer);
    if (history === undefined) throw new DebugError("history", "refused", "the server's answer is no history");
    return history;
  }

  async explain(
    report: MispredictionReport | undefined = this.mispredictions.at(-1),
  ): Promise<MispredictionExplanation | undefined> {
    const first = report?.history.ticks.at(0);
    if (report === undefined || first === undefined) return undefined;
    const server = await this.history(first.tick, report.tick);
    return explainMisprediction(report.history, server, predictedFields(this.#client.game.states));
  }

  async shots(): Promise<OwnShot[]> {
    const shots = readShots(await this.#ask("shots", null));
    if (shots === undefined) throw new DebugError("shots", "refused", "the server's answer is no list of shots");
    const own: OwnShot[] = [];
    for (const shot of shots) own.push({ ...shot, drawn: this.#client.pictures.at(shot.view.verdict.tick) });
    return own;
  }

  #ask(method: string, parameters: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#client.debug.ask(method, parameters, performance.now(), (outcome) => {
        if (outcome.ok) resolve(outcome.value);
        else reject(new DebugError(method, outcome.reason, outcome.message));
      });
      if (this.enabled) this.#asked();
    });
  }
}
