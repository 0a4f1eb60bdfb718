/** The session behind `connect`: one `GameClient` on one carrier. */

import { Emitter, NetworkError } from "@riposte/protocol";
import type { Unsubscribe } from "@riposte/protocol";
import type { Connection } from "@riposte/protocol/channel";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { CallError, GameClient, outgoingMessage } from "@riposte/simulation/game";
import type {
  AnyGame,
  CallDefinition,
  GameClientOptions,
  InputOf,
  InterpolationMode,
  MessageDefinition,
  OutgoingMessage,
  ReplyOf,
  ValuesOf,
  ViewOf,
  WorldOf,
} from "@riposte/simulation/game";
import type { EventDefinition, EventListener, SpawnListener } from "@riposte/simulation/prediction";
import type { Fields } from "@riposte/simulation/state";
import type { CarrierHandlers, CarrierName, ClientCarrier } from "./carriers/carrier.ts";
import { RateMeter } from "./rate-meter.ts";
import { GameDebug } from "./session-debug.ts";
import type { CallHandler, Session, SessionEvents, SessionStats } from "./session.ts";

/** Messages of the server that cannot be read before the session gives up. */
const MAX_MALFORMED = 100;
/** `advance` wants the clock of `performance.now()`; a first call farther off than this is another clock. */
const MAX_CLOCK_DISTANCE_MS = 60_000;

/** Timers may come up to a millisecond early. */
const TIMER_SLACK_MS = 1;

export class GameSession<G extends AnyGame> implements Session<G> {
  readonly closed: Promise<NetworkError | undefined>;
  /** Resolves when the server has given this client its seat; rejects when the session ends before. */
  readonly ready: Promise<void>;
  readonly handlers: CarrierHandlers;
  readonly stats: SessionStats;
  readonly debug: GameDebug<G>;
  readonly #game: GameClient<G>;
  readonly #events: Emitter<SessionEvents>;
  readonly #outgoing: OutgoingMessage = outgoingMessage();
  readonly #received: RateMeter = new RateMeter();
  readonly #sent: RateMeter = new RateMeter();
  readonly #snapshots: RateMeter = new RateMeter();
  readonly #resolveClosed: (error: NetworkError | undefined) => void;
  readonly #resolveReady: () => void;
  readonly #rejectReady: (error: NetworkError) => void;
  #carrier: ClientCarrier | undefined;
  #clientId: bigint | undefined;
  #identity: string | undefined;
  #seat = -1;
  #malformed = 0;
  #flushQueued = false;
  #advanced = false;
  #over = false;
  #callTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(game: G, options: GameClientOptions = {}) {
    const closed = Promise.withResolvers<NetworkError | undefined>();
    this.closed = closed.promise;
    this.#resolveClosed = closed.resolve;
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    // Whoever waits for it hears of the failure; that nobody waits any more is no unhandled rejection.
    ready.promise.catch(() => undefined);
    this.#resolveReady = ready.resolve;
    this.#rejectReady = ready.reject;
    this.#game = new GameClient(game, options);
    this.debug = new GameDebug(this.#game, () => {
      this.#flushSoon();
      this.#watchCalls();
    });
    this.#events = new Emitter((error, event) => this.#report(`listener of "${event}"`, error));
    this.handlers = {
      message: (_connection, _channel, buffer, offset, length) => this.#receive(buffer, offset, length),
      raw: () => undefined,
      disconnected: (_connection, error) => this.#end(error),
      interrupted: () => this.#events.emit("interrupted", {}),
      migrated: () => this.#events.emit("migrated", { carrier: this.carrier }),
    };
    this.stats = this.#createStats();
  }

  get view(): ViewOf<G> {
    return this.#game.view;
  }

  get world(): WorldOf<G> {
    return this.#game.world;
  }

  get seat(): number {
    return this.#seat;
  }

  get clientId(): bigint | undefined {
    return this.#clientId;
  }

  get identity(): string | undefined {
    return this.#identity;
  }

  get interpolationMode(): InterpolationMode {
    return this.#game.interpolationMode;
  }

  set interpolationMode(mode: InterpolationMode) {
    this.#game.interpolationMode = mode;
  }

  get carrier(): CarrierName {
    return this.#openCarrier().connection.carrier.name;
  }

  get connection(): Connection {
    return this.#openCarrier().connection;
  }

  /** The carrier is connected. */
  start(carrier: ClientCarrier, clientId: bigint | undefined, identity: string | undefined): void {
    this.#carrier = carrier;
    this.#clientId = clientId;
    this.#identity = identity;
    this.#checkReady();
  }

  advance(now: number, input: InputOf<G>): void {
    if (this.#over) return;
    if (!this.#advanced) {
      const clock = performance.now();
      if (!(Math.abs(now - clock) < MAX_CLOCK_DISTANCE_MS)) {
        throw new RangeError(
          `advance wants the time that requestAnimationFrame gives, or performance.now() (now ${clock}), got ${now}`,
        );
      }
      this.#advanced = true;
    }
    const { connection } = this.stats;
    this.#game.updateLink(connection.rttMs, connection.lossRate, connection.meanBurstPackets);
    this.#game.advance(now, input);
    this.debug.sample(now);
    this.#pump();
    this.#openCarrier().flush();
    this.#received.sample(connection.bytesReceived, now);
    this.#sent.sample(connection.bytesSent, now);
    this.#snapshots.sample(this.#game.stats.snapshotBytes, now);
  }

  send<F extends Fields>(definition: MessageDefinition<F>, value: ValuesOf<MessageDefinition<F>>): boolean {
    if (this.#over) return false;
    const queued = this.#game.send(definition, value);
    this.#flushSoon();
    return queued;
  }

  call<Q extends Fields, A extends Fields>(
    definition: CallDefinition<Q, A>,
    request: ValuesOf<CallDefinition<Q, A>>,
  ): Promise<ReplyOf<CallDefinition<Q, A>>> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(new CallError(definition.name, "closed"));
        return;
      }
      this.#game.call(definition, request, performance.now(), (outcome) => {
        if (outcome.ok) resolve(outcome.value);
        else reject(new CallError(definition.name, outcome.reason));
      });
      this.#flushSoon();
      this.#watchCalls();
    });
  }

  on<Name extends keyof SessionEvents>(event: Name, listener: (value: SessionEvents[Name]) => unknown): Unsubscribe {
    return this.#events.on(event, listener);
  }

  onMessage<F extends Fields>(
    definition: MessageDefinition<F>,
    listener: (value: ValuesOf<MessageDefinition<F>>) => unknown,
  ): Unsubscribe {
    const during = `listener of message "${definition.name}"`;
    return this.#game.router.onMessage(definition, (value) => {
      try {
        const result = listener(value);
        if (result instanceof Promise) result.catch((error: unknown) => this.#report(during, error));
      } catch (error) {
        this.#report(during, error);
      }
    });
  }

  onEvent<F extends Fields>(
    definition: EventDefinition<F>,
    play: EventListener<ValuesOf<EventDefinition<F>>>,
    revoke?: EventListener<ValuesOf<EventDefinition<F>>>,
  ): Unsubscribe {
    const during = `listener of event "${definition.name}"`;
    const guarded =
      (listener: typeof play): typeof play =>
      (value, event) => {
        try {
          listener(value, event);
        } catch (error) {
          this.#report(during, error);
        }
      };
    return this.#game.events.on(definition, guarded(play), revoke === undefined ? undefined : guarded(revoke));
  }

  onSpawn(listener: SpawnListener | undefined): void {
    const guard = (hear: () => void): void => {
      try {
        hear();
      } catch (error) {
        this.#report("listener of spawns", error);
      }
    };
    this.#game.spawnListener = listener && {
      matched: (table, provisional, id) => guard(() => listener.matched?.(table, provisional, id)),
      vanished: (table, provisional) => guard(() => listener.vanished?.(table, provisional)),
    };
  }

  onCall<Q extends Fields, A extends Fields>(definition: CallDefinition<Q, A>, handler: CallHandler<Q, A>): void {
    this.#game.router.onCall(definition, (request, call) => {
      const refuse = (error: unknown): void => {
        call.refuse();
        this.#flushSoon();
        this.#report(`handler of call "${definition.name}"`, error);
      };
      const reply = (value: ReplyOf<CallDefinition<Q, A>>): void => {
        call.reply(value);
        this.#flushSoon();
      };
      try {
        const answer = handler(request);
        if (answer instanceof Promise) answer.then(reply).catch(refuse);
        else reply(answer);
      } catch (error) {
        refuse(error);
      }
    });
  }

  migrate(): Promise<void> {
    return this.#openCarrier().migrate();
  }

  simulate(conditions: NetworkConditions | undefined): void {
    this.#openCarrier().simulate(conditions);
  }

  async close(): Promise<void> {
    await this.#carrier?.close();
    this.#end(undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #receive(buffer: Uint8Array, offset: number, length: number): void {
    if (this.#over) return;
    if (!this.#game.receive(buffer, offset, length, performance.now())) {
      this.#malformed++;
      if (this.#malformed >= MAX_MALFORMED) {
        void this.#carrier?.close();
        this.#end(new NetworkError("protocolViolation", "the server sends messages that cannot be read"));
      }
    }
    this.#checkReady();
    if (this.#game.hasMessages && this.#carrier !== undefined) this.#flushSoon();
  }

  #checkReady(): void {
    if (this.#game.seat < 0) return;
    this.#seat = this.#game.seat;
    if (this.#carrier !== undefined) this.#resolveReady();
  }

  /** Hands what the game wants to say to the connection. */
  #pump(): void {
    const { connection } = this.#openCarrier();
    const out = this.#outgoing;
    while (this.#game.pollMessage(out)) {
      const result = connection.send(out.channel, out.buffer, out.offset, out.length);
      if (result === "full") this.#report("send", new Error(`the ${out.channel} queue is full, a message is lost`));
    }
  }

  /** For messages outside of `advance`: all of this turn share a packet. */
  #flushSoon(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    queueMicrotask(() => {
      this.#flushQueued = false;
      if (this.#over) return;
      this.#pump();
      this.#openCarrier().flush();
    });
  }

  /** Calls have a time limit also where nobody draws frames: in menus, in hidden tabs. */
  #watchCalls(): void {
    if (this.#callTimer !== undefined || this.#over) return;
    const dueAt = this.#game.nextTimeout();
    if (dueAt === Infinity) return;
    this.#callTimer = setTimeout(
      () => {
        this.#callTimer = undefined;
        this.#game.handleTimeout(performance.now());
        this.#watchCalls();
      },
      Math.max(0, dueAt - performance.now()) + TIMER_SLACK_MS,
    );
  }

  #end(error: NetworkError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#callTimer);
    this.#game.connectionLost();
    this.#rejectReady(error ?? new NetworkError("aborted", "the session was closed before the server gave it a seat"));
    this.#resolveClosed(error);
    this.#events.emit("closed", { error });
  }

  #report(during: string, error: unknown): void {
    if (during !== 'listener of "error"' && this.#events.count("error") > 0)
      this.#events.emit("error", { during, error });
    else console.error(`riposte: error in ${during}:`, error);
  }

  #openCarrier(): ClientCarrier {
    if (this.#carrier === undefined) throw new TypeError("the session is not connected yet");
    return this.#carrier;
  }

  #createStats(): SessionStats {
    const connection = (): Connection => this.#openCarrier().connection;
    const game = this.#game;
    const malformed = (): number => this.#malformed;
    const [received, sent, snapshots] = [this.#received, this.#sent, this.#snapshots];
    return {
      get connection() {
        return connection().stats;
      },
      get game() {
        return game.stats;
      },
      get bytesReceivedPerSec() {
        return received.perSec;
      },
      get bytesSentPerSec() {
        return sent.perSec;
      },
      get snapshotBytesPerSec() {
        return snapshots.perSec;
      },
      get malformed() {
        return malformed();
      },
    };
  }
}
