/**
 * A checker of qlog JSON text sequences, written from the CDDL of draft-ietf-quic-qlog-main-schema-05 and
 * draft-ietf-quic-qlog-quic-events-04 (qlog 0.3): required fields, types, and no field that stands in neither the drafts nor
 * our own documentation. Returns the events; throws with a path to what is wrong.
 */
import assert from "node:assert/strict";

type Check = (value: unknown, path: string) => void;
type Fields = Readonly<Record<string, Check>>;

export interface CheckedEvent {
  readonly time: number;
  readonly name: string;
  readonly data: Record<string, unknown>;
}

export interface CheckedTrace {
  readonly header: Record<string, unknown>;
  readonly events: readonly CheckedEvent[];
}

const text: Check = (value, path) => assert.equal(typeof value, "string", path);
const bool: Check = (value, path) => assert.equal(typeof value, "boolean", path);
const float: Check = (value, path) =>
  assert.ok(typeof value === "number" && Number.isFinite(value), `${path}: ${String(value)}`);
const uint =
  (bits: number): Check =>
  (value, path) =>
    assert.ok(
      Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < 2 ** bits,
      `${path}: ${String(value)}`,
    );
const uint8 = uint(8);
const uint16 = uint(16);
const uint32 = uint(32);
const uint64 = uint(64);
const hexstring: Check = (value, path) => assert.match(String(value), /^([0-9a-f]{2})*$/, path);
const oneOf =
  (...values: readonly string[]): Check =>
  (value, path) =>
    assert.ok(values.includes(String(value)), `${path}: ${String(value)}`);
const listOf =
  (check: Check): Check =>
  (value, path) => {
    assert.ok(Array.isArray(value), path);
    for (const [i, item] of value.entries()) check(item, `${path}[${i}]`);
  };
const map =
  (required: Fields, optional: Fields = {}): Check =>
  (value, path) => {
    assert.ok(typeof value === "object" && value !== null && !Array.isArray(value), path);
    const fields = value as Record<string, unknown>;
    for (const name of Object.keys(required)) assert.ok(name in fields, `${path}.${name} is missing`);
    for (const [name, inner] of Object.entries(fields)) {
      const check = required[name] ?? optional[name];
      assert.ok(check !== undefined, `${path}.${name} is in no schema`);
      check(inner, `${path}.${name}`);
    }
  };

const packetHeader = map({ packet_type: oneOf("1RTT"), packet_number: uint64 });
const rawInfo = map({}, { length: uint64, payload_length: uint64, data: hexstring });
const ackRange: Check = (value, path) => {
  listOf(uint64)(value, path);
  const range = value as number[];
  assert.ok(range.length === 1 || (range.length === 2 && range[0] < range[1]), `${path}: ${range.join()}`);
};

const FRAMES: Readonly<Record<string, Check>> = {
  padding: map({ frame_type: text, payload_length: uint32 }, { length: uint32 }),
  ping: map({ frame_type: text }),
  ack: map(
    { frame_type: text },
    { ack_delay: float, acked_ranges: listOf(ackRange), ect0: uint64, ect1: uint64, ce: uint64 },
  ),
  stream: map({ frame_type: text, stream_id: uint64, offset: uint64, length: uint64 }),
  max_data: map({ frame_type: text, maximum: uint64 }),
  data_blocked: map({ frame_type: text, limit: uint64 }),
  path_challenge: map({ frame_type: text }, { data: hexstring }),
  path_response: map({ frame_type: text }, { data: hexstring }),
  connection_close: map(
    { frame_type: text },
    { error_space: oneOf("transport", "application"), error_code: uint32, error_code_value: uint64, reason: text },
  ),
  // RFC 9221's; in the drafts from -05 on.
  datagram: map({ frame_type: text, length: uint64 }),
  // Riposte's own, see docs/diagnostics.md.
  hello: map({ frame_type: text, version: uint32, schema_hash: hexstring, extensions: listOf(uint64) }),
  ordered_message: map({ frame_type: text, sequence: uint64, length: uint64 }),
  message_fragment: map({
    frame_type: text,
    ordered: bool,
    sequence: uint64,
    fragment: uint8,
    total_fragments: uint16,
    length: uint64,
  }),
  raw_payload: map({ frame_type: text, length: uint64 }),
};

const frame: Check = (value, path) => {
  const { frame_type: type } = value as { frame_type: string };
  assert.ok(FRAMES[type] !== undefined, `${path}: no frame is called ${type}`);
  FRAMES[type](value, path);
};

const packet: Fields = { frames: listOf(frame), raw: rawInfo, is_mtu_probe_packet: bool, malformed: bool };

const EVENTS: Readonly<Record<string, Check>> = {
  "connectivity:connection_started": map(
    { src_ip: text, dst_ip: text },
    { ip_version: oneOf("v4", "v6"), protocol: text, src_port: uint16, dst_port: uint16 },
  ),
  "connectivity:connection_state_updated": map({
    new: oneOf("attempted", "handshake_started", "handshake_confirmed", "closing", "draining", "closed"),
  }),
  "connectivity:connection_closed": map(
    {},
    {
      owner: oneOf("local", "remote"),
      application_code: uint32,
      reason: text,
      trigger: oneOf("clean", "idle_timeout", "error", "version_mismatch", "application"),
    },
  ),
  "connectivity:mtu_updated": map({ new: uint16 }, { old: uint16, done: bool }),
  "transport:packet_sent": map({ header: packetHeader }, packet),
  "transport:packet_received": map({ header: packetHeader }, packet),
  "recovery:packet_lost": map({}, { header: packetHeader, is_mtu_probe_packet: bool }),
  "recovery:metrics_updated": map(
    {},
    {
      min_rtt: float,
      smoothed_rtt: float,
      latest_rtt: float,
      rtt_variance: float,
      congestion_window: uint64,
      bytes_in_flight: uint64,
      packets_in_flight: uint64,
      pacing_rate: uint64,
    },
  ),
  // `algorithm` is ours.
  "recovery:congestion_state_updated": map({ new: text }, { old: text, algorithm: text }),
  "generic:info": map({ message: text }),
  "riposte:path_lost": map({}),
  "riposte:path_changed": map({ carrier: text }),
};

const HEADER = map(
  {
    qlog_version: oneOf("0.3"),
    qlog_format: oneOf("JSON-SEQ"),
    trace: map(
      {},
      {
        title: text,
        description: text,
        common_fields: map(
          {},
          {
            time_format: oneOf("absolute", "delta", "relative"),
            reference_time: float,
            protocol_type: listOf(text),
            group_id: text,
          },
        ),
        vantage_point: map({ type: oneOf("client", "server", "network", "unknown") }, { name: text }),
      },
    ),
  },
  { title: text, description: text },
);

/** Reads and checks a whole file. */
export function checkQlog(file: string): CheckedTrace {
  // RFC 7464: each record begins with a separator and ends with a line feed.
  assert.equal(file[0], "\u001e");
  assert.ok(file.endsWith("\n"));
  assert.ok(
    file.slice(0, 256).includes('"qlog_version":"0.3"') && file.slice(0, 256).includes('"qlog_format":"JSON-SEQ"'),
  );
  const [first, ...rest] = file
    .slice(1)
    .split("\u001e")
    .map((record) => {
      assert.ok(record.endsWith("\n"), record);
      return JSON.parse(record) as Record<string, unknown>;
    });
  HEADER(first, "header");
  let latest = 0;
  const events = rest.map((event, i): CheckedEvent => {
    const path = `event ${i} ${String(event.name)}`;
    const check = EVENTS[String(event.name)];
    assert.ok(check !== undefined, `${path} is in no schema`);
    map({ time: float, name: text, data: check })(event, path);
    assert.ok(Number(event.time) >= latest, `${path}: ${Number(event.time)} after ${latest}`);
    latest = Number(event.time);
    return event as unknown as CheckedEvent;
  });
  checkQvis(first, events);
  return { header: first, events };
}

/** What the viewer's loader asks for besides (QlogLoaderV2, TextSequenceJSONToQlog, CongestionGraphD3Renderer). */
function checkQvis(header: Record<string, unknown>, events: readonly CheckedEvent[]): void {
  const { common_fields: common } = header.trace as { common_fields: Record<string, unknown> };
  assert.equal(common.time_format, "relative");
  assert.ok(Number(common.reference_time) > 0, "milliseconds since 1970");
  assert.ok(events.length > 0, "it looks at the first and the last event");
  assert.ok(
    events.every((event) => !("group_id" in event)),
    "or it splits the trace",
  );
  for (const { name, data } of events) {
    if (!name.startsWith("transport:packet_")) continue;
    const { header: packetHead, raw } = data as { header: Record<string, unknown>; raw?: { length?: number } };
    assert.ok((raw?.length ?? 0) > 0, "packets without a length are left out of its graphs");
    assert.ok(!("packet_size" in packetHead) && !("payload_length" in packetHead) && !("packet_type" in data));
  }
}
