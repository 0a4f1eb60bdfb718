/** Game servers ("nodes") as a process of their own: see `node-program.ts`. */
import type { RegistrationOptions, SeatLedgerView } from "@riposte/fleet";
import { Child } from "./child.ts";

export interface NodeTask {
  readonly balancers: readonly string[];
  /** Of the node key `k`, in hex. */
  readonly secret: string;
  readonly nodes: readonly RegistrationOptions[];
}

export interface ArrivingWithToken {
  readonly node: string;
  readonly clientId: string;
  readonly token: string;
}

type Order =
  | { readonly kind: "arrive"; readonly players: readonly ArrivingWithToken[] }
  | { readonly kind: "leave"; readonly players: readonly Pick<ArrivingWithToken, "node" | "clientId">[] }
  | { readonly kind: "seats" }
  /** Nodes that send everybody away from now on. */
  | { readonly kind: "refuse"; readonly nodes: readonly string[] };

export type NodeOrder = Order & { readonly number: number };

/** `number`: of the order; 0: it is ready. */
export interface NodeReply {
  readonly number: number;
  readonly answer: readonly (string | ({ readonly id: string } & SeatLedgerView))[];
}

const STARTS_WITHIN_MS = 20_000;
const ANSWERS_WITHIN_MS = 1000;
const PROGRAM = new URL("node-program.ts", import.meta.url).pathname;

export class NodeProcess extends Child {
  readonly nodes: readonly string[];
  readonly #waiting: Map<number, (answer: NodeReply["answer"]) => void> = new Map();
  #number = 0;

  private constructor(task: NodeTask, execArgv: readonly string[]) {
    super(process.execPath, [...execArgv, PROGRAM, JSON.stringify(task)], ["ignore", "ignore", "inherit", "ipc"]);
    this.nodes = task.nodes.map(({ id }) => id);
    this.process.on("message", ({ number, answer }: NodeReply) => {
      this.#waiting.get(number)?.(answer);
      this.#waiting.delete(number);
    });
  }

  /** When all its nodes are registered. */
  static async start(task: NodeTask, execArgv: readonly string[] = []): Promise<NodeProcess> {
    const started = new NodeProcess(task, execArgv);
    if ((await started.#answer(0, STARTS_WITHIN_MS)) !== undefined) return started;
    await started.kill();
    throw new Error("the nodes have not registered");
  }

  /** "" when the player is in, else why not; undefined: nobody answers. */
  async arrive(player: ArrivingWithToken): Promise<string | undefined> {
    const [why] = (await this.#order({ kind: "arrive", players: [player] })) ?? [];
    return why as string | undefined;
  }

  async leave(players: readonly Pick<ArrivingWithToken, "node" | "clientId">[]): Promise<void> {
    await this.#order({ kind: "leave", players });
  }

  async refuse(nodes: readonly string[]): Promise<void> {
    await this.#order({ kind: "refuse", nodes });
  }

  async seats(): Promise<readonly ({ readonly id: string } & SeatLedgerView)[]> {
    return ((await this.#order({ kind: "seats" })) ?? []) as readonly ({ readonly id: string } & SeatLedgerView)[];
  }

  async #order(order: Order): Promise<NodeReply["answer"] | undefined> {
    if (this.downSince !== undefined || !this.process.connected) return undefined;
    const number = ++this.#number;
    this.process.send({ ...order, number } satisfies NodeOrder);
    return this.#answer(number, ANSWERS_WITHIN_MS);
  }

  #answer(number: number, withinMs: number): Promise<NodeReply["answer"] | undefined> {
    const { promise, resolve } = Promise.withResolvers<NodeReply["answer"] | undefined>();
    const timer = setTimeout(() => {
      this.#waiting.delete(number);
      resolve(undefined);
    }, withinMs);
    this.#waiting.set(number, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    return promise;
  }
}
