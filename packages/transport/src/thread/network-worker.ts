/** The entry of a network thread; `ThreadLink` starts it. */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import type { BoundServer } from "../listen-transport.ts";
import { NetworkThread } from "./network-thread.ts";
import type { ThreadStart } from "./thread-options.ts";

/** What the worker is given beside the start: its ends of the ports. */
export interface WorkerStart {
  readonly start: ThreadStart;
  readonly down: MessagePort;
  readonly up: MessagePort;
  readonly answers: MessagePort;
  readonly answered: SharedArrayBuffer;
}

/** What a worker says by its own port; 0 wakes the game thread. */
export type WorkerMessage =
  | 0
  | { readonly type: "bound"; readonly port: number; readonly firstSocketPath: number }
  | { readonly type: "open"; readonly canSimulate: boolean }
  | { readonly type: "failed"; readonly message: string; readonly code: string | undefined; readonly name: string };

/** What it is told; 0 wakes it. */
export type WorkerRequest = 0 | { readonly publicAddresses: readonly string[] };

function run(game: MessagePort, { start, down, up, answers, answered }: WorkerStart): void {
  const post = (message: WorkerMessage): void => game.postMessage(message);
  const wakeGame = (): void => post(0);
  const thread = new NetworkThread(start, { wakeGame, down, up, answers, answered: new Int32Array(answered) });
  let bound: BoundServer | undefined;
  const fail = (error: unknown): void => {
    const { message, name } = error instanceof Error ? error : new Error(String(error));
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    post({ type: "failed", message, name, code });
  };
  game.on("message", (request: WorkerRequest) => {
    if (request === 0) {
      thread.handleWake();
      return;
    }
    if (bound === undefined) return;
    try {
      const { canSimulate } = thread.open(bound, request.publicAddresses);
      post({ type: "open", canSimulate });
    } catch (error) {
      fail(error);
    }
  });
  thread.bind().then((socket) => {
    bound = socket;
    post({ type: "bound", port: socket.port, firstSocketPath: socket.firstSocketPath });
  }, fail);
}

if (parentPort !== null) run(parentPort, workerData as WorkerStart);
