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
  /** Other answers, by status. */
  readonly others: Readonly<Record<string, number>>;
  /** ms, of each that was allocated: from when it was due, with a rate; else from when it was sent. */
  readonly times: readonly number[];
}

const HEAD_END = "\r\n\r\n";
const run = Date.now().toString(36);
let players = 0;

class Connection {
  readonly #socket: Socket;
  readonly #onAnswer: (status: number, dueAt: number) => void;
  #text = "";
  #dueAt = 0;

  constructor(port: number, onAnswer: (status: number, dueAt: number) => void) {
    this.#onAnswer = onAnswer;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#socket.on("error", () => undefined);
  }

  send(dueAt: number): void {
    const id = ++players;
    const key = `bench-${run}-${String(id).padStart(10, "0")}`;
    const body = `{"key":"${key}","clients":[{"clientId":"${id}"}]}`;
    this.#dueAt = dueAt;
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
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#text.slice(0, headEnd))?.[1] ?? 0);
    if (this.#text.length < headEnd + HEAD_END.length + length) return;
    const status = Number(this.#text.slice(9, 12));
    this.#text = "";
    this.#onAnswer(status, this.#dueAt);
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
  const due: number[] = [];
  const all: Connection[] = [];
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  let flying = 0;
  const send = (connection: Connection, dueAt: number): void => {
    flying++;
    connection.send(dueAt);
  };
  for (let i = 0; i < connections * ports.length; i++) {
    const connection: Connection = new Connection(ports[i % ports.length], (status, dueAt) => {
      flying--;
      const now = performance.now();
      if (status === 200) times.push(now - dueAt);
      else others[status] = (others[status] ?? 0) + 1;
      if (perSec === undefined) {
        if (now < endAt) send(connection, now);
      } else if (due.length > 0) send(connection, due.shift()!);
      else free.push(connection);
    });
    all.push(connection);
    if (perSec === undefined) send(connection, performance.now());
    else free.push(connection);
  }
  for (let n = 0; performance.now() < endAt;) {
    if (perSec !== undefined)
      for (; startedAt + (n * 1000) / perSec <= performance.now(); n++) {
        const dueAt = startedAt + (n * 1000) / perSec;
        // In turns, so that both balancers have as much to do.
        const connection = free.shift();
        if (connection === undefined) due.push(dueAt);
        else send(connection, dueAt);
      }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const elapsed = (performance.now() - startedAt) / 1000;
  for (let i = 0; i < 200 && (flying > 0 || due.length > 0); i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  for (const connection of all) connection.close();
  if (flying + due.length > 0) others.unanswered = flying + due.length;
  return { seconds: elapsed, allocated: times.length, others, times };
}
