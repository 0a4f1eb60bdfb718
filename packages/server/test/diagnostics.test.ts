/** NetworkDiagnostics: what is recorded, what is not, what it costs, and the reports. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { NetworkDiagnostics } from "../src/index.ts";
import type { DiagnosticReport } from "../src/index.ts";
import { NetworkWorld } from "./network-world.ts";
import type { WorldOptions } from "./network-world.ts";
import { checkQlog } from "./qlog-schema.ts";
import type { CheckedEvent, CheckedTrace } from "./qlog-schema.ts";

const TIME_ORIGIN_MS = 1_700_000_000_000;

class DiagnosedWorld extends NetworkWorld {
  readonly diagnostics: NetworkDiagnostics;

  constructor(options: WorldOptions = {}) {
    super(options);
    this.diagnostics = new NetworkDiagnostics(this.server, {
      now: () => this.network.now,
      timeOriginMs: TIME_ORIGIN_MS,
      serverName: "test server",
      sections: () => ({ loop: { ticks: 7 } }),
    });
  }
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "riposte-report-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function readTrace(path: string, id: number): Promise<CheckedTrace> {
  return checkQlog(await readFile(join(path, `connection-${id}.sqlog`), "utf8"));
}

async function readReport(path: string): Promise<DiagnosticReport> {
  return JSON.parse(await readFile(join(path, "report.json"), "utf8")) as DiagnosticReport;
}

function named(trace: CheckedTrace, name: string): CheckedEvent[] {
  return trace.events.filter((event) => event.name === name);
}

function frameTypes(events: readonly CheckedEvent[]): Set<string> {
  return new Set(
    events.flatMap(({ data }) => ((data.frames ?? []) as { frame_type: string }[]).map((f) => f.frame_type)),
  );
}

function packetBytes(events: readonly CheckedEvent[]): number {
  return events.reduce((sum, { data }) => sum + (data.raw as { length: number }).length, 0);
}

test("off, it holds nothing, and no connection has a trace", () => {
  const world = new DiagnosedWorld();
  const { id } = world.join();
  assert.equal(world.diagnostics.enabled, false);
  world.diagnostics.logEvent("something", { n: 1 });
  const trace = world.diagnostics.startTrace("load");
  world.run(300, () => world.server.send(id, Uint8Array.of(1), "unreliableUnordered"));
  assert.equal(trace.end(), 0);
  assert.equal(world.diagnostics.startTrace("other"), trace, "not even an object for each");
  assert.equal(world.diagnostics.endTrace("load"), undefined);
  assert.equal(world.diagnostics.recordConnection(id), false);
  assert.equal(world.diagnostics.recordedConnections, 0);
  assert.equal(world.server.connection(id)?.trace, undefined);
});

test("a connection's packet trace follows qlog's schema and agrees with its counters", async (t) => {
  const world = new DiagnosedWorld({ seed: 11, conditions: { latencyMs: 30, jitterMs: 3, lossRate: 0.04 } });
  world.diagnostics.enable({ ringPackets: 8192, ringBytes: 8 * 1024 * 1024 });
  const { client, id } = world.join();
  world.run(3_000, (tick) => {
    world.server.send(id, new Uint8Array(300), "unreliableUnordered");
    world.server.send(id, new Uint8Array(40), "unreliableOrdered");
    if (tick % 10 === 0) world.server.send(id, new Uint8Array(2_000), "reliableOrdered");
    if (tick === 50) world.server.send(id, new Uint8Array(9_000), "unreliableOrdered");
    client.send("unreliableUnordered", new Uint8Array(20));
    if (tick === 100) world.server.setCongestionControl(id, "bbr");
  });
  const stats = world.server.connectionStats(id)!;
  const connection = world.server.connection(id)!;
  world.server.disconnect(id, 3, "bye");
  world.run(1_000);
  const path = await folder(t);
  await world.diagnostics.dumpReport(path);
  const trace = await readTrace(path, id);
  const common = (trace.header.trace as { common_fields: { reference_time: number } }).common_fields;
  assert.ok(common.reference_time > TIME_ORIGIN_MS && common.reference_time < TIME_ORIGIN_MS + 1_000);
  assert.equal(trace.events[0].name, "connectivity:connection_started");
  assert.deepEqual(trace.events[0].data, { protocol: "RIPOSTE", src_ip: "client", dst_ip: "server" }, "no address");

  const sent = named(trace, "transport:packet_sent");
  const received = named(trace, "transport:packet_received");
  assert.equal(sent.length, connection.stats.packetsSent);
  assert.equal(received.length, connection.stats.packetsReceived);
  assert.equal(packetBytes(sent), connection.stats.bytesSent);
  assert.equal(packetBytes(received), connection.stats.bytesReceived);
  for (const type of [
    "hello",
    "ack",
    "stream",
    "datagram",
    "ordered_message",
    "message_fragment",
    "connection_close",
  ]) {
    assert.ok(frameTypes(sent).has(type), `no ${type} was sent`);
  }
  assert.ok(frameTypes(received).has("hello") && frameTypes(received).has("ack"));
  const probes = sent.filter(({ data }) => data.is_mtu_probe_packet === true);
  assert.ok(probes.length > 0 && frameTypes(probes).has("padding"), "the search for the MTU is shown");

  const lost = named(trace, "recovery:packet_lost").filter(({ data }) => data.is_mtu_probe_packet !== true);
  assert.equal(lost.length, connection.stats.packetsLost);
  assert.ok(lost.length > 3);
  const numbers = new Set(sent.map(({ data }) => (data.header as { packet_number: number }).packet_number));
  for (const { data } of lost) assert.ok(numbers.has((data.header as { packet_number: number }).packet_number));

  const metrics = named(trace, "recovery:metrics_updated");
  assert.ok(metrics.length > 300);
  const last = metrics.findLast(({ data }) => data.smoothed_rtt !== undefined)!;
  assert.ok(Math.abs(Number(last.data.smoothed_rtt) - stats.rttMs) < 15);
  const phases = named(trace, "recovery:congestion_state_updated").map(({ data }) =>
    [data.algorithm, data.new].join(" "),
  );
  assert.equal(phases[0], "newReno slow_start");
  assert.ok(phases.includes("newReno recovery"), phases.join());
  assert.ok(phases.includes("bbr startup"), phases.join());
  assert.ok(named(trace, "connectivity:mtu_updated").some(({ data }) => data.new === 1500));
  const states = named(trace, "connectivity:connection_state_updated").map(({ data }) => data.new);
  assert.deepEqual(states, ["handshake_started", "handshake_confirmed", "closing", "closed"]);
  assert.deepEqual(named(trace, "connectivity:connection_closed")[0].data, { owner: "local", trigger: "clean" });
});

test("a trace's handle ends its own trace once, whatever else began at that moment", () => {
  const world = new DiagnosedWorld();
  const { diagnostics } = world;
  diagnostics.enable();
  const handle = diagnostics.startTrace("save");
  diagnostics.startTrace("save"); // another, in the same millisecond
  world.network.runFor(5);
  assert.equal(handle.end(), 5);
  handle[Symbol.dispose]();
  world.network.runFor(5);
  assert.equal(diagnostics.endTrace("save"), 10, "it is still open");
});

test("moves to another path and timeouts are in the trace", async (t) => {
  const world = new DiagnosedWorld();
  world.diagnostics.enable({ includeAddresses: true });
  const { client, id } = world.join({ timeoutSeconds: 2 });
  world.run(300);
  world.endpoint.handlePathClosed(world.endpoint.pathOf(world.server.connection(id)!), world.network.now);
  world.run(20);
  const socket = world.network.addSocket(client.host);
  client.endpoint.migrate(client.host.pathBy(socket, world.host), world.network.now);
  world.run(500);
  client.host.run(undefined);
  world.network.runFor(4_000);
  const path = await folder(t);
  await world.diagnostics.dumpReport(path);
  const trace = await readTrace(path, id);
  const [address, port] = client.host.address.split(":");
  assert.deepEqual(trace.events[0].data, {
    protocol: "RIPOSTE",
    dst_ip: "server",
    ip_version: "v4",
    src_ip: address,
    src_port: Number(port),
  });
  assert.equal(named(trace, "riposte:path_lost").length, 1);
  assert.deepEqual(named(trace, "riposte:path_changed")[0].data, { carrier: "memory" });
  const closed = named(trace, "connectivity:connection_closed")[0];
  assert.equal(closed.data.trigger, "idle_timeout");
  assert.ok(frameTypes(named(trace, "transport:packet_sent")).has("path_challenge"));
  assert.ok(frameTypes(named(trace, "transport:packet_received")).has("path_response"));
  const report = await readReport(path);
  assert.equal(report.eventCounts["connection migrated"], 1);
  assert.equal(report.eventCounts.networkError, 1);
});

test("payloads of a plain netcode program are no frames, and broken ones are said to be", async (t) => {
  const world = new DiagnosedWorld();
  world.diagnostics.enable();
  const plain = world.dial({ schemaHash: undefined });
  world.network.runUntil(() => plain.endpoint.connection !== undefined, "is admitted");
  plain.connection.sendRaw(Uint8Array.of(0x3f, 0x3f));
  world.run(200);
  const broken = world.join();
  // A frame type that there is not, sealed like any packet.
  let left = 1;
  broken.client.connection.fillPayload = (buffer, offset) => {
    buffer[offset] = 0x3f;
    return left-- > 0 ? 1 : 0;
  };
  broken.client.connection.send("unreliableUnordered", Uint8Array.of(1));
  world.network.runFor(200);
  const path = await folder(t);
  await world.diagnostics.dumpReport(path);
  const first = named(await readTrace(path, 1), "transport:packet_received").find(
    ({ data }) => (data.raw as { payload_length: number }).payload_length > 0,
  );
  assert.deepEqual(first?.data.frames, [{ frame_type: "raw_payload", length: 2 }]);
  const trace = await readTrace(path, broken.id);
  const last = named(trace, "transport:packet_received").at(-1)!;
  assert.deepEqual([last.data.malformed, last.data.frames], [true, []]);
  const closed = named(trace, "connectivity:connection_closed")[0];
  assert.match(String(closed.data.reason), /^protocolViolation/);
  assert.equal(closed.data.trigger, "error");
});

test("the ring is bounded: the newest packets stay, and the trace says how many are gone", async (t) => {
  const world = new DiagnosedWorld();
  world.diagnostics.enable({ ringPackets: 64, ringBytes: 4_096 });
  const { id } = world.join();
  world.run(3_000, () => world.server.send(id, new Uint8Array(400), "unreliableUnordered"));
  const path = await folder(t);
  await world.diagnostics.dumpReport(path);
  const trace = await readTrace(path, id);
  const packets = trace.events.filter(({ name }) => name.startsWith("transport:packet"));
  assert.equal(packets.length, 64);
  assert.match(String(named(trace, "generic:info")[0].data.message), /^\d{3} earlier packets were overwritten/);
  const withFrames = packets.filter(({ data }) => data.frames !== undefined);
  assert.ok(withFrames.length >= 8 && withFrames.length < 40, `${withFrames.length} payloads in 4 KiB`);
  assert.deepEqual(packets.slice(-withFrames.length), withFrames, "the newest ones have theirs");
});

test("sampling: a share of the connections, and every n-th packet", async (t) => {
  const world = new DiagnosedWorld({ endpoint: { maxClients: 64 } });
  world.diagnostics.enable({ sampleConnections: 0.5, samplePackets: 10, seed: 4 });
  const joined = Array.from({ length: 40 }, () => world.join());
  const traced = joined.filter(({ id }) => world.server.connection(id)?.trace !== undefined).map(({ id }) => id);
  assert.ok(traced.length > 10 && traced.length < 30, `${traced.length} of 40`);
  assert.equal(world.diagnostics.recordedConnections, traced.length);
  const other = joined.find(({ id }) => !traced.includes(id))!;
  assert.equal(world.diagnostics.recordConnection(other.id), true, "one more, whatever sampling says");
  assert.notEqual(world.server.connection(other.id)?.trace, undefined);
  const [id] = traced;
  const before = world.server.connectionStats(id)!;
  world.run(1_000, () => world.server.send(id, Uint8Array.of(1), "unreliableUnordered"));
  const after = world.server.connectionStats(id)!;
  const path = await folder(t);
  await world.diagnostics.dumpReport(path);
  const trace = await readTrace(path, id);
  const total = after.packetsSent + after.packetsReceived;
  const recorded = trace.events.filter(({ name }) => name.startsWith("transport:packet")).length;
  assert.ok(after.packetsSent - before.packetsSent >= 100);
  assert.equal(recorded, Math.ceil(total / 10));
  assert.match(String(named(trace, "generic:info")[0].data.message), /packets were left out by sampling/);
  // The same seed chooses the same ids.
  world.diagnostics.enable({ sampleConnections: 0.5, seed: 4 });
  const again = joined.filter((each) => world.server.connection(each.id)?.trace !== undefined).map((each) => each.id);
  assert.deepEqual(again, traced);
});

test("so many connections are kept at most, and those that have ended make room first", () => {
  const world = new DiagnosedWorld();
  world.diagnostics.enable({ maxConnections: 2 });
  const [first, second, third] = [world.join(), world.join(), world.join()];
  const isTraced = (id: number): boolean => world.server.connection(id)?.trace !== undefined;
  assert.deepEqual(
    [first, second, third].map(({ id }) => isTraced(id)),
    [true, true, false],
  );
  assert.equal(world.diagnostics.recordConnection(third.id), false);
  world.server.disconnect(first.id);
  world.run(500);
  assert.equal(world.diagnostics.recordedConnections, 2, "kept after its end");
  assert.equal(world.diagnostics.recordConnection(third.id), true);
  assert.equal(world.diagnostics.recordedConnections, 2);
  world.diagnostics.disable();
  assert.deepEqual(
    [second, third].map(({ id }) => isTraced(id)),
    [false, false],
  );
  assert.equal(world.diagnostics.recordedConnections, 2, "what was recorded stays for reports");
});

test("a report is a page for a person, data for a program, and a trace for each connection", async (t) => {
  const world = new DiagnosedWorld({ conditions: { latencyMs: 130, lossRate: 0.1 } });
  world.diagnostics.enable();
  const [one, other] = [world.join(), world.join()];
  world.diagnostics.logEvent("map loaded", { map: "canyon", players: 2n });
  {
    using trace = world.diagnostics.startTrace("save");
    world.network.runFor(20);
    void trace;
  }
  world.diagnostics.startTrace("save");
  world.network.runFor(40);
  assert.equal(world.diagnostics.endTrace("save"), 40);
  assert.equal(world.diagnostics.endTrace("save"), undefined);
  world.diagnostics.startTrace("never ends");
  world.run(4_000, () => {
    for (const { id } of [one, other]) world.server.send(id, new Uint8Array(100), "unreliableUnordered");
  });
  const path = join(await folder(t), "deep", "incident-1");
  const dumped = await world.diagnostics.dumpReport(path);
  assert.deepEqual(dumped.files, ["report.md", "report.json", "connection-1.sqlog", "connection-2.sqlog"]);
  assert.deepEqual((await readdir(path)).sort(), dumped.files.toSorted());
  const sizes = await Promise.all(dumped.files.map(async (file) => (await stat(join(path, file))).size));
  assert.equal(
    dumped.bytes,
    sizes.reduce((sum, size) => sum + size, 0),
  );

  const report = await readReport(path);
  assert.deepEqual([report.format, report.version], ["riposte-diagnostics", 1]);
  assert.equal(report.network.packetsSent, world.server.stats().packetsSent);
  assert.deepEqual(
    report.connections.map(({ connectionId }) => connectionId),
    [1, 2],
  );
  assert.equal(String(report.connections[0].clientId), "1");
  assert.deepEqual(report.sections, { loop: { ticks: 7 } });
  assert.deepEqual([report.recording.connections, report.recording.connectionsRefused], [2, 0]);
  assert.ok(report.recording.heldBytes > 2 * 262_144 && report.recording.heldBytes < 2 ** 20);
  const event = report.events.find(({ name }) => name === "map loaded")!;
  assert.deepEqual(JSON.parse(event.details), { map: "canyon", players: "2" });
  assert.equal(report.eventCounts["connection connected"], 2);
  const save = report.traces.find(({ name }) => name === "save")!;
  assert.deepEqual([save.count, save.totalMs, save.minMs, save.maxMs, save.open], [2, 60, 20, 40, 0]);
  assert.equal(report.traces.find(({ name }) => name === "never ends")?.open, 1);
  assert.equal(report.finishedTraces.length, 2);
  assert.deepEqual(
    report.packetTraces.map(({ file }) => file),
    ["connection-1.sqlog", "connection-2.sqlog"],
  );
  assert.ok(
    report.findings.some(({ connectionId, text }) => connectionId === 1 && /round trip of 2\d\d ms/.test(text)),
  );

  const page = await readFile(join(path, "report.md"), "utf8");
  for (const heading of [
    "What stands out",
    "Network",
    "Channels",
    "Connections, worst first",
    "Traces",
    "Events",
    "loop",
  ]) {
    assert.ok(page.includes(`\n## ${heading}\n`), heading);
  }
  assert.match(page, /\*\*problem:\*\* connections lose \d+\.\d % of the server's packets on average/);
  assert.match(page, /\| map loaded \|/);
  assert.match(page, /\[connection-1\.sqlog\]\(connection-1\.sqlog\)/);
  assert.ok(!page.includes(one.client.host.address.split(":")[0]), "no address without being asked");
});

test("a report can be made while nothing is recorded, and two at once follow each other", async (t) => {
  const world = new DiagnosedWorld();
  world.join();
  const path = await folder(t);
  const [first, second] = await Promise.all([
    world.diagnostics.dumpReport(join(path, "a")),
    world.diagnostics.dumpReport(join(path, "b")),
  ]);
  assert.deepEqual(
    [first.files, second.files],
    [
      ["report.md", "report.json"],
      ["report.md", "report.json"],
    ],
  );
  const report = await readReport(join(path, "b"));
  assert.equal(report.recording.enabled, false);
  assert.equal(report.network.currentConnections, 1);
  // One that fails does not hurt the next.
  await writeFile(join(path, "file"), "");
  await assert.rejects(world.diagnostics.dumpReport(join(path, "file")), { code: "EEXIST" });
  await world.diagnostics.dumpReport(join(path, "c"));
});

test("what is written is what was recorded when its turn came, while packets flow on", async (t) => {
  const world = new DiagnosedWorld();
  world.diagnostics.enable({ ringPackets: 128, ringBytes: 65_536 });
  const { id } = world.join();
  world.run(2_000, () => world.server.send(id, new Uint8Array(300), "unreliableUnordered"));
  const path = await folder(t);
  const dump = world.diagnostics.dumpReport(path);
  const state = { done: false };
  void dump.then(() => (state.done = true));
  let rounds = 0;
  while (!state.done) {
    rounds++;
    world.run(50, () => world.server.send(id, new Uint8Array(300), "unreliableUnordered"));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(rounds > 2, "others had their turns");
  const trace = await readTrace(path, id);
  const numbers = named(trace, "transport:packet_sent").map(
    ({ data }) => (data.header as { packet_number: number }).packet_number,
  );
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, i) => numbers[0] + i),
    "no packet is missing or doubled",
  );
});

test("options that cannot work are refused", () => {
  const { diagnostics } = new DiagnosedWorld();
  assert.throws(() => diagnostics.enable({ sampleConnections: 1.5 }), /sampleConnections must be .* got 1.5/);
  assert.throws(() => diagnostics.enable({ samplePackets: 0 }), /samplePackets must be .* got 0/);
  assert.throws(() => diagnostics.enable({ ringBytes: 0.5 }), /ringBytes/);
  assert.equal(diagnostics.enabled, false);
});
