/** What Node can dial: native UDP, which is the default, and WebSocket. */

import { dialUdp } from "@riposte/transport";
import type { ClientTransport } from "@riposte/transport";
import { ResumePolicy } from "../resume-policy.ts";
import { dialWebSocket } from "../websocket-carrier.ts";
import { WebSocketLink } from "../websocket-link.ts";
import type { ClientCarrier, Dial, DialOptions } from "./carrier.ts";

export const defaultCarrier: "udp" | "websocket" = "udp";

async function dial(options: DialOptions): Promise<ClientCarrier> {
  const { token, schemaHash, handlers, signal, simulate } = options;
  const resume = new ResumePolicy();
  const transport = await dialUdp({
    token,
    schemaHash,
    signal,
    simulate,
    handlers: {
      message: (connection, channel, buffer, offset, length, stream) =>
        handlers.message(connection, channel, buffer, offset, length, stream),
      raw: (connection, buffer, offset, length) => handlers.raw(connection, buffer, offset, length),
      drained: (connection) => handlers.drained?.(connection),
      disconnected: (connection, error) => handlers.disconnected(connection, error),
      interrupted: (connection) => {
        resume.onInterrupted(performance.now());
        handlers.interrupted?.(connection);
      },
      migrated: (connection) => {
        resume.onMigrated(performance.now());
        handlers.migrated?.(connection);
      },
    },
  });
  watch(transport, resume, options.url);
  return transport;
}

/** Looks for another way when the one in use falls silent: another port, then a WebSocket, in turns. */
function watch(transport: ClientTransport, resume: ResumePolicy, url: string): void {
  if (transport.connection.negotiated.sessionId === undefined) return;
  const arm = (): NodeJS.Timeout =>
    setTimeout(check, Math.max(1, resume.dueAt(transport.lastReceivedAt) - performance.now())).unref();
  const check = (): void => {
    const now = performance.now();
    if (now >= resume.dueAt(transport.lastReceivedAt)) {
      const byUdp = resume.attempts % 2 === 0;
      resume.onAttempt(now);
      // One that fails is followed by the next.
      (byUdp ? transport.migrate() : migrateToWebSocket(transport, resume, url)).catch(() => undefined);
    }
    timer = arm();
  };
  let timer = arm();
  void transport.closed.then(() => clearTimeout(timer));
}

async function migrateToWebSocket(transport: ClientTransport, resume: ResumePolicy, url: string): Promise<void> {
  const link = new WebSocketLink(url);
  await link.opened;
  if (resume.isNeeded(transport.lastReceivedAt, performance.now())) await transport.migrateTo(link);
  else link.close();
}

export const dialers: { readonly udp: Dial | undefined; readonly websocket: Dial } = {
  udp: dial,
  websocket: dialWebSocket,
};
