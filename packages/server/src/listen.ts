/** `listen(game)`: a server for a game in one line. */

import type { AnyGame } from "@riposte/simulation/game";
import { listenNetworkThread, listenTransport } from "@riposte/transport";
import type { GameTransport, ListenTransportOptions } from "@riposte/transport";
import { bindPort } from "./bind-port.ts";
import { closeOnExitSignals } from "./exit-signals.ts";
import { GameServer } from "./game-server.ts";
import { remoteAddressOf } from "./http/remote-address.ts";
import { localAddresses, resolveOptions } from "./options.ts";
import type { ListenOptions } from "./options.ts";
import type { Server } from "./server.ts";

/**
 * Opens a server and lets it tick. Resolves when clients can connect. Throws `RangeError` or
 * `TypeError` for options that cannot work; rejects with the signal's reason when aborted.
 */
export async function listen<G extends AnyGame>(game: G, options: ListenOptions = {}): Promise<Server<G>> {
  const resolved = resolveOptions(options, game.tickRate);
  const { signal, host, privateKey, protocolId, maxClients, publicAddresses, production, log } = resolved;
  signal?.throwIfAborted();
  const server = new GameServer(game, resolved);
  const { port, http, udp } = await bindPort<GameTransport>({
    port: resolved.port,
    host,
    createHttp: () => server.createHttp(),
    bindUdp: (udpPort, httpServer) => {
      const transportOptions: ListenTransportOptions = {
        port: udpPort,
        ...(host !== undefined && { host }),
        http: httpServer,
        privateKey,
        protocolId,
        maxClients,
        publicAddresses: [...publicAddresses, ...localAddresses(udpPort)],
        schemaHash: game.schemaHash,
        handlers: server.handlers,
        ...resolved.network,
        addressOf: (request) => remoteAddressOf(request, resolved.behindProxy),
        allowSimulation: !production,
      };
      const { networkThread } = resolved;
      return networkThread === undefined
        ? listenTransport(transportOptions)
        : listenNetworkThread(transportOptions, networkThread);
    },
    onPortInUse: (taken, next) => log(`riposte: port ${taken} is in use, trying ${next}`),
  });
  server.start(port, http, udp);
  if (resolved.closeOnExitSignals) closeOnExitSignals(server);
  if (signal !== undefined) {
    const abort = (): void => void server.close();
    if (signal.aborted) {
      await server.close();
      throw signal.reason;
    }
    signal.addEventListener("abort", abort, { once: true });
    void server.closed.then(() => signal.removeEventListener("abort", abort));
  }
  return server;
}
