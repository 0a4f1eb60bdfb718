/**
 * The client of netcode 1.02 as a state machine: asks the servers of its connect token in turn,
 * answers the challenge and keeps a sealed session. One instance uses one token once.
 *
 * Beyond the standard: a session that the server has named goes on by other paths.
 */
import { NO_KEY } from "../machine.ts";
import type { KeyStore, Machine, ReceivedPacket, TransmitSlot } from "../machine.ts";
import type { NetcodeClientHandler, NetcodeClientOptions, NetcodeClientState } from "./client-options.ts";
import { readConnectToken } from "./connect-token.ts";
import type { ConnectToken } from "./connect-token.ts";
import {
  CHALLENGE_BYTES,
  DISCONNECT_PACKETS,
  KEEP_ALIVE_BYTES,
  MAX_PAYLOAD_BYTES,
  NETCODE_VERSION_INFO,
  PACKET_CHALLENGE,
  PACKET_DENIED,
  PACKET_DISCONNECT,
  PACKET_KEEP_ALIVE,
  PACKET_NAMED_PAYLOAD,
  PACKET_PAYLOAD,
  PACKET_REQUEST,
  PACKET_RESPONSE,
  REQUEST_PACKET_BYTES,
  SEND_INTERVAL_MS,
  SESSION_ID_BYTES,
  TAG_BYTES,
} from "./constants.ts";
import { NetcodeDrops } from "./drops.ts";
import { PacketHeader, packetHeaderLength, writePacketHeader } from "./packet-header.ts";
import { PacketProtection, protocolAssociatedData } from "./packet-protection.ts";
import { ReplayProtection } from "./replay-protection.ts";
import { asItIs, hasSizeOfType, writeNamed, writeSealed } from "./transmit.ts";

export class NetcodeClient implements Machine<never> {
  readonly drops: NetcodeDrops = new NetcodeDrops();
  /** The public part of the token; `undefined` when it is invalid. */
  readonly token: ConnectToken | undefined;
  readonly #handler: NetcodeClientHandler;
  readonly #keys: KeyStore;
  readonly #serverPaths: readonly number[];
  readonly #protection: PacketProtection;
  readonly #header: PacketHeader = new PacketHeader();
  readonly #replay: ReplayProtection = new ReplayProtection();
  readonly #timeoutMs: number;
  readonly #expiresAt: number;
  /** Challenge sequence and sealed challenge token, given back as they came. */
  readonly #challenge: Uint8Array = new Uint8Array(CHALLENGE_BYTES);

  #state: NetcodeClientState = "disconnected";
  #server = 0;
  #path = -1;
  #sessionId = 0;
  #maxSendBytes = MAX_PAYLOAD_BYTES;
  readonly #maxReceiveBytes: number;
  #probeDue = false;
  #sendKey: number = NO_KEY;
  #receiveKey: number = NO_KEY;
  #nextSequence = 0;
  #lastSentAt = -Infinity;
  #lastReceivedAt: number;
  #payloadDue = false;
  #disconnects = 0;
  #clientIndex = -1;
  #maxClients = 0;
  #responses = 0;
  #respondedAt = 0;
  #handshakeRttMs: number | undefined;
  #now: number;

  /** An invalid or expired token shows in `state` at once; the handler is told of later changes only. */
  constructor(options: NetcodeClientOptions) {
    const { now, keys, crypto } = options;
    const token = readConnectToken(options.token);
    const associatedData = protocolAssociatedData(token?.protocolId ?? 0n);
    this.token = token;
    this.#handler = options.handler;
    this.#keys = keys;
    this.#serverPaths = options.serverPaths;
    this.#maxReceiveBytes = options.maxPayloadBytes ?? MAX_PAYLOAD_BYTES;
    this.#protection = new PacketProtection(crypto, associatedData);
    this.#now = now;
    this.#lastReceivedAt = now;
    this.#timeoutMs = token === undefined || token.timeoutSeconds <= 0 ? Infinity : token.timeoutSeconds * 1000;
    // The client's clock may be wrong: only the token's lifetime counts, from now on.
    this.#expiresAt = token === undefined ? now : now + Number(token.expireTimestamp - token.createTimestamp) * 1000;
    this.#server = this.#nextServer(0);
    this.#path = this.#serverPaths[this.#server] ?? -1;
    if (token === undefined || this.#server < 0) {
      this.#state = "invalidConnectToken";
      return;
    }
    this.#sendKey = keys.addKey(token.clientToServerKey, associatedData);
    this.#receiveKey = keys.addKey(token.serverToClientKey, associatedData);
    this.#state = "sendingConnectionRequest";
  }

  get state(): NetcodeClientState {
    return this.#state;
  }

  /** Nothing will be sent any more. */
  get finished(): boolean {
    return !this.active && this.#disconnects === 0;
  }

  /** True while connecting or connected. */
  get active(): boolean {
    return isActive(this.#state);
  }

  /** The slot the server gave us, -1 before. */
  get clientIndex(): number {
    return this.#clientIndex;
  }

  /** Round trip of the handshake, if it was measured. */
  get handshakeRttMs(): number | undefined {
    return this.#handshakeRttMs;
  }

  get maxClients(): number {
    return this.#maxClients;
  }

  /** Which server address of the token is being used. */
  get serverIndex(): number {
    return this.#server;
  }

  /** The path to that server; -1 while none leads there. */
  get path(): number {
    return this.#path;
  }

  /** The server knows the session by this id on any path, from now on. */
  setSessionId(id: number): void {
    this.#sessionId = id;
  }

  /** The server takes payloads of this size, if the path does. */
  setMaxPayload(bytes: number): void {
    this.#maxSendBytes = bytes;
  }

  /** `fillProbe` has something to send. */
  probe(): void {
    this.#probeDue = true;
  }

  /** Goes on by another path. */
  move(path: number, now: number): void {
    this.#now = now;
    this.#path = path;
    this.#lastSentAt = -Infinity; // Says so at once.
  }

  /** When the server was heard last. */
  get lastReceivedAt(): number {
    return this.#lastReceivedAt;
  }

  /** `fill` has something to send. */
  wake(): void {
    this.#payloadDue = true;
  }

  /** Leaves. Poll until idle to send the disconnects. */
  disconnect(now: number): void {
    this.#now = now;
    if (!this.active) return;
    // While responding, the server may have taken us in already.
    const known = this.#state !== "sendingConnectionRequest";
    this.#finish("disconnected", known, now);
  }

  /** The driver lost a path (a WebSocket closed). */
  handlePathClosed(path: number, now: number): void {
    this.#now = now;
    if (!this.active || path < 0 || path !== this.#path) return;
    if (this.#state === "connected" && this.#sessionId !== 0) {
      this.#path = -1;
      this.#handler.interrupted?.(now);
    } else if (this.#state === "connected") this.#finish("connectionTimedOut", false, now);
    else this.#tryNextServer(this.#timedOutState(), now);
  }

  classify(packet: ReceivedPacket): void {
    packet.key = NO_KEY;
    packet.opened = false;
    const header = this.#header;
    if (!this.active || !this.#isKnown(packet.path)) return;
    if (!header.read(packet.buffer, packet.offset, packet.length)) return;
    if (header.type < PACKET_KEEP_ALIVE || header.type === PACKET_NAMED_PAYLOAD) return;
    const sequence = header.sequence;
    if (sequence < 0 || !hasSizeOfType(header, packet.length, this.#maxReceiveBytes)) return;
    if (this.#replay.isReplay(sequence)) return;
    packet.key = this.#receiveKey;
    packet.packetNumber = sequence;
    packet.headerLength = header.length;
    packet.aadLength = header.aadLength;
  }

  receive(packet: ReceivedPacket, now: number): void {
    this.#now = now;
    if (packet.key === NO_KEY) this.#receiveUnkeyed(packet, now);
    else this.#receiveSealed(packet, now);
  }

  handleTimeout(now: number): void {
    this.#now = now;
    if (!this.active) {
      if (this.#disconnects === 0) this.#releaseKeys();
      return;
    }
    if (this.#state !== "connected" && now >= this.#expiresAt) this.#finish("connectTokenExpired", false, now);
    else if (now >= this.#lastReceivedAt + this.#timeoutMs) {
      if (this.#state === "connected") this.#finish("connectionTimedOut", false, now);
      else this.#tryNextServer(this.#timedOutState(), now);
    }
  }

  pollTransmit(slot: TransmitSlot, now: number): boolean {
    this.#now = now;
    slot.ecn = 0;
    if (this.#disconnects > 0) {
      this.#disconnects--;
      this.#writeSealed(slot, PACKET_DISCONNECT, 0, now);
      return true;
    }
    if (this.#state === "connected") return this.#transmitProbe(slot, now) || this.#transmitConnected(slot, now);
    if (!this.active || now < this.#lastSentAt + SEND_INTERVAL_MS) return false;
    this.#lastSentAt = now;
    if (this.#state === "sendingConnectionRequest") this.#writeRequest(slot);
    else {
      if (this.#responses++ === 0) this.#respondedAt = now;
      this.#writeResponse(slot);
    }
    return true;
  }

  pollEvent(): undefined {
    return undefined;
  }

  /** The very sums that are compared elsewhere: differences round another way, and a driver would wake for nothing. */
  nextTimeout(): number {
    if (!this.active) return this.#sendKey !== NO_KEY && this.#disconnects === 0 ? this.#now : Infinity;
    const sendAt = this.#path < 0 ? Infinity : Math.max(this.#lastSentAt + SEND_INTERVAL_MS, this.#now);
    const silentAt = this.#lastReceivedAt + this.#timeoutMs;
    return Math.min(sendAt, silentAt, this.#state === "connected" ? Infinity : this.#expiresAt);
  }

  #receiveSealed(packet: ReceivedPacket, now: number): void {
    const drops = this.drops;
    if (!this.active || !this.#isKnown(packet.path)) return void drops.unknownPath++;
    if (!packet.opened) return void drops.forged++;
    if (this.#replay.isReplay(packet.packetNumber)) return void drops.replayed++;
    this.#replay.accept(packet.packetNumber);
    const { buffer, offset, headerLength, length } = packet;
    const type = buffer[offset] & 15;
    if (type === PACKET_KEEP_ALIVE) this.#receiveKeepAlive(packet, now);
    else if (this.#state !== "connected") drops.unexpected++;
    else if (type === PACKET_DISCONNECT) this.#finish("disconnected", false, now);
    else {
      this.#lastReceivedAt = now;
      this.#handler.payload(packet, offset + headerLength, length - headerLength, now);
    }
  }

  #receiveKeepAlive(packet: ReceivedPacket, now: number): void {
    const at = packet.offset + packet.headerLength;
    if (this.#state === "sendingConnectionRequest") return void this.drops.unexpected++;
    this.#lastReceivedAt = now;
    if (this.#state === "connected") {
      this.#handler.payload(packet, at, 0, now);
      return;
    }
    this.#clientIndex = readUint32(packet.buffer, at);
    this.#maxClients = readUint32(packet.buffer, at + 4);
    if (this.#responses === 1) this.#handshakeRttMs = now - this.#respondedAt;
    this.#lastSentAt = -Infinity; // Confirms at once.
    this.#change("connected", now);
  }

  /** What `classify` named no key for: challenges, denials, and what is to be dropped. */
  #receiveUnkeyed(packet: ReceivedPacket, now: number): void {
    const { buffer, offset, length } = packet;
    const drops = this.drops;
    const header = this.#header;
    if (!this.active || packet.path !== this.#path) return void drops.unknownPath++;
    if (length > 0 && (buffer[offset] & 15) === PACKET_REQUEST) return void drops.unexpected++;
    if (!header.read(buffer, offset, length)) return void drops.malformed++;
    const { type } = header;
    const sealedLength = length - header.length;
    if (type > PACKET_RESPONSE) {
      if (header.type === PACKET_NAMED_PAYLOAD) drops.unexpected++;
      else if (header.sequence < 0 || !hasSizeOfType(header, length, this.#maxReceiveBytes)) drops.malformed++;
      else drops.replayed++;
      return;
    }
    const wanted = type === PACKET_CHALLENGE ? this.#state === "sendingConnectionRequest" : type === PACKET_DENIED;
    if (!wanted || this.#state === "connected") return void drops.unexpected++;
    if (sealedLength !== TAG_BYTES + (type === PACKET_CHALLENGE ? CHALLENGE_BYTES : 0)) return void drops.malformed++;
    const { sequenceHigh, sequenceLow } = header;
    const key = this.token!.serverToClientKey;
    if (!this.#protection.open(key, sequenceHigh, sequenceLow, buffer, offset, header.length, sealedLength)) {
      return void drops.forged++;
    }
    if (type === PACKET_DENIED) {
      this.#tryNextServer("connectionDenied", now);
      return;
    }
    const at = offset + header.length;
    this.#challenge.set(buffer.subarray(at, at + CHALLENGE_BYTES));
    this.#lastReceivedAt = now;
    this.#lastSentAt = -Infinity;
    this.#responses = 0;
    this.#change("sendingConnectionResponse", now);
  }

  /** Once the server has named the session, other paths may lead to it, and the layer above judges them. */
  #isKnown(path: number): boolean {
    return path === this.#path || (this.#sessionId !== 0 && this.#state === "connected");
  }

  #transmitProbe(slot: TransmitSlot, now: number): boolean {
    if (!this.#probeDue) return false;
    const sequence = this.#nextSequence;
    const headerLength = this.#payloadHeaderLength(sequence);
    const capacity = Math.min(this.#maxSendBytes, slot.capacity - headerLength - TAG_BYTES);
    const length = this.#handler.fillProbe?.(slot, slot.offset + headerLength, capacity, sequence, now) ?? 0;
    if (length <= 0) {
      this.#probeDue = false;
      return false;
    }
    this.#writePayload(slot, slot.path, length);
    return true;
  }

  #transmitConnected(slot: TransmitSlot, now: number): boolean {
    if (this.#path < 0) return false;
    const sequence = this.#nextSequence;
    const headerLength = this.#payloadHeaderLength(sequence);
    if (this.#payloadDue) {
      const capacity = Math.min(this.#maxSendBytes, slot.capacity - headerLength - TAG_BYTES);
      const length = this.#handler.fill(slot.buffer, slot.offset + headerLength, capacity, sequence, now);
      // Asking may have ended the session.
      if (this.#state !== "connected") return this.pollTransmit(slot, now);
      if (length > 0) {
        this.#writePayload(slot, this.#path, length);
        this.#lastSentAt = now;
        return true;
      }
      this.#payloadDue = false;
    }
    if (now < this.#lastSentAt + SEND_INTERVAL_MS) return false;
    if (this.#sessionId !== 0) {
      this.#writePayload(slot, this.#path, 0);
      this.#lastSentAt = now;
      return true;
    }
    const at = slot.offset + headerLength;
    for (let i = 0; i < 4; i++) {
      slot.buffer[at + i] = this.#clientIndex >>> (8 * i);
      slot.buffer[at + 4 + i] = this.#maxClients >>> (8 * i);
    }
    this.#writeSealed(slot, PACKET_KEEP_ALIVE, KEEP_ALIVE_BYTES, now);
    return true;
  }

  #payloadHeaderLength(sequence: number): number {
    return packetHeaderLength(sequence) + (this.#sessionId === 0 ? 0 : SESSION_ID_BYTES);
  }

  /** The payload stands in the slot already, behind room for its header. */
  #writePayload(slot: TransmitSlot, path: number, length: number): void {
    const sequence = this.#nextSequence++;
    if (this.#sessionId === 0) writeSealed(slot, path, this.#sendKey, PACKET_PAYLOAD, sequence, length);
    else writeNamed(slot, path, this.#sendKey, this.#sessionId, sequence, length);
  }

  #writeSealed(slot: TransmitSlot, type: number, length: number, now: number): void {
    writeSealed(slot, this.#path, this.#sendKey, type, this.#nextSequence++, length);
    this.#lastSentAt = now;
  }

  #writeRequest(slot: TransmitSlot): void {
    const token = this.token!;
    const { buffer, offset } = slot;
    const view = new DataView(buffer.buffer, buffer.byteOffset + offset, REQUEST_PACKET_BYTES);
    buffer[offset] = PACKET_REQUEST;
    buffer.set(NETCODE_VERSION_INFO, offset + 1);
    view.setBigUint64(14, token.protocolId, true);
    view.setBigUint64(22, token.expireTimestamp, true);
    buffer.set(token.nonce, offset + 30);
    buffer.set(token.privateData, offset + 54);
    slot.length = REQUEST_PACKET_BYTES;
    asItIs(slot, this.#path);
  }

  #writeResponse(slot: TransmitSlot): void {
    const { buffer, offset } = slot;
    const sequence = this.#nextSequence++;
    const headerLength = writePacketHeader(buffer, offset, PACKET_RESPONSE, sequence);
    const key = this.token!.clientToServerKey;
    const high = Math.floor(sequence / 0x1_0000_0000);
    buffer.set(this.#challenge, offset + headerLength);
    this.#protection.seal(key, high, sequence >>> 0, buffer, offset, headerLength, CHALLENGE_BYTES);
    slot.length = headerLength + CHALLENGE_BYTES + TAG_BYTES;
    asItIs(slot, this.#path);
  }

  /** Goes on to the next server address, or ends in `failure` when there is none. */
  #tryNextServer(failure: NetcodeClientState, now: number): void {
    const next = this.#nextServer(this.#server + 1);
    if (next < 0) {
      this.#finish(failure, false, now);
      return;
    }
    this.#server = next;
    this.#path = this.#serverPaths[next];
    this.#replay.reset();
    this.#lastReceivedAt = now;
    this.#lastSentAt = -Infinity;
    this.#change("sendingConnectionRequest", now);
  }

  #nextServer(from: number): number {
    const count = Math.min(this.#serverPaths.length, this.token?.serverAddresses.length ?? 0);
    for (let i = from; i < count; i++) if (this.#serverPaths[i] >= 0) return i;
    return -1;
  }

  #timedOutState(): NetcodeClientState {
    return this.#state === "sendingConnectionRequest" ? "connectionRequestTimedOut" : "connectionResponseTimedOut";
  }

  #finish(state: NetcodeClientState, sayGoodbye: boolean, now: number): void {
    this.#disconnects = sayGoodbye && this.#path >= 0 ? DISCONNECT_PACKETS : 0;
    this.#change(state, now);
  }

  #change(state: NetcodeClientState, now: number): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#handler.stateChanged(state, now);
  }

  #releaseKeys(): void {
    if (this.#sendKey === NO_KEY) return;
    this.#keys.releaseKey(this.#sendKey);
    this.#keys.releaseKey(this.#receiveKey);
    this.#sendKey = NO_KEY;
    this.#receiveKey = NO_KEY;
  }
}

function isActive(state: NetcodeClientState): boolean {
  return state === "sendingConnectionRequest" || state === "sendingConnectionResponse" || state === "connected";
}

function readUint32(buffer: Uint8Array, at: number): number {
  return (buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24)) >>> 0;
}
