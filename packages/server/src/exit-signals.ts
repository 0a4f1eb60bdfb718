/**
 * Ctrl-C and SIGTERM close the servers of this process before it ends, so that their clients are told
 * and need not wait for a timeout. A program that handles the signal itself is left alone, and a
 * second signal ends the process at once.
 */

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** How long the program may go on after its servers are closed, before the signal ends it after all. */
const LINGER_MS = 2000;

const servers: Set<Closable> = new Set();

/** What is closed: a server. */
export interface Closable {
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** From now until it is closed, the signals close this server. */
export function closeOnExitSignals(server: Closable): void {
  if (servers.size === 0) {
    // First in the list, so that a handler that is there for one signal only is still counted.
    for (const signal of SIGNALS) process.prependListener(signal, handle);
  }
  servers.add(server);
  void server.closed.then(() => {
    servers.delete(server);
    if (servers.size === 0) for (const signal of SIGNALS) process.off(signal, handle);
  });
}

function handle(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  for (const name of SIGNALS) process.off(name, handle);
  void Promise.all(Array.from(servers, (server) => server.close())).then(() => {
    // Not waited for: a program with nothing left to do has ended by then.
    setTimeout(() => process.kill(process.pid, signal), LINGER_MS).unref();
  });
}
