import type { ByteWriter } from "@riposte/wire";
import { MtuDiscovery } from "../path/mtu-discovery.ts";
import { PACKET_EAGER, PACKET_MTU_PROBE } from "../recovery/sent-packets.ts";
import type { PathTraits } from "./connection-options.ts";
import { FRAME_PING } from "./frames.ts";
import { netcodePacketBytes } from "./packet-size.ts";
import type { PacketFates } from "./reliable-udp.ts";

/** Flags of a probe's packet. */
export const MTU_PROBE_FLAGS: number = PACKET_EAGER | PACKET_MTU_PROBE;

/** After so many probe timeouts in a row, and again after as many, packets are tried smaller. */
const TIMEOUTS_UNTIL_SMALLER = 3;

/** How large a connection's packets may be now: fixed, or as `MtuDiscovery` finds out for the path. */
export class PathMtu implements PacketFates {
  /** Bytes in each packet's header beyond netcode's own. */
  extraHeaderBytes: number;
  #fixedPayloadBytes: number;
  #discovery: MtuDiscovery | undefined;
  /** The newest probe. */
  #probeNumber: number;
  #probeBytes: number;
  #now: number;

  constructor(fixedPayloadBytes: number) {
    this.extraHeaderBytes = 0;
    this.#fixedPayloadBytes = fixedPayloadBytes;
    this.#discovery = undefined;
    this.#probeNumber = -1;
    this.#probeBytes = 0;
    this.#now = 0;
  }

  /** What the discovery is at, `undefined` where there is none. */
  get discovery(): MtuDiscovery | undefined {
    return this.#discovery;
  }

  /** Tells it the time: fates of packets come without. */
  enter(now: number): void {
    this.#now = now;
  }

  /** Searches a path whose peer takes UDP payloads up to `peerLimitBytes`. */
  start(path: PathTraits, peerLimitBytes: number, now: number): void {
    const discovery = new MtuDiscovery({ ipVersion: path.ipVersion, maxPacketBytes: path.maxPacketBytes });
    discovery.limitPayloadBytes(Math.max(peerLimitBytes, discovery.basePayloadBytes), now);
    discovery.start(now);
    this.#discovery = discovery;
  }

  /** Packets of a carrier that has nothing to discover. */
  stop(fixedPayloadBytes: number): void {
    this.#discovery = undefined;
    this.#fixedPayloadBytes = fixedPayloadBytes;
  }

  /** Largest plaintext of a packet with this number. */
  payloadBytes(packetNumber: number): number {
    const discovery = this.#discovery;
    if (discovery === undefined) return this.#fixedPayloadBytes;
    return discovery.currentPayloadBytes - this.#overheadBytes(packetNumber);
  }

  /** Writes a probe, if one is due: a PING, and padding up to the size to try. Returns its length. */
  writeProbe(writer: ByteWriter, packetNumber: number, now: number): number {
    const size = this.#discovery?.pollProbe(now) ?? 0;
    if (size === 0) return 0;
    const length = size - this.#overheadBytes(packetNumber);
    if (length > writer.remaining) {
      this.#discovery?.onProbeRefused(size, now);
      return 0;
    }
    this.#probeNumber = packetNumber;
    this.#probeBytes = size;
    writer.u8(FRAME_PING);
    writer.buffer.fill(0, writer.offset, writer.offset + length - 1);
    writer.offset += length - 1;
    return length;
  }

  /** The socket refused a packet of this size as too large for the path. */
  onRefused(bytes: number, now: number): void {
    if (bytes === this.#probeBytes) this.#discovery?.onProbeRefused(bytes, now);
  }

  /** So many probe timeouts have passed since anything was acknowledged. */
  onProbeTimeouts(count: number, now: number): void {
    if (count > 0 && count % TIMEOUTS_UNTIL_SMALLER === 0) this.#discovery?.onTimeouts(now);
  }

  nextTimeout(): number {
    return this.#discovery?.nextTimeout() ?? Infinity;
  }

  acked(packetNumber: number, bytes: number, isMtuProbe: boolean): void {
    if (!isMtuProbe) this.#discovery?.onPacketAcked(packetNumber, bytes, this.#now);
    else if (packetNumber === this.#probeNumber) this.#discovery?.onProbeAcked(this.#probeBytes, this.#now);
  }

  lost(packetNumber: number, bytes: number, isMtuProbe: boolean): void {
    if (!isMtuProbe) this.#discovery?.onPacketLost(packetNumber, bytes, this.#now);
    else if (packetNumber === this.#probeNumber) this.#discovery?.onProbeLost(this.#probeBytes, this.#now);
  }

  #overheadBytes(packetNumber: number): number {
    return netcodePacketBytes(0, packetNumber) + this.extraHeaderBytes;
  }
}
