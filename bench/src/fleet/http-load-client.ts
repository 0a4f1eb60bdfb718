/**
 * Asks balancers for seats over HTTP on connections that stay open, each time for a new player: as fast as answers come on
 * so many connections at once, or at a steady rate, whatever the answers do. In a process of its own, and with sockets instead of
 * an HTTP client, so that what is measured is the balancers.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";

export interface HttpLoad {
  readonly ports: readonly number[];
  readonly seconds: number;
  /** Connections to each balancer. */
  readonly connections: number;
  /** Of all; without: as many as go. */
  readonly perSec?: number;
}

export interface HttpLoadReport {
  readonly seconds: number;
  readonly allocated: number;
  /** Other answers, by status; 202: asked again when told. */
  readonly others: Readonly<Record<string, number>>;
  /** ms, of each that was allocated: from when it was due, with a rate; else from when it was sent. */
  readonly times: readonly number[];
}

/** At the end, for answers that are still to come. */
const WAIT_ROUNDS = 600;
const HEAD_END = "\r\n\r\n";
const run = Date.now().toString(36);
let players = 0;

/** Who asks, since when, and with which ticket. */
interface Player {
  readonly id: number;
  readonly dueAt: number;
  /** As a piece of JSON. */
  readonly ticket: string;
}

class Connection {
  readonly #socket: Socket;
  readonly #onAnswer: (status: number, player: Player, body: string) => void;
  #text = "";
  #player: Player | undefined;

  constructor(port: number, onAnswer: (status: number, player: Player, body: string) => void) {
    this.#onAnswer = onAnswer;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#socket.on("error", () => undefined);
  }

  send(player: Player): void {
    const { id, ticket } = player;
    const key = `bench-${run}-${String(id).padStart(10, "0")}`;
    const body = `{"key":"${key}","clients":[{"clientId":"${id}"}]${ticket}}`;
    this.#player = player;
    this.#socket.write(
      `POST /v1/allocate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const headEnd = this.#text.indexOf(HEAD_END);
    if (headEnd < 0 || this.#player === undefined) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#text.slice(0, headEnd))?.[1] ?? 0);
    const bodyAt = headEnd + HEAD_END.length;
    if (this.#text.length < bodyAt + length) return;
    const status = Number(this.#text.slice(9, 12));
    const body = status === 202 ? this.#text.slice(bodyAt) : "";
    this.#text = "";
    this.#onAnswer(status, this.#player, body);
  }
}

process.on("message", (load: HttpLoad) => {
  void carryOut(load).then((report) => process.send!(report));
});
process.on("disconnect", () => process.exit());
process.send!("ready");

async function carryOut({ ports, seconds, connections, perSec }: HttpLoad): Promise<HttpLoadReport> {
  const times: number[] = [];
  const others: Record<string, number> = {};
  const free: Connection[] = [];
  const due: Player[] = [];
  const all: Connection[] = [];
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  const left = { players: 0 };
  const add = (dueAt: number): Player => {
    left.players++;
    return { id: ++players, dueAt, ticket: "" };
  };
  const next = (connection: Connection): void => {
    const player = due.shift();
    if (player !== undefined) connection.send(player);
    else if (perSec === undefined && performance.now() < endAt) connection.send(add(performance.now()));
    else free.push(connection);
  };
  const ask = (player: Player): void => {
    due.push(player);
    const connection = free.shift();
    if (connection !== undefined) next(connection);
  };
  for (let i = 0; i < connections * ports.length; i++) {
    const connection: Connection = new Connection(ports[i % ports.length], (status, player, body) => {
      if (status === 202) {
        const { ticket, askAgainInMs } = JSON.parse(body) as { ticket: string; askAgainInMs: number };
        setTimeout(ask, askAgainInMs, { ...player, ticket: `,"ticket":"${ticket}"` });
      } else left.players--;
      if (status === 200) times.push(performance.now() - player.dueAt);
      else others[status] = (others[status] ?? 0) + 1;
      next(connection);
    });
    all.push(connection);
    if (perSec === undefined) next(connection);
    else free.push(connection);
  }
  for (let n = 0; performance.now() < endAt;) {
    if (perSec !== undefined)
      for (; startedAt + (n * 1000) / perSec <= performance.now(); n++) ask(add(startedAt + (n * 1000) / perSec));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const elapsed = (performance.now() - startedAt) / 1000;
  for (let i = 0; i < WAIT_ROUNDS && left.players > 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const connection of all) connection.close();
  if (left.players > 0) others.unanswered = left.players;
  return { seconds: elapsed, allocated: times.length, others, times };
}
