/** The API's bodies and answers as JSON schemas: requests are checked by them, and the OpenAPI document consists of them. */
import { Type } from "typebox";
import type { TSchema } from "typebox";

const closed = { additionalProperties: false };
const text = (description: string, maxLength: number = 64): TSchema =>
  Type.String({ description, minLength: 1, maxLength });
const count = (description: string): TSchema => Type.Integer({ description, minimum: 0 });

export const NODE_STATES: readonly string[] = ["starting", "ready", "full", "draining", "maintenance", "lost"];

export const NodeId: TSchema = Type.String({
  description: "Unique in the fleet",
  pattern: "^[A-Za-z0-9._-]{1,64}$",
});

const Labels: TSchema = Type.Record(Type.String({ pattern: "^.{1,64}$" }), Type.String({ maxLength: 64 }), {
  description: "Any names and values",
  maxProperties: 16,
});

const Filter: TSchema = Type.Object(
  {
    version: Type.Optional(text("Only nodes with this build of the game")),
    gameMode: Type.Optional(text("Only nodes that host it")),
    labels: Type.Optional(Labels),
    regions: Type.Optional(Type.Array(text("A region"), { description: "Only these regions", maxItems: 64 })),
    exceptNodes: Type.Optional(Type.Array(NodeId, { description: "Nodes that were tried already", maxItems: 64 })),
  },
  { ...closed, title: "Filter", description: "What nodes must match" },
);

/** One text for each client: "07" would be another player than "7" here, and the same one on a server. */
const ClientId: TSchema = Type.String({
  description: "Decimal, below 2^64, without leading zeros",
  pattern: "^(0|[1-9][0-9]{0,19})$",
});

const Client: TSchema = Type.Object(
  {
    clientId: ClientId,
    ip: Type.Optional(
      text("Where the player is, when a server asks on its behalf; default: the address of the request", 45),
    ),
    latencies: Type.Optional(
      Type.Record(Type.String({ pattern: "^.{1,64}$" }), Type.Number({ minimum: 0, maximum: 60_000 }), {
        description: "Measured round trips, in ms, by region",
        maxProperties: 512,
      }),
    ),
    userData: Type.Optional(
      Type.String({
        description: "Of the game, base64, at most 192 bytes: goes into the token",
        pattern: "^[A-Za-z0-9+/]{0,256}={0,2}$",
        maxLength: 256,
      }),
    ),
  },
  { ...closed, title: "Client" },
);

const placement = {
  clients: Type.Array(Client, {
    description: "One player, or those who play together: all get seats on one node",
    minItems: 1,
    maxItems: 64,
  }),
  room: Type.Optional(text("Room to join, at most 32 bytes of UTF-8", 32)),
  filter: Type.Optional(Filter),
  strategy: Type.Optional(
    Type.Enum(
      ["geographic", "latency", "leastLoad", "powerOfTwo", "weighted", "consistentHash", "sticky", "composite"],
      { description: "Default: as configured" },
    ),
  ),
  hashKey: Type.Optional(text("What `consistentHash` maps; default: the first client's id", 128)),
};

export const Key: TSchema = Type.String({
  description:
    "Idempotency key: the same request, sent again with it anywhere, gets the same answer. One for other clients is refused: make up a random one for each",
  pattern: "^[A-Za-z0-9_-]{16,64}$",
});

export const AllocateBody: TSchema = Type.Object(
  {
    key: Key,
    ...placement,
    ticket: Type.Optional(text("Of who waits already: from the last 202", 256)),
    attempt: Type.Optional(
      Type.Integer({
        description:
          "2, 3 and so on when it is sent again because no answer came: all balancers are asked for one then",
        minimum: 1,
        maximum: 1_000_000,
      }),
    ),
    proof: Type.Optional(
      Type.Object(
        { challenge: text("As it was given", 256), solution: text("See `POST /v1/challenge`", 64) },
        { ...closed, description: "Only while it is asked for" },
      ),
    ),
  },
  closed,
);

export const ExplainBody: TSchema = Type.Object(placement, closed);

const Certified: TSchema = Type.Object(
  {
    address: text("`host:port`", 256),
    certificateHashes: Type.Optional(Type.Array(text("SHA-256, hex", 95), { maxItems: 4 })),
  },
  { ...closed, title: "CertifiedAddress" },
);

const Addresses: TSchema = Type.Object(
  {
    udp: Type.Array(text("`192.0.2.1:7777` or `[2001:db8::1]:7777`", 256), {
      description: "Native UDP; no names, since they go into connect tokens",
      minItems: 1,
      maxItems: 32,
    }),
    websocket: Type.Optional(text("`ws://` or `wss://`", 512)),
    quic: Type.Optional(Certified),
    webTransport: Type.Optional(Certified),
  },
  { ...closed, title: "NodeAddresses", description: "How players reach it" },
);

const Coordinates: TSchema = Type.Object(
  {
    latitude: Type.Number({ minimum: -90, maximum: 90 }),
    longitude: Type.Number({ minimum: -180, maximum: 180 }),
  },
  { ...closed, description: "In degrees" },
);

const registration = {
  id: NodeId,
  region: text("Region"),
  coordinates: Type.Optional(Coordinates),
  addresses: Addresses,
  capacity: Type.Object(
    {
      sessions: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
      players: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    },
    { ...closed, description: "Rooms, and seats" },
  ),
  version: text("Of the game's build"),
  labels: Labels,
  gameModes: Type.Array(text("A game mode"), { description: "What it hosts; empty: all", maxItems: 64 }),
  weight: Type.Number({ description: "Of its share of players, usually 1", exclusiveMinimum: 0, maximum: 1000 }),
  healthUrl: Type.Optional(
    Type.String({ description: "Where balancers ask whether it is alive", pattern: "^https?://", maxLength: 512 }),
  ),
};

export const RegistrationBody: TSchema = Type.Object(registration, closed);

export const Registered: TSchema = Type.Object({
  session: Type.Optional(
    Type.String({ description: "Bearer token of this node's reports to this balancer; not for an operator" }),
  ),
  tokenKey: Type.Optional(
    Type.String({ description: "This node's key for connect tokens, base64; not for an operator" }),
  ),
  protocolId: Type.String(),
  reportEveryMs: Type.Number(),
  balancers: Type.Array(Type.String(), { description: "Report to each" }),
});

export const Node: TSchema = Type.Object(
  {
    ...registration,
    state: Type.Enum([...NODE_STATES]),
    load: Type.Object({
      sessions: count("Rooms in use"),
      players: count("Seats in use"),
      reserved: count("Seats kept for who is on the way"),
      cpu: Type.Number({ description: "Share of a core, 0 to 1, of the busiest thread" }),
      tickMs: Type.Number({ description: "99th percentile" }),
    }),
    readyAt: Type.Number({ description: "The balancer's monotonic ms; -1: not yet" }),
    suspicion: Type.Optional(Type.String({ description: "Why no player is sent there although it is ready" })),
  },
  { title: "Node" },
);

export const Nodes: TSchema = Type.Object({
  nodes: Type.Array(Node),
  next: Type.Optional(Type.String({ description: "Give it as `after` for the next page" })),
});

export const Allocated: TSchema = Type.Object(
  {
    status: Type.Literal("allocated"),
    node: Type.Object({ id: NodeId, region: Type.String(), addresses: Addresses, version: Type.String() }),
    seats: Type.Array(
      Type.Object({ clientId: Type.String(), token: Type.String({ description: "Connect token, base64" }) }),
    ),
    expiresInMs: Type.Number({ description: "Until the tokens expire" }),
  },
  { title: "Allocated" },
);

export const Waiting: TSchema = Type.Object(
  {
    status: Type.Literal("waiting"),
    ticket: Type.String({ description: "Send it with the same request, here or at another balancer" }),
    position: Type.Integer({ description: "1 is next" }),
    estimatedWaitMs: Type.Optional(Type.Number()),
    askAgainInMs: Type.Number(),
  },
  { title: "Waiting" },
);

export const Refused: TSchema = Type.Object(
  {
    code: Type.String({ description: "For programs" }),
    error: Type.String({ description: "For people: what to do" }),
  },
  { title: "Refused" },
);

export const ChallengeReply: TSchema = Type.Object({
  challenge: Type.String(),
  bits: Type.Integer({ description: 'Leading zero bits that SHA-256 of `challenge + "." + solution` must have' }),
  expiresInMs: Type.Number(),
});

export const Challenged: TSchema = Type.Object(
  {
    code: Type.Literal("challenge"),
    error: Type.String(),
    challenge: Type.String(),
    bits: Type.Integer(),
    expiresInMs: Type.Number(),
  },
  { title: "Challenged" },
);

export const BeaconsQuery: TSchema = Type.Object(
  {
    client: Type.Optional({ ...ClientId, description: "Who is about to ask for a seat" }),
  },
  closed,
);

export const GeoIpUpdated: TSchema = Type.Object({
  changed: Type.Array(Type.String(), { description: "Names of the databases that are new" }),
});

export const Beacons: TSchema = Type.Object({
  beacons: Type.Array(
    Type.Object({ region: Type.String(), url: Type.String({ description: "GET it a few times: the fastest counts" }) }),
  ),
});

export const ConfigVersionReply: TSchema = Type.Object(
  {
    version: Type.Integer(),
    config: Type.Any({ description: "`null` in place of a number: no limit" }),
    changedBy: Type.String(),
    changedAt: Type.String({ description: "ISO 8601" }),
    comment: Type.Optional(Type.String()),
  },
  { title: "ConfigVersion" },
);

export const ConfigVersions: TSchema = Type.Object({ versions: Type.Array(ConfigVersionReply) });

const Attributions: TSchema = Type.Array(
  Type.Object({ text: Type.String(), url: Type.String({ description: "To link to" }), license: Type.String() }),
  { description: "Whom to credit where locations of this answer are shown" },
);

export const Stats: TSchema = Type.Object(
  {
    regions: Type.Any({ description: "By name: nodes by state, seats, and `coordinates`" }),
    queueLength: count("Players who wait here"),
    store: Type.Any({ description: "`kind` and `status`" }),
    balancersAlive: count("This one among them"),
    isLeader: Type.Boolean({ description: "Whether this one scales and cleans up" }),
    configVersion: count("Version of the configuration"),
    placements: Type.Any({ description: "By region, strategy and outcome" }),
    refusals: Type.Any({ description: "By reason" }),
    balancer: Type.Any({ description: "This balancer: `id`, `uptimeMs`, `freeSeats` and others" }),
    origins: Type.Object(
      {
        windowMs: Type.Number({ description: "The time that is looked back on" }),
        players: count("All whom this balancer placed in it"),
        unknown: count("Of whom nobody knows where they are"),
        other: count("For whom there was no room in the list"),
        origins: Type.Array(
          Type.Object({
            latitude: Type.Number({ description: "Middle of a square of 2 degrees" }),
            longitude: Type.Number(),
            country: Type.Optional(Type.String({ description: "ISO 3166-1, two letters" })),
            region: Type.String({ description: "Where they were sent" }),
            players: count("How many"),
          }),
          { description: "The most first", maxItems: 1000 },
        ),
      },
      { description: "Where players came from; neither addresses nor clients" },
    ),
    attributions: Attributions,
  },
  { additionalProperties: true },
);

export const Explained: TSchema = Type.Object({
  outcome: Type.Any({ description: "`node` with its `score` and the `strategy`, or `refused`" }),
  candidates: Type.Array(
    Type.Object({
      nodeId: Type.String(),
      region: Type.String(),
      score: Type.Optional(Type.Number({ description: "Lower is better" })),
      parts: Type.Optional(Type.Any({ description: "Of the score, by name, in ms of latency that they are worth" })),
      rejected: Type.Optional(Type.String({ description: "Reason, for programs" })),
      detail: Type.Optional(Type.String({ description: "Reason, for people" })),
    }),
    { description: "Best first, then the rejected" },
  ),
  regions: Type.Any({ description: "By name: `latencyMs` of the worst client, and its `source`" }),
  clients: Type.Array(
    Type.Object({
      clientId: Type.String(),
      location: Type.Optional(Type.Any({ description: "`coordinates`, `source`, `accuracyKm`, `country`" })),
      latencies: Type.Optional(Type.Any({ description: "As they were sent" })),
    }),
    { description: "Where they are thought to be" },
  ),
  lastRegion: Type.Optional(Type.String({ description: "Where the first client played last" })),
  lastNode: Type.Optional(Type.String()),
  attributions: Attributions,
});

export const WebhookSecret: TSchema = Type.Object({
  secret: Type.String({ description: "Of the webhook", maxLength: 256 }),
});

const autoscaleRequest = Type.Object(
  {
    uid: Type.String({ description: "Of this request", maxLength: 256 }),
    name: Type.String({ description: "Of the Fleet", maxLength: 256 }),
    namespace: Type.String({ maxLength: 256 }),
    status: Type.Object(
      {
        replicas: count("GameServers"),
        readyReplicas: count("Of them: Ready"),
        reservedReplicas: count("Reserved"),
        allocatedReplicas: count("Allocated"),
      },
      { additionalProperties: true },
    ),
  },
  { additionalProperties: true, title: "FleetAutoscaleRequest" },
);

export const AutoscaleBody: TSchema = Type.Object({ request: autoscaleRequest }, { additionalProperties: true });

export const AutoscaleReply: TSchema = Type.Object({
  request: autoscaleRequest,
  response: Type.Object({
    uid: Type.String({ description: "The request's" }),
    scale: Type.Boolean({ description: "False: nothing is to change" }),
    replicas: count("GameServers that there should be"),
  }),
});

const text64 = Type.String({ maxLength: 64 });

export const Scaling: TSchema = Type.Object(
  {
    leads: Type.Boolean({ description: "Whether this balancer scales; the others know nothing of it" }),
    driver: Type.String({ description: "`local`, `agones` or `none`" }),
    regions: Type.Array(
      Type.Object(
        {
          region: text64,
          presentNodes: count("Ready, full or starting, or asked for"),
          wantedNodes: count("As many as there should be"),
          startingNodes: count("Registered, and not ready"),
          askedNodes: count("Asked for, and not registered"),
          drainingNodes: count("Draining"),
          lostNodes: count("Lost"),
          minNodes: count("At least, at this hour"),
          maxNodes: count("At most"),
          freeSeats: Type.Number(),
          comingSeats: Type.Number({ description: "Of nodes on their way" }),
          targetFreeSeats: count("At this hour"),
          demand: Type.Number({ description: "Players who play or are on their way" }),
          expectedDemand: Type.Number({ description: "The most until a node would be ready that is started now" }),
          hiddenDemand: Type.Number({ description: "Players who are taken to find no seat" }),
          startupMs: Type.Number({ description: "From being asked for to being ready" }),
          note: Type.String({ description: "Why it is as it is" }),
        },
        { title: "RegionScalingStatus" },
      ),
    ),
    decisions: Type.Array(
      Type.Object({
        at: Type.Number({ description: "Unix ms" }),
        decision: Type.Object(
          {
            kind: Type.Enum(["start", "drain", "resume", "stop", "giveUp"]),
            region: text64,
            reason: Type.String(),
            count: Type.Optional(count("Of `start` and `giveUp`")),
            nodeId: Type.Optional(NodeId),
          },
          { title: "ScalingDecision" },
        ),
      }),
      { description: "The newest, at most 256, the oldest first" },
    ),
  },
  { title: "Scaling" },
);

export const Anything: TSchema = Type.Any();
export const Nothing: TSchema = Type.Null({ description: "No body" });
export const Plain: TSchema = Type.String();
