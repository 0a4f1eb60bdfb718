/** A balancer for tests of what is around it: it answers at once, and remembers who was here. */
import type {
  AllocateReply,
  AllocateRequest,
  BalancerApi,
  ConfigVersion,
  ExplainReply,
  PeerPath,
  RegisterReply,
} from "../src/http/balancer-api.ts";
import { PeerMac } from "../src/peers/peer-mac.ts";
import type { NodeRegistration, ServerNode } from "../src/registry/server-node.ts";
import type { ScalingExplanation } from "../src/scaling/fleet-scaler.ts";

export const fleetSecret: Uint8Array = new Uint8Array(32).fill(7);

export function registrationOf(id: string): NodeRegistration {
  return {
    id,
    region: "eu",
    addresses: { udp: ["127.0.0.1:7777"] },
    capacity: { sessions: 1, players: 16 },
    version: "1",
    labels: {},
    gameModes: [],
    weight: 1,
  };
}

export class FakeBalancer implements BalancerApi {
  readonly calls: unknown[][] = [];
  isReady = true;
  /** What the next allocations are answered with. */
  reply: AllocateReply | undefined;
  isBroken = false;
  readonly #nodes: Map<string, ServerNode> = new Map();
  readonly #mac = new PeerMac(fleetSecret);

  constructor(nodes: readonly string[] = []) {
    for (const id of nodes) this.#nodes.set(id, nodeOf(registrationOf(id)));
  }

  async allocate(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    this.calls.push(["allocate", request, ip]);
    if (this.isBroken) throw new Error("broken");
    if (this.reply !== undefined) return this.reply;
    const { id, region, addresses, version } = registrationOf("fra-1");
    const seats = request.clients.map(({ clientId }) => ({ clientId, token: "AAAA" }));
    return { status: "allocated", node: { id, region, addresses, version }, seats, expiresInMs: 30_000 };
  }

  leaveQueue(key: string): void {
    this.calls.push(["leaveQueue", key]);
  }

  geoIp(): undefined {
    return undefined;
  }

  async updateGeoIp(): Promise<undefined> {
    return undefined;
  }

  expectClient(clientId: string): void {
    this.calls.push(["expectClient", clientId]);
  }

  async explain(request: Omit<AllocateRequest, "key">, ip: string): Promise<ExplainReply> {
    this.calls.push(["explain", request, ip]);
    return { outcome: { refused: "noNodes" }, candidates: [], regions: {}, clients: [], attributions: [] };
  }

  async registerNode(registration: NodeRegistration): Promise<RegisterReply> {
    this.#nodes.set(registration.id, nodeOf(registration));
    return {
      session: `session-of-${registration.id}`,
      tokenKey: "AAAA",
      protocolId: "1",
      reportEveryMs: 250,
      balancers: [],
    };
  }

  exchange(nodeId: string, session: string, report: unknown): unknown {
    if (session !== `session-of-${nodeId}`) return undefined;
    return { turn: 1, taken: [], report };
  }

  async commandNode(nodeId: string, command: string): Promise<ServerNode | undefined> {
    const node = this.#nodes.get(nodeId);
    return node && command === "drain" ? { ...node, state: "draining" } : node;
  }

  nodes({ region }: { readonly region?: string } = {}): readonly ServerNode[] {
    return [...this.#nodes.values()].filter((node) => region === undefined || node.region === region);
  }

  stats(): unknown {
    return { nodes: this.#nodes.size };
  }

  scaling(): ScalingExplanation {
    return { leads: false, driver: "none", regions: [], decisions: [] };
  }

  config(): ConfigVersion {
    // Where a program wants the configuration, it has one of its own.
    return {
      version: 3,
      config: {} as ConfigVersion["config"],
      changedBy: "ann",
      changedAt: "2026-01-01T00:00:00.000Z",
    };
  }

  async configVersions(): Promise<readonly ConfigVersion[]> {
    return [this.config()];
  }

  async changeConfig(change: unknown, options: { readonly dryRun: boolean }): Promise<unknown> {
    this.calls.push(["changeConfig", change, options]);
    const isBad = "nonsense" in (change as object);
    return isBad ? { status: "refused", code: "badConfig", error: "There is no nonsense." } : { change, ...options };
  }

  async rollBackConfig(version: number): Promise<ConfigVersion | undefined> {
    return version === 2 ? { ...this.config(), version: 4 } : undefined;
  }

  async peer(path: PeerPath, body: string, mac: unknown): Promise<unknown> {
    return this.#mac.verify(path, body, mac) ? { path, body } : undefined;
  }

  async metrics(): Promise<string> {
    return "fleet_nodes 1\n";
  }
}

function nodeOf(registration: NodeRegistration): ServerNode {
  const load = { sessions: 0, players: 0, reserved: 0, cpu: 0, tickMs: 0 };
  return { ...registration, state: "ready", load, readyAt: 0 };
}
