/**
 * `ConnectionMigrator`: lets connections move to other paths without being moved by anybody else (RFC 9000 section 9,
 * over netcode's sealed packets). One for all connections of an endpoint; a connection that stays where it is costs
 * nothing.
 *
 * A path is one address of the peer, a number of the driver's. Every packet that is reported here was opened under the
 * connection's key and is no replay. That proves who made it, not that its maker receives at the address it came from:
 * so a path is challenged, and only the answer, come back by the same path, lets game data go there. Until then it is sent
 * no more than three times what came from it (section 9.3.1). The server follows the newest packet that is more than
 * a probe (section 9.3); the path it leaves is challenged too, so that somebody who copies packets faster than they
 * travel does not win against a client that is still there (section 9.3.3).
 */
import { Deadlines } from "../deadlines.ts";
import { Candidate, Migration } from "./migration.ts";
import type { MigrationState } from "./migration.ts";

export interface ConnectionMigratorOptions {
  readonly role: "client" | "server";
  /** Connections, numbered from 0. */
  readonly maxConnections: number;
  /** Unpredictable bytes. */
  readonly randomBytes: (length: number) => Uint8Array;
  /** A path is in use: the driver must not give its number to another address. Calls count up and down. */
  readonly retainPath: (path: number) => void;
  readonly releasePath: (path: number) => void;
  /** The connection goes on by `path`. False: it cannot, since another one is there. */
  readonly move: (connection: number, path: number, now: number) => boolean;
  /** A path that `initiateMigration` asked for did not answer. */
  readonly failed?: (connection: number, path: number, now: number) => void;
  /** A probe of this connection is due: `pollProbe` will give it. */
  readonly wake: (connection: number) => void;
}

/** What one probe packet holds; one record, reused. */
export interface PathProbe {
  path: number;
  /** Data of a PATH_RESPONSE and of a PATH_CHALLENGE, where one is due. */
  response: Uint8Array | undefined;
  challenge: Uint8Array | undefined;
  /** A PING too: the path is the one in use, and the answer should say so (section 9.3.3). */
  ping: boolean;
  /** Bytes of the whole UDP payload to fill up to, so that the server may answer; 0: no padding. */
  padToBytes: number;
}

/** Paths watched at once for one connection, the one in use not counted. */
const MAX_CANDIDATES = 3;
/** Section 8.1; a server's probe is never larger than this many bytes. */
const AMPLIFICATION = 3;
const SERVER_PROBE_BYTES = 64;
/** Section 8.2.1: a datagram that starts a validation is as large as this, if the sender may. */
const PROBE_BYTES = 1200;
/** Challenges are repeated after this time, doubling, this many times. */
const FIRST_RETRY_MS = 150;
const MAX_RETRY_MS = 1_000;
const MAX_CHALLENGES = 7;
/** A path that was left, or validated and not used, may be come back to for so long without a new challenge. */
const REMEMBERED_MS = 10_000;

export class ConnectionMigrator {
  /** Moves done; challenges sent; paths that did not answer; new paths not looked at because there were too many. */
  migrations = 0;
  challengesSent = 0;
  failed = 0;
  rateLimited = 0;
  readonly #options: ConnectionMigratorOptions;
  readonly #isServer: boolean;
  readonly #migrations: Map<number, Migration> = new Map();
  readonly #deadlines: Deadlines;
  readonly #probe: PathProbe = {
    path: -1,
    response: undefined,
    challenge: undefined,
    ping: false,
    padToBytes: 0,
  };

  constructor(options: ConnectionMigratorOptions) {
    this.#options = options;
    this.#isServer = options.role === "server";
    this.#deadlines = new Deadlines(options.maxConnections);
  }

  /** What is going on for this connection. */
  state(connection: number): MigrationState {
    return this.#migrations.get(connection)?.state ?? "none";
  }

  /** This connection has paths that are watched: its packets must be reported even where they come by the path in use. */
  isWatching(connection: number): boolean {
    return this.#migrations.has(connection);
  }

  /** We want to go on by `path`: it is asked first, and moved to when it answers. `current` is -1 when there is no path now. */
  initiateMigration(connection: number, path: number, current: number, now: number): void {
    const migration = this.#migrationOf(connection, current, now);
    const candidate = this.#candidateOf(migration, connection, path, now);
    candidate.ours = true;
    migration.state = "inProgress";
    this.#schedule(connection, migration, now);
    this.#options.wake(connection);
  }

  /**
   * An authentic packet of `bytes` came by `path` while `current` is in use. `newest`: its number is the highest so
   * far, and it is more than a probe. Call it for every packet by another path, and for all while `isWatching`.
   */
  onPacket(connection: number, path: number, current: number, bytes: number, newest: boolean, now: number): void {
    const migration = this.#migrationOf(connection, current, now);
    if (newest) migration.wanted = path;
    if (path !== migration.current) {
      const candidate = migration.find(path) ?? this.#admit(migration, connection, path, newest, now);
      if (candidate !== undefined) {
        candidate.receivedBytes += bytes;
        this.#moveIfDue(migration, connection, candidate, now);
      }
    }
    this.#schedule(connection, migration, now);
  }

  /** A PATH_CHALLENGE came by `path`, reported by `onPacket` before: it is answered there (section 8.2.2). */
  onChallenge(connection: number, path: number, current: number, data: Uint8Array, now: number): void {
    const migration = this.#migrationOf(connection, current, now);
    if (path === migration.current) migration.response = data.slice();
    else {
      const candidate = migration.find(path);
      if (candidate === undefined) return;
      candidate.response = data.slice();
    }
    this.#schedule(connection, migration, now);
    this.#options.wake(connection);
  }

  /** A PATH_RESPONSE came by `path`. Only what was asked on this very path counts (section 8.2.3). */
  onResponse(connection: number, path: number, data: Uint8Array, now: number): void {
    const migration = this.#migrations.get(connection);
    const candidate = migration?.find(path);
    if (migration === undefined || candidate === undefined || candidate.state !== "validating") return;
    if (candidate.challengesSent === 0 || !equal(candidate.challenge, data)) return;
    candidate.state = "validated";
    candidate.dueAt = now + REMEMBERED_MS;
    this.#moveIfDue(migration, connection, candidate, now);
    this.#schedule(connection, migration, now);
  }

  /** The driver lost a path, whosever it is. */
  onPathClosed(path: number, now: number): void {
    for (const [connection, migration] of this.#migrations) {
      if (path === migration.current) migration.current = -1;
      const candidate = migration.find(path);
      if (candidate !== undefined) this.#drop(migration, connection, candidate, now);
      this.#schedule(connection, migration, now);
    }
  }

  /** The connection is over. */
  forget(connection: number): void {
    const migration = this.#migrations.get(connection);
    if (migration === undefined) return;
    this.#migrations.delete(connection);
    this.#deadlines.clear(connection);
    for (const { path } of migration.candidates) this.#options.releasePath(path);
  }

  handleTimeout(now: number): void {
    for (let connection = this.#deadlines.due(now); connection >= 0; connection = this.#deadlines.due(now)) {
      this.#deadlines.clear(connection);
      const migration = this.#migrations.get(connection);
      if (migration === undefined) continue;
      for (let i = migration.candidates.length - 1; i >= 0; i--) {
        const candidate = migration.candidates[i];
        if (candidate.dueAt > now) continue;
        if (candidate.state === "validated" || candidate.challengesSent >= MAX_CHALLENGES) {
          if (candidate.state === "validating") this.failed++;
          this.#drop(migration, connection, candidate, now);
          continue;
        }
        // Asked again through `pollProbe`, which moves the time on; if nobody polls, then after a while.
        candidate.dueAt = now;
        this.#options.wake(connection);
      }
      if (migration.isIdle && migration.dueAt(now) <= now) this.#migrations.delete(connection);
      else this.#deadlines.set(connection, Math.max(migration.dueAt(now), now + FIRST_RETRY_MS));
    }
  }

  nextTimeout(): number {
    return this.#deadlines.earliest;
  }

  /** The next probe packet of this connection, valid until the next call; it counts as sent once `onProbeSent` is told. */
  pollProbe(connection: number, now: number): PathProbe | undefined {
    const migration = this.#migrations.get(connection);
    if (migration === undefined) return undefined;
    const probe = this.#probe;
    if (migration.current >= 0 && (migration.response !== undefined || migration.checkCurrent !== undefined)) {
      probe.path = migration.current;
      probe.response = migration.response;
      probe.challenge = migration.checkCurrent;
      probe.ping = migration.response !== undefined;
      probe.padToBytes = 0;
      return probe;
    }
    for (const candidate of migration.candidates) {
      const isValidating = candidate.state === "validating";
      const asks = isValidating && candidate.dueAt <= now && candidate.challengesSent < MAX_CHALLENGES;
      if (!asks && candidate.response === undefined) continue;
      const budget = AMPLIFICATION * candidate.receivedBytes - candidate.sentBytes;
      if (this.#isServer && isValidating && budget < SERVER_PROBE_BYTES) {
        // A try that could not be made counts.
        if (asks) this.#countChallenge(candidate, now);
        candidate.response = undefined;
        continue;
      }
      probe.path = candidate.path;
      probe.response = candidate.response;
      probe.challenge = asks ? candidate.challenge : undefined;
      probe.ping = false;
      probe.padToBytes = asks && candidate.ours ? PROBE_BYTES : 0;
      return probe;
    }
    return undefined;
  }

  /** The probe of the last `pollProbe` goes out, as a UDP payload of `bytes`. */
  onProbeSent(connection: number, bytes: number, now: number): void {
    const migration = this.#migrations.get(connection);
    if (migration === undefined) return;
    const { path, challenge } = this.#probe;
    const candidate = migration.find(path);
    if (candidate !== undefined) {
      candidate.response = undefined;
      candidate.sentBytes += bytes;
      if (challenge !== undefined) this.#countChallenge(candidate, now);
    } else if (path === migration.current) {
      migration.response = undefined;
      migration.checkCurrent = undefined;
    }
    if (challenge !== undefined) this.challengesSent++;
    this.#schedule(connection, migration, now);
  }

  #countChallenge(candidate: Candidate, now: number): void {
    candidate.dueAt = now + Math.min(FIRST_RETRY_MS * 2 ** candidate.challengesSent, MAX_RETRY_MS);
    candidate.challengesSent++;
  }

  /** A path not seen before: a server looks at it, if there were not too many of them. */
  #admit(migration: Migration, connection: number, path: number, newest: boolean, now: number): Candidate | undefined {
    if (!this.#isServer) return undefined;
    if (!migration.takeToken(now)) {
      this.rateLimited++;
      return undefined;
    }
    const candidate = this.#candidateOf(migration, connection, path, now);
    migration.state = "validating";
    if (newest && migration.current >= 0) migration.checkCurrent = this.#options.randomBytes(8);
    this.#options.wake(connection);
    return candidate;
  }

  #moveIfDue(migration: Migration, connection: number, candidate: Candidate, now: number): void {
    if (candidate.state !== "validated") return;
    const isDue = this.#isServer ? migration.wanted === candidate.path : candidate.ours;
    if (!isDue || !this.#options.move(connection, candidate.path, now)) return;
    this.migrations++;
    const left = migration.current;
    migration.candidates.splice(migration.candidates.indexOf(candidate), 1);
    // An answer that is owed goes where it was asked for: this path is now the one in use.
    migration.response = candidate.response;
    migration.checkCurrent = undefined;
    migration.current = candidate.path;
    migration.wanted = candidate.path;
    migration.state = "done";
    this.#options.releasePath(candidate.path);
    if (left < 0) return;
    const previous = this.#candidateOf(migration, connection, left, now);
    previous.state = "validated";
    previous.dueAt = now + REMEMBERED_MS;
  }

  #migrationOf(connection: number, current: number, now: number): Migration {
    let migration = this.#migrations.get(connection);
    if (migration === undefined) {
      migration = new Migration(current, now);
      this.#migrations.set(connection, migration);
    } else migration.current = current;
    return migration;
  }

  #candidateOf(migration: Migration, connection: number, path: number, now: number): Candidate {
    const known = migration.find(path);
    if (known !== undefined) return known;
    if (migration.candidates.length === MAX_CANDIDATES) {
      this.#drop(migration, connection, migration.candidates[0], now);
    }
    const candidate = new Candidate(path, this.#options.randomBytes(8), now);
    migration.candidates.push(candidate);
    this.#options.retainPath(path);
    return candidate;
  }

  #drop(migration: Migration, connection: number, candidate: Candidate, now: number): void {
    migration.candidates.splice(migration.candidates.indexOf(candidate), 1);
    if (migration.state === "inProgress" ? candidate.ours : migration.candidates.length === 0) migration.state = "none";
    this.#options.releasePath(candidate.path);
    if (candidate.ours && candidate.state === "validating") this.#options.failed?.(connection, candidate.path, now);
  }

  #schedule(connection: number, migration: Migration, now: number): void {
    if (this.#migrations.get(connection) === migration) this.#deadlines.set(connection, migration.dueAt(now));
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}
