/**
 * The server of netcode 1.02 as a state machine: admits clients by connect token and keeps their
 * sealed sessions. What connected clients say goes to a handler; what is said to them is asked of it.
 *
 * Beyond the standard: a newer token for a connected client id displaces the older session; a
 * challenge counts only for the admission it was made for; a session that the layer above has named
 * is known by that name on any path.
 */
import { NO_KEY } from "../machine.ts";
import type { Crypto, KeyStore, Machine, ReceivedPacket, TransmitSlot } from "../machine.ts";
import { toAddress } from "./address.ts";
import { Admission } from "./admission.ts";
import {
  isNamedType,
  MAX_CLIENTS,
  PACKET_DISCONNECT,
  PACKET_KEEP_ALIVE,
  PACKET_REQUEST,
  PACKET_RESPONSE,
  SEND_INTERVAL_MS,
} from "./constants.ts";
import { Deadlines } from "../deadlines.ts";
import { NetcodeDrops } from "./drops.ts";
import { HandshakeOutbox } from "./handshake-outbox.ts";
import { PacketHeader } from "./packet-header.ts";
import { protocolAssociatedData } from "./packet-protection.ts";
import { ReadyRing } from "./ready-ring.ts";
import type {
  NetcodeServerHandler,
  NetcodeServerOptions,
  ServerDisconnectReason,
  SessionExtensions,
} from "./server-options.ts";
import { isNewerToken, ServerSession, tagsEqual, timeoutOf } from "./server-session.ts";
import type { PendingSession } from "./server-session.ts";
import { FAREWELL_PACKETS, Farewells, writeKeepAlive, writePayload, writeProbe } from "./session-packets.ts";
import { SessionKeys } from "./session-keys.ts";
import { SessionTable } from "./session-table.ts";
import { hasSizeOfType } from "./transmit.ts";

const SWEEP_INTERVAL_MS = 1000;

export class NetcodeServer implements Machine<never> {
  readonly maxClients: number;
  readonly drops: NetcodeDrops = new NetcodeDrops();
  readonly #admission: Admission;
  readonly #handler: NetcodeServerHandler;
  readonly #keys: KeyStore;
  readonly #crypto: Crypto;
  readonly #aes: boolean;
  readonly #associatedData: Uint8Array;
  readonly #maxPending: number;
  #unixOffset: number;
  readonly #header: PacketHeader = new PacketHeader();

  readonly #sessions: SessionTable;
  readonly #pendingByPath: Map<number, PendingSession> = new Map();

  /** Keep-alive or timeout of each session, whichever is earlier. */
  readonly #deadlines: Deadlines;
  readonly #ready: ReadyRing;
  /** Sessions that have another path to probe. */
  readonly #probing: ReadyRing;
  readonly #handshakes: HandshakeOutbox;
  readonly #farewells: Farewells;
  /** Given back at the next `handleTimeout`, when nothing polled earlier can still name them. */
  readonly #staleReceiving: SessionKeys[] = [];
  readonly #staleSending: SessionKeys[] = [];
  readonly #stalePaths: number[] = [];
  #sweepAt = Infinity;
  /** The last `now` that came in. */
  #now: number;
  #running = true;
  #attempts = 0;

  constructor(options: NetcodeServerOptions) {
    const { maxClients, crypto, protocolId, privateKey, now, handler } = options;
    if (!(Number.isInteger(maxClients) && maxClients >= 1 && maxClients <= MAX_CLIENTS)) {
      throw new RangeError(`maxClients must be 1 to ${MAX_CLIENTS}, got ${maxClients}`);
    }
    this.maxClients = maxClients;
    this.#now = now;
    this.#handler = handler;
    this.#keys = options.keys;
    this.#crypto = crypto;
    this.#aes = options.aes ?? false;
    this.#associatedData = protocolAssociatedData(protocolId);
    this.#maxPending = options.maxPending ?? Math.max(64, maxClients * 4);
    this.#unixOffset = options.unixSeconds - now / 1000;
    this.#admission = new Admission({
      protocolId,
      privateKey,
      publicAddresses: options.publicAddresses.map(toAddress),
      crypto,
      drops: this.drops,
      tokenHistory: options.tokenHistory ?? Math.max(1024, maxClients * 8),
      handshakesPerSecond: options.handshakesPerSecond ?? 4000,
      shared: options.shared,
      addressOf: (path) => handler.addressOf?.(path) ?? String(path),
      now,
    });
    this.#handshakes = new HandshakeOutbox(this.#admission);
    this.#farewells = new Farewells(handler);
    this.#sessions = new SessionTable(maxClients, options.shared);
    this.#deadlines = new Deadlines(maxClients);
    this.#ready = new ReadyRing(maxClients);
    this.#probing = new ReadyRing(maxClients);
  }

  /** Connected clients, those whose path is gone for the moment included. */
  get clientCount(): number {
    return this.#sessions.size;
  }

  /** Admissions begun, and clients turned away because every seat was taken: each token once a try. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Admissions under way. */
  get pendingCount(): number {
    return this.#pendingByPath.size;
  }

  /** Connect tokens remembered, and how many were forgotten before they expired. */
  get tokenHistory(): { readonly size: number; readonly evicted: number } {
    return this.#admission.history;
  }

  get running(): boolean {
    return this.#running;
  }

  session(index: number): ServerSession | undefined {
    return this.#sessions.at(index);
  }

  clientIndexByPath(path: number): number {
    return this.#sessions.byPath(path)?.index ?? -1;
  }

  /** Disconnects everybody and admits nobody until `start`. Poll until idle to send the disconnects. */
  stop(now: number): void {
    this.#now = now;
    for (const session of this.#sessions.values()) this.#end(session, "serverDisconnected", now);
    for (const pending of this.#pendingByPath.values()) this.#dropPending(pending);
    this.#running = false;
  }

  /** Admits again after `stop`, with a new challenge key and the packet sequence reseeded. */
  start(): void {
    if (this.#running) return;
    this.#admission.start();
    this.#running = true;
  }

  /** The Unix time at `now`, told again since wall clocks are set and machines sleep. */
  setUnixTime(unixSeconds: number, now: number): void {
    this.#unixOffset = unixSeconds - now / 1000;
  }

  /** Sends a client away. */
  disconnect(index: number, now: number): void {
    const session = this.#sessions.at(index);
    if (session !== undefined) this.#end(session, "serverDisconnected", now);
  }

  /** `fill` has something to send to this client now. */
  wake(index: number): void {
    if (this.#sessions.at(index) !== undefined) this.#ready.push(index);
  }

  /** Gives a session an id, by which its client's packets are known on any path: 32 bits, never 0. It is movable only once the client wants it too. */
  name(index: number): number {
    const session = this.#sessions.at(index);
    if (session === undefined) throw new RangeError(`no client has the index ${index}`);
    return session.id === 0 ? this.#sessions.name(session, this.#admission.salt()) : session.id;
  }

  /** What both sides agreed on. */
  setExtensions(index: number, agreed: SessionExtensions): void {
    const session = this.#sessions.at(index);
    if (session === undefined) return;
    session.maxPayloadBytes = Math.max(session.maxPayloadBytes, agreed.maxPayloadBytes);
    session.movable = agreed.movable;
    if (agreed.aes) session.keys.sendAes();
  }

  /** `fillProbe` has something to send for this client now. */
  probe(index: number): void {
    if (this.#sessions.at(index) !== undefined) this.#probing.push(index);
  }

  /** A session goes on by another path. False when that belongs to somebody else. */
  move(index: number, path: number, now: number): boolean {
    const session = this.#sessions.at(index);
    if (session === undefined) return false;
    const before = session.path;
    if (!this.#sessions.move(session, path)) return false;
    this.#handler.retainPath(path);
    if (before >= 0) this.#stalePaths.push(before);
    session.interruptedAt = Infinity;
    session.keepAliveDue = true;
    this.#ready.push(index);
    this.#now = now;
    this.#schedule(session);
    return true;
  }

  /** The driver lost a path (a WebSocket closed): its session ends at once, or waits for another if it is movable. */
  handlePathClosed(path: number, now: number): void {
    this.#now = now;
    const session = this.#sessions.byPath(path);
    if (session?.movable) this.#interrupt(session, now);
    else if (session !== undefined) this.#end(session, "pathClosed", now);
    const pending = this.#pendingByPath.get(path);
    if (pending !== undefined) this.#dropPending(pending);
  }

  classify(packet: ReceivedPacket): void {
    packet.key = NO_KEY;
    packet.opened = false;
    const header = this.#header;
    if (!header.read(packet.buffer, packet.offset, packet.length)) return;
    if (header.type < PACKET_KEEP_ALIVE) return;
    const session = this.#sessionOf(header, packet.path);
    if (session === undefined) return;
    const sequence = header.sequence;
    if (sequence < 0 || !hasSizeOfType(header, packet.length, session.maxPayloadBytes)) return;
    if (session.replay.isReplay(sequence)) return;
    const key = session.keys.receiveOf(header.type);
    if (key === NO_KEY) return;
    packet.key = key;
    packet.packetNumber = sequence;
    packet.headerLength = header.length;
    packet.aadLength = header.aadLength;
  }

  receive(packet: ReceivedPacket, now: number): void {
    this.#now = now;
    if (packet.key !== NO_KEY) this.#receiveSealed(packet, now);
    else if (packet.length > 0 && packet.buffer[packet.offset] === PACKET_REQUEST) this.#receiveRequest(packet, now);
    else this.#receiveUnkeyed(packet, now);
  }

  handleTimeout(now: number): void {
    this.#now = now;
    while (this.#staleReceiving.length > 0) this.#staleReceiving.pop()!.releaseReceiving();
    while (this.#staleSending.length > 0) this.#staleSending.pop()!.releaseSending();
    while (this.#stalePaths.length > 0) this.#handler.releasePath(this.#stalePaths.pop()!);
    for (let index = this.#deadlines.due(now); index >= 0; index = this.#deadlines.due(now)) {
      const session = this.#sessions.at(index)!;
      // The very sums of #schedule: a difference may round the other way, and this loop would not end.
      const timeoutAt = timeoutOf(session);
      if (now >= timeoutAt) {
        this.#end(session, "timedOut", now);
        continue;
      }
      if (session.path >= 0 && now >= session.lastSentAt + SEND_INTERVAL_MS) {
        session.keepAliveDue = true;
        this.#ready.push(index);
        this.#deadlines.set(index, Math.min(now + SEND_INTERVAL_MS, timeoutAt));
      } else this.#schedule(session);
    }
    if (now >= this.#sweepAt) this.#sweep(now);
  }

  pollTransmit(slot: TransmitSlot, now: number): boolean {
    this.#now = now;
    slot.ecn = 0;
    if (this.#handshakes.transmit(slot, this.#pendingByPath, now) || this.#transmitFarewell(slot, now)) return true;
    // Asking the layer above may end a session.
    if (this.#transmitProbe(slot, now) || this.#transmitReady(slot, now)) return true;
    return this.#transmitFarewell(slot, now);
  }

  pollEvent(): undefined {
    return undefined;
  }

  nextTimeout(): number {
    const isStale = this.#staleReceiving.length + this.#staleSending.length + this.#stalePaths.length > 0;
    if (isStale) return this.#now;
    return Math.min(this.#deadlines.earliest, this.#sweepAt);
  }

  #receiveSealed(packet: ReceivedPacket, now: number): void {
    const drops = this.drops;
    const session = this.#sessions.byKey(packet.key);
    // The session may have ended, or moved, earlier in the batch.
    const type = packet.buffer[packet.offset] & 15;
    const isNamed = isNamedType(type);
    if (session === undefined || !(isNamed || session.path === packet.path)) return void drops.unknownPath++;
    if (!packet.opened) return void drops.forged++;
    if (session.replay.isReplay(packet.packetNumber)) return void drops.replayed++;
    session.replay.accept(packet.packetNumber);
    session.lastReceivedAt = now;
    if (type === PACKET_DISCONNECT) {
      this.#end(session, "clientDisconnected", now);
      return;
    }
    session.confirmed = true;
    const { headerLength } = packet;
    const length = type === PACKET_KEEP_ALIVE ? 0 : packet.length - headerLength;
    this.#handler.payload(session, packet, packet.offset + headerLength, length, now);
  }

  /** What `classify` named no key for: challenge responses, and what is to be dropped. */
  #receiveUnkeyed(packet: ReceivedPacket, now: number): void {
    const drops = this.drops;
    const header = this.#header;
    if (!header.read(packet.buffer, packet.offset, packet.length)) return void drops.malformed++;
    const isNamed = isNamedType(header.type);
    const session = isNamed ? this.#sessions.byId(header.sessionId) : this.#sessions.byPath(packet.path);
    if (header.type === PACKET_RESPONSE) {
      const pending = this.#pendingByPath.get(packet.path);
      if (pending !== undefined) this.#receiveResponse(pending, packet, now);
      else if (session === undefined) drops.unknownPath++;
      else drops.alreadyConnected++;
    } else if (header.type < PACKET_RESPONSE) drops.unexpected++;
    else if (session === undefined) drops.unknownPath++;
    else if (session.keys.receiveOf(header.type) === NO_KEY) drops.unexpected++;
    else if (header.sequence < 0 || !hasSizeOfType(header, packet.length, session.maxPayloadBytes)) drops.malformed++;
    else if (isNamed && session.path !== packet.path && !session.replay.isReplay(header.sequence)) drops.rateLimited++;
    else drops.replayed++;
  }

  #receiveRequest(packet: ReceivedPacket, now: number): void {
    const { buffer, offset, length, path } = packet;
    const drops = this.drops;
    if (!this.#running) return void drops.unexpected++;
    const unixNow = this.#unixOffset + now / 1000;
    const request = this.#admission.readRequest(buffer, offset, length, path, now, unixNow);
    if (request === undefined) return;
    const { token } = request;
    const connected = this.#sessions.byClientId(token.clientId);
    const onPath = this.#sessions.byPath(path);
    if (onPath !== undefined && onPath !== connected) return void drops.alreadyConnected++;
    if (connected !== undefined && !isNewerToken(request, connected)) {
      return void drops.alreadyConnected++;
    }
    const before = this.#pendingByPath.get(path);
    if (before !== undefined && before.expiresAt > now) {
      if (tagsEqual(before.tag, request.tag)) {
        this.#handshakes.challenge(before);
        return;
      }
      // A recorded request of an older token must not push out the admission under way.
      if (before.clientId === token.clientId && !isNewerToken(request, before)) return void drops.alreadyConnected++;
    }
    if (connected === undefined && this.#sessions.isFull) {
      if (request.tokenSerial < 0) this.#attempts++;
      this.#admission.enter(request, path, unixNow);
      drops.serverFull++;
      this.#handshakes.deny(path, token.serverToClientKey);
      return;
    }
    if (before !== undefined) this.#dropPending(before);
    if (this.#pendingByPath.size >= this.#maxPending) this.#sweep(now);
    if (this.#pendingByPath.size >= this.#maxPending) return void drops.pendingFull++;
    const pending = this.#admission.admit(request, path, now, unixNow);
    this.#attempts++;
    this.#pendingByPath.set(path, pending);
    this.#handler.retainPath(path);
    this.#sweepAt = Math.min(this.#sweepAt, now + SWEEP_INTERVAL_MS);
    this.#handshakes.challenge(pending);
  }

  #receiveResponse(pending: PendingSession, packet: ReceivedPacket, now: number): void {
    const { buffer, offset, length, path } = packet;
    if (pending.expiresAt <= now) {
      this.#dropPending(pending);
      return void this.drops.unknownPath++;
    }
    if (!this.#admission.readResponse(pending, this.#header, buffer, offset, length, now)) return;
    const older = this.#sessions.byClientId(pending.clientId);
    const onPath = this.#sessions.byPath(path);
    if ((onPath !== undefined && onPath !== older) || (older !== undefined && !isNewerToken(pending, older))) {
      this.#dropPending(pending);
      return void this.drops.alreadyConnected++;
    }
    if (older !== undefined) {
      this.#admission.history.spend(older.tokenSerial);
      this.#end(older, "displaced", now);
    }
    const index = this.#sessions.takeIndex();
    if (index < 0) {
      this.drops.serverFull++;
      this.#handshakes.deny(path, pending.serverToClientKey);
      return;
    }
    this.#connect(index, pending, now);
  }

  #connect(index: number, pending: PendingSession, now: number): void {
    const keys = new SessionKeys({
      sendKey: pending.serverToClientKey,
      receiveKey: pending.clientToServerKey,
      associatedData: this.#associatedData,
      store: this.#keys,
      crypto: this.#crypto,
      aes: this.#aes,
    });
    const sequence = this.#admission.history.nextSequence(pending.tokenSerial);
    const session = new ServerSession(index, pending, keys, sequence, now);
    if (pending.challengesSent === 1) session.handshakeRttMs = now - pending.challengedAt;
    this.#sessions.add(session);
    this.#handler.retainPath(session.path);
    this.#dropPending(pending);
    this.#ready.push(index);
    this.#schedule(session);
    this.#handler.connected(session, now);
  }

  #end(session: ServerSession, reason: ServerDisconnectReason, now: number): void {
    const { index } = session;
    if (this.#sessions.at(index) !== session) return;
    this.#sessions.remove(session);
    this.#deadlines.clear(index);
    this.#staleReceiving.push(session.keys);
    // Kept for the same token: its next session must not repeat a nonce.
    this.#admission.history.setNextSequence(session.tokenSerial, session.nextSequence + FAREWELL_PACKETS);
    // A client that said goodbye, or whose socket is gone, needs none from us.
    if (reason === "clientDisconnected" || reason === "pathClosed" || session.path < 0) this.#forget(session);
    else this.#farewells.add(session, reason !== "timedOut");
    this.#handler.disconnected(session, reason, now);
  }

  readonly #forget = (session: ServerSession): void => {
    this.#staleSending.push(session.keys);
    if (session.path >= 0) this.#stalePaths.push(session.path);
  };

  /** By its id, where the packet has one; else by its path. Strangers' packets with an id cost a decryption: not many. */
  #sessionOf(header: PacketHeader, path: number): ServerSession | undefined {
    if (!isNamedType(header.type)) return this.#sessions.byPath(path);
    const session = this.#sessions.byId(header.sessionId);
    if (session === undefined || session.path === path) return session;
    return this.#admission.takeBudget(path, this.#now) ? session : undefined;
  }

  #interrupt(session: ServerSession, now: number): void {
    this.#stalePaths.push(session.path);
    this.#sessions.move(session, -1);
    session.interruptedAt = now;
    this.#schedule(session);
    this.#handler.interrupted?.(session, now);
  }

  #dropPending(pending: PendingSession): void {
    if (this.#pendingByPath.get(pending.path) !== pending) return;
    this.#pendingByPath.delete(pending.path);
    this.#stalePaths.push(pending.path);
  }

  #sweep(now: number): void {
    for (const pending of this.#pendingByPath.values()) if (pending.expiresAt <= now) this.#dropPending(pending);
    this.#sweepAt = this.#pendingByPath.size === 0 ? Infinity : now + SWEEP_INTERVAL_MS;
  }

  #schedule(session: ServerSession): void {
    const sendAt = session.path < 0 ? Infinity : session.lastSentAt + SEND_INTERVAL_MS;
    this.#deadlines.set(session.index, Math.min(sendAt, timeoutOf(session)));
  }

  #transmitFarewell(slot: TransmitSlot, now: number): boolean {
    return this.#farewells.transmit(slot, now, this.#forget);
  }

  #transmitProbe(slot: TransmitSlot, now: number): boolean {
    for (let index = this.#probing.shift(); index >= 0; index = this.#probing.shift()) {
      const session = this.#sessions.at(index);
      if (session === undefined || !writeProbe(this.#handler, session, slot, now)) continue;
      this.#probing.push(index);
      return true;
    }
    return false;
  }

  #transmitReady(slot: TransmitSlot, now: number): boolean {
    for (let index = this.#ready.shift(); index >= 0; index = this.#ready.shift()) {
      const session = this.#sessions.at(index);
      if (session === undefined || session.path < 0) continue;
      // Until the client confirms that it knows its index, a keep-alive goes before each payload.
      if (!session.confirmed && !session.keepAliveAhead) session.keepAliveDue = true;
      else if (this.#transmitPayload(session, slot, now)) return true;
      if (this.#sessions.at(index) !== session || !session.keepAliveDue) continue;
      writeKeepAlive(session, this.maxClients, slot);
      this.#sent(session, now);
      session.keepAliveAhead = true;
      return true;
    }
    return false;
  }

  #transmitPayload(session: ServerSession, slot: TransmitSlot, now: number): boolean {
    if (!writePayload(this.#handler, session, slot, now)) return false;
    this.#sent(session, now);
    session.keepAliveAhead = false;
    return true;
  }

  /** A packet of this session is in the slot; it goes to the end of the line. */
  #sent(session: ServerSession, now: number): void {
    session.lastSentAt = now;
    session.keepAliveDue = false;
    this.#ready.push(session.index);
  }
}
