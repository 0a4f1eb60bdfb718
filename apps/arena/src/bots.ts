/**
 * Bots: real clients on native UDP, with connect tokens from the server's token service. One process runs many.
 *
 *     node src/bots.ts http://localhost:7777 --count 8 [--skill 0.6] [--room name] [--first-name 0] [--rally]
 *
 * A parent process gets `{ ready: true }` when all are in the game, and may send `{ skill, rally: { x, y } }`.
 */
import { parseArgs } from "node:util";
import { connect } from "@riposte/client";
import type { Session } from "@riposte/client";
import { BotMind } from "./bot-mind.ts";
import { goalNear } from "./navigation.ts";
import { game } from "./game.ts";
import type { ArenaGame } from "./game.ts";
import { writeProfile } from "./profile.ts";
import { TICK_RATE } from "./rules.ts";

const NAMES =
  "Vex Halcyon Moth Kestrel Juno Rook Ember Sable Quill Onyx Lyra Bram Wren Pike Nova Flint Ibis Gale Hex Isolde Jinx Kite Lark Mako Nyx Orin Puck Ravn Sol Tarn Umber Vale Wisp Yarrow Zephyr Ash Birch Cinder Dune Elk Fable Grim".split(
    " ",
  );
/** Bots move in groups, so that their packets do not all leave in the same millisecond. */
const GROUPS = 4;
const RETRY_MS = 2000;

export interface BotOptions {
  readonly count: number;
  /** Where in the list of names to begin, so that two processes have different ones. Default 0. */
  readonly firstName?: number;
  /** 0 to 1, or undefined: each its own. */
  readonly skill?: number;
  readonly room?: string;
  readonly signal?: AbortSignal;
}

interface Bot {
  readonly mind: BotMind;
  readonly profile: Uint8Array;
  session: Session<ArenaGame> | undefined;
}

export class Bots {
  /** Sessions that ended though nobody closed them; each is followed by a new one. */
  lost = 0;
  readonly #url: string;
  readonly #room: string | undefined;
  readonly #bots: readonly Bot[];
  #group = 0;
  #lastAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(url: string, options: BotOptions) {
    this.#url = url;
    this.#room = options.room;
    const first = options.firstName ?? 0;
    this.#bots = Array.from({ length: options.count }, (_, offset) => {
      const i = first + offset;
      const name = NAMES[i % NAMES.length] + (i < NAMES.length ? "" : ` ${Math.floor(i / NAMES.length) + 1}`);
      const skill = options.skill ?? 0.35 + 0.5 * Math.random();
      return {
        mind: new BotMind(skill, Math.random),
        profile: writeProfile({ name, hue: Math.floor((i * 180 * 0.618) % 180) }),
        session: undefined,
      };
    });
  }

  /** Connects them all; resolves when every one is in the game. */
  async start(): Promise<void> {
    this.#lastAt = performance.now();
    this.#turn();
    await Promise.all(this.#bots.map((bot, i) => this.#enter(bot, i * 15)));
  }

  get sessions(): Session<ArenaGame>[] {
    return this.#bots.map((bot) => bot.session).filter((session) => session !== undefined);
  }

  setSkill(skill: number): void {
    for (const { mind } of this.#bots) mind.skill = skill;
  }

  /** They all go where the goal nearest to this place is, when there is nobody to shoot at. */
  rally(x: number, y: number): void {
    for (const { mind } of this.#bots) mind.rally = goalNear(x, y);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all(this.sessions.map((session) => session.close()));
  }

  async #enter(bot: Bot, waitMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (this.#closed) return;
    const room = this.#room === undefined ? {} : { room: this.#room };
    try {
      bot.session = await connect(game, this.#url, { userData: bot.profile, carrier: "udp", ...room });
    } catch (error) {
      if (this.#closed) return;
      console.error(`a bot cannot join: ${error instanceof Error ? error.message : String(error)}`);
      return this.#enter(bot, RETRY_MS);
    }
    bot.session.on("closed", () => {
      bot.session = undefined;
      if (this.#closed) return;
      this.lost++;
      void this.#enter(bot, RETRY_MS);
    });
  }

  /** Every few milliseconds one group; each bot once a tick. */
  #turn(): void {
    const now = performance.now();
    const dt = 1 / TICK_RATE;
    for (let i = this.#group; i < this.#bots.length; i += GROUPS) {
      const { mind, session } = this.#bots[i];
      if (session === undefined) continue;
      const { players } = session.view;
      session.advance(now, mind.decide(players.mine, players.all(), dt));
    }
    this.#group = (this.#group + 1) % GROUPS;
    const stepMs = 1000 / TICK_RATE / GROUPS;
    this.#lastAt = Math.max(this.#lastAt + stepMs, now - 50);
    this.#timer = setTimeout(() => this.#turn(), Math.max(0, this.#lastAt - performance.now()));
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: "string" },
      skill: { type: "string" },
      room: { type: "string" },
      "first-name": { type: "string" },
      rally: { type: "boolean", default: false },
    },
  });
  const bots = new Bots(positionals[0] ?? "http://localhost:7777", {
    count: Number(values.count ?? 8),
    firstName: Number(values["first-name"] ?? 0),
    ...(values.skill === undefined ? {} : { skill: Number(values.skill) }),
    ...(values.room === undefined ? {} : { room: values.room }),
  });
  const end = (): void => void bots.close().then(() => process.exit(0));
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  process.on("disconnect", end);
  process.on("message", (message: { skill?: number; rally?: { x: number; y: number } }) => {
    if (message.skill !== undefined) bots.setSkill(message.skill);
    if (message.rally !== undefined) bots.rally(message.rally.x, message.rally.y);
  });
  if (values.rally) bots.rally(0, 0);
  await bots.start();
  process.send?.({ ready: true });
}
