/** The start every case has in common, and what it checks with. */
import { NetworkError, Random } from "@riposte/protocol";
import type { NetworkErrorCode } from "@riposte/protocol";
import { generateConnectToken } from "@riposte/protocol/netcode";
import type { CarrierHarness, ComplianceClient, ComplianceServer, Dialing } from "./carrier-harness.ts";
import { Recorder } from "./recorder.ts";

const PROTOCOL_ID = 0x5249_504f_5354_4531n;
const SCHEMA: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

export interface WorldOptions {
  readonly maxClients?: number;
  readonly schemaHash?: Uint8Array | undefined;
}

export interface JoinOptions {
  readonly clientId?: bigint;
  readonly timeoutSeconds?: number;
  readonly userData?: Uint8Array;
  readonly schemaHash?: Uint8Array | undefined;
  /** Default: the server's. */
  readonly privateKey?: Uint8Array;
}

export interface Joined {
  readonly client: ComplianceClient;
  /** What the client heard. */
  readonly heard: Recorder;
}

/** One server and a seeded source of test data. */
export class ComplianceWorld {
  readonly harness: CarrierHarness;
  readonly server: ComplianceServer;
  /** What the server heard. */
  readonly heard: Recorder;
  readonly random: Random = new Random(2);
  readonly #privateKey: Uint8Array;

  private constructor(harness: CarrierHarness, server: ComplianceServer, heard: Recorder, privateKey: Uint8Array) {
    this.harness = harness;
    this.server = server;
    this.heard = heard;
    this.#privateKey = privateKey;
  }

  static async open(harness: CarrierHarness, options: WorldOptions): Promise<ComplianceWorld> {
    const privateKey = harness.crypto.randomBytes(32);
    const heard = new Recorder();
    const server = await harness.listen({
      protocolId: PROTOCOL_ID,
      privateKey,
      maxClients: options.maxClients ?? 8,
      schemaHash: "schemaHash" in options ? options.schemaHash : SCHEMA,
      handlers: heard,
    });
    return new ComplianceWorld(harness, server, heard, privateKey);
  }

  token(options: JoinOptions = {}): Uint8Array {
    return generateConnectToken({
      protocolId: PROTOCOL_ID,
      clientId: options.clientId ?? 1n,
      privateKey: options.privateKey ?? this.#privateKey,
      serverAddresses: this.server.addresses,
      timeoutSeconds: options.timeoutSeconds ?? 5,
      nowSeconds: this.harness.unixSeconds(),
      crypto: this.harness.crypto,
      ...(options.userData === undefined ? {} : { userData: options.userData }),
    });
  }

  dial(options: JoinOptions = {}): Dialing & { readonly heard: Recorder } {
    const heard = new Recorder();
    const dialing = this.harness.dial(this.server, {
      token: this.token(options),
      schemaHash: "schemaHash" in options ? options.schemaHash : SCHEMA,
      handlers: heard,
    });
    return { connected: dialing.connected, abort: (reason) => dialing.abort(reason), heard };
  }

  /** Connects, and waits until the server knows too. */
  async join(options: JoinOptions = {}): Promise<Joined> {
    const before = this.heard.opened.length;
    const dialing = this.dial(options);
    const client = await dialing.connected;
    await this.until(() => this.heard.opened.length > before, "the server announces the connection");
    return { client, heard: dialing.heard };
  }

  /** The error a dial rejects with. */
  async refused(options: JoinOptions): Promise<NetworkError> {
    try {
      await this.dial(options).connected;
    } catch (error) {
      check(error instanceof NetworkError, `the rejection is a NetworkError, not ${String(error)}`);
      return error;
    }
    throw new Error("the dial was to be refused");
  }

  /** `length` seeded bytes that begin with a number, little-endian. */
  payload(length: number, number: number): Uint8Array {
    const bytes = this.random.bytes(Math.max(4, length));
    for (let i = 0; i < 4; i += 1) bytes[i] = number >>> (8 * i);
    return bytes;
  }

  until(condition: () => boolean, what: string, limitMs?: number): Promise<void> {
    return this.harness.until(condition, what, limitMs);
  }
}

export function numberOf(bytes: Uint8Array): number {
  return bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
}

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`not so: ${what}`);
}

export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  check(Object.is(actual, expected), `${what} is ${String(expected)}; it is ${String(actual)}`);
}

export function checkBytes(actual: Uint8Array | undefined, expected: Uint8Array, what: string): void {
  check(actual !== undefined && actual.length === expected.length, `${what} has ${expected.length} bytes`);
  const at = actual.findIndex((byte, i) => byte !== expected[i]);
  check(at < 0, `${what} is unchanged at byte ${at}`);
}

export function checkError(error: NetworkError | undefined, code: NetworkErrorCode, what: string): void {
  checkEqual(error?.code, code, `${what}: the code`);
  check((error?.message.length ?? 0) > 10, `${what}: the message says what happened`);
}
