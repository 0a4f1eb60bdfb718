/** Changes of a connection's state as qlog events. */

import type { NetworkError } from "@riposte/protocol";
import type { GameConnection } from "@riposte/protocol/channel";
import type { ConnectionStatus } from "../network/network-event-listener.ts";
import type { StateChange } from "./connection-recorder.ts";

/** A qlog event but for its time. */
export interface QlogEventBody {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** `application_code` is 32 bits in qlog, ours is not. */
const MAX_CODE = 0xffff_ffff;

export function stateEvents(change: StateChange, connection: GameConnection): readonly QlogEventBody[] {
  switch (change.type) {
    case "congestion": {
      const { old, algorithm } = change;
      const data = { ...(old !== "" && { old }), new: change.new, algorithm };
      return [{ name: "recovery:congestion_state_updated", data }];
    }
    case "mtu": {
      const { old } = change;
      return [{ name: "connectivity:mtu_updated", data: { ...(old > 0 && { old }), new: change.new } }];
    }
    case "status":
      return statusEvents(change.status, connection);
  }
}

function statusEvents(status: ConnectionStatus, connection: GameConnection): readonly QlogEventBody[] {
  switch (status) {
    case "connecting":
      return [stateUpdated("handshake_started")];
    case "connected":
      return [stateUpdated("handshake_confirmed")];
    case "interrupted":
      return [{ name: "riposte:path_lost", data: {} }];
    case "migrated":
      return [{ name: "riposte:path_changed", data: { carrier: connection.carrier.name } }];
    case "closing":
      return [stateUpdated("closing")];
    case "disconnected":
      return [
        stateUpdated("closed"),
        { name: "connectivity:connection_closed", data: connectionClosed(connection.closeError) },
      ];
  }
}

function stateUpdated(state: string): QlogEventBody {
  return { name: "connectivity:connection_state_updated", data: { new: state } };
}

function connectionClosed(error: NetworkError | undefined): Readonly<Record<string, unknown>> {
  if (error === undefined) return { owner: "local", trigger: "clean" };
  const { code, closeCode, message } = error;
  const reason = `${code}: ${message}`;
  if (code === "closedByPeer") {
    const isShort = closeCode !== undefined && closeCode <= MAX_CODE;
    return { owner: "remote", trigger: "application", reason, ...(isShort && { application_code: closeCode }) };
  }
  const trigger =
    code === "timedOut" ? "idle_timeout" : code === "versionMismatch" ? "version_mismatch" : ("error" as const);
  return { owner: "local", trigger, reason };
}
