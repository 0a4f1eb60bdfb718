/**
 * Who may speak to a balancer as a node or as an operator. Nodes sign a short-lived JWT with a node key; several keys are
 * valid at once, so that keys are replaced without a pause. Operators bring a JWT of the studio's identity provider (a JWKS)
 * or one signed with a shared secret. Clocks of nodes and balancers may be off by `CLOCK_TOLERANCE_SECONDS`.
 */
import { createPublicKey, randomUUID } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { SignJWT, createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from "jose";
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";

const CLOCK_TOLERANCE_SECONDS = 300;
/** Between two looks at a JWKS by URL for keys that are not known: a new one counts after so long at the latest. */
const JWKS_COOLDOWN_MS = 5000;
/** Of a node's JWTs, where it is not configured otherwise. */
const NODE_AUDIENCE = "riposte-node";

const ASYMMETRIC = ["EdDSA", "ES256", "ES384", "RS256", "PS256"];

/** A secret that nodes share with balancers, or the public half of a key that only nodes have. */
export interface NodeKey {
  /** In the header of what is signed with it. */
  readonly kid: string;
  /** 32 bytes or more: HS256. */
  readonly secret?: Uint8Array;
  /** SPKI in PEM, or a key object: EdDSA, ES256, ES384, RS256, PS256. */
  readonly publicKey?: string | KeyObject;
  /** Ids of the nodes that may sign with it, or how they begin and a `*`. Default: all. */
  readonly nodes?: readonly string[];
  /** Unix ms. Default: always. */
  readonly validFrom?: number;
  readonly validUntil?: number;
}

export type AdminScope = "fleet:read" | "fleet:write" | "config:write";
/** `allocate`: may ask for any player, without the limits of players. For a studio's own matchmaker. */
export type Scope = AdminScope | "allocate";

export interface TokenTrust {
  readonly issuer: string;
  readonly audience: string;
  /** 32 bytes or more: HS256. One of the three. */
  readonly secret?: Uint8Array;
  readonly jwks?: JSONWebKeySet;
  /** Read when it is needed; new keys count a few seconds after they are there. */
  readonly jwksUrl?: string;
}

export interface Identity {
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
}

/** Why a token does not count, in words for who sent it. */
export class CredentialError extends Error {
  override readonly name: string = "CredentialError";
}

export interface NodeCredentialsOptions {
  /** Read for each registration: keys come and go. */
  readonly keys: () => readonly NodeKey[];
  readonly audience?: string;
  /** Unix ms. */
  readonly wallNow: () => number;
}

export class NodeCredentials {
  readonly #options: NodeCredentialsOptions;

  constructor(options: NodeCredentialsOptions) {
    this.#options = options;
  }

  /** The node's id and the key's. Rejects with a `CredentialError`. */
  async verify(token: string): Promise<{ readonly nodeId: string; readonly kid: string }> {
    const { keys, audience = NODE_AUDIENCE, wallNow } = this.#options;
    const kid = kidOf(token);
    const key = keys().find((candidate) => candidate.kid === kid);
    if (key === undefined)
      throw new CredentialError(`no node key is called "${kid}": sign with one that is configured`);
    const now = wallNow();
    const toleranceMs = CLOCK_TOLERANCE_SECONDS * 1000;
    if (now < (key.validFrom ?? -Infinity) - toleranceMs)
      throw new CredentialError(`node key "${kid}" is not valid yet: sign with the one before it`);
    if (now > (key.validUntil ?? Infinity) + toleranceMs)
      throw new CredentialError(`node key "${kid}" is no longer valid: sign with the one after it`);
    const options = { audience, ...verifyOptions(now) };
    const { secret, publicKey } = key;
    const payload =
      secret !== undefined
        ? jwtVerify(token, secret, { ...options, algorithms: ["HS256"] })
        : jwtVerify(token, toKeyObject(publicKey, kid), { ...options, algorithms: ASYMMETRIC });
    const nodeId = subjectOf(await checked(payload));
    if (key.nodes !== undefined && !key.nodes.some((pattern) => isNamedBy(pattern, nodeId)))
      throw new CredentialError(`node key "${kid}" is not for a node of the name "${nodeId}"`);
    return { nodeId, kid };
  }
}

export interface NodeTokenOptions {
  readonly nodeId: string;
  readonly kid: string;
  readonly secret?: Uint8Array;
  readonly privateKey?: KeyObject;
  /** Of `privateKey`. Default "EdDSA". */
  readonly algorithm?: string;
  readonly audience?: string;
  /** Unix ms. */
  readonly wallNow: number;
}

/** What a node sends with its registration; valid for 60 s. */
export function signNodeToken(options: NodeTokenOptions): Promise<string> {
  const { nodeId, kid, secret, privateKey, algorithm = "EdDSA", audience = NODE_AUDIENCE, wallNow } = options;
  const key = secret ?? privateKey;
  if (key === undefined) throw new TypeError(`node key "${kid}" has neither a secret nor a private key`);
  const now = Math.floor(wallNow / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: secret === undefined ? algorithm : "HS256", kid })
    .setSubject(nodeId)
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + 60)
    .setJti(randomUUID())
    .sign(key);
}

export interface OperatorTokenOptions {
  /** Whose tokens the balancer trusts. */
  readonly issuer: string;
  readonly audience: string;
  readonly secret: Uint8Array;
  /** Who it is for: stands in the audit log. */
  readonly subject: string;
  readonly scopes: readonly Scope[];
  readonly lifetimeSeconds: number;
  /** Unix ms. */
  readonly wallNow: number;
}

/** For an operator, a tool or a matchmaker, where balancers trust a shared secret and not an identity provider. */
export function signOperatorToken(options: OperatorTokenOptions): Promise<string> {
  const { issuer, audience, secret, subject, scopes, lifetimeSeconds, wallNow } = options;
  if (secret.length < 32) throw new RangeError(`the secret for tokens has ${secret.length} bytes, 32 are the least`);
  if (!(lifetimeSeconds > 0)) throw new RangeError(`lifetimeSeconds ${lifetimeSeconds}, must be above 0`);
  const now = Math.floor(wallNow / 1000);
  return new SignJWT({ scope: scopes.join(" ") })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + Math.ceil(lifetimeSeconds))
    .sign(secret);
}

/** Verifies the tokens of operators (and of players and matchmakers, which need no others). */
export class TokenCredentials {
  readonly #key: Uint8Array | JWTVerifyGetKey;
  readonly #options: JWTVerifyOptions;
  readonly #wallNow: () => number;

  constructor({ issuer, audience, secret, jwks, jwksUrl }: TokenTrust, wallNow: () => number) {
    if ([secret, jwks, jwksUrl].filter((key) => key !== undefined).length !== 1)
      throw new TypeError("give one of secret, jwks and jwksUrl");
    if (secret !== undefined && secret.length < 32)
      throw new RangeError(`the secret for tokens has ${secret.length} bytes, 32 are the least`);
    if (secret !== undefined) this.#key = secret;
    else
      this.#key =
        jwks === undefined
          ? createRemoteJWKSet(new URL(jwksUrl!), { cooldownDuration: JWKS_COOLDOWN_MS })
          : createLocalJWKSet(jwks);
    this.#options = { issuer, audience, algorithms: secret === undefined ? ASYMMETRIC : ["HS256"] };
    this.#wallNow = wallNow;
  }

  /** Rejects with a `CredentialError`. */
  async verify(token: string): Promise<Identity> {
    const options = { ...this.#options, ...verifyOptions(this.#wallNow()) };
    const key = this.#key;
    const payload = await checked(
      typeof key === "function" ? jwtVerify(token, key, options) : jwtVerify(token, key, options),
    );
    return { subject: subjectOf(payload), scopes: new Set(scopesOf(payload)) };
  }
}

function isNamedBy(pattern: string, nodeId: string): boolean {
  return pattern.endsWith("*") ? nodeId.startsWith(pattern.slice(0, -1)) : nodeId === pattern;
}

/** The token of an `Authorization: Bearer` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([\w~+/.=-]+)$/i.exec(header ?? "")?.[1];
}

function verifyOptions(now: number): JWTVerifyOptions {
  return { clockTolerance: CLOCK_TOLERANCE_SECONDS, currentDate: new Date(now), requiredClaims: ["exp", "sub"] };
}

async function checked(verified: Promise<{ payload: JWTPayload }>): Promise<JWTPayload> {
  try {
    return (await verified).payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw new CredentialError("the token has expired: get a new one", { cause: error });
    if (error instanceof errors.JWTClaimValidationFailed)
      throw new CredentialError(`the token's claim "${error.claim}" is not what is asked for here`, { cause: error });
    if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || isFetchFailure(error))
      throw new CredentialError("the keys that are trusted here cannot be fetched now: try again", { cause: error });
    throw new CredentialError("the token is not signed with a key that is trusted here", { cause: error });
  }
}

/** jose says so with its most general class: the answer was not 200, or no JSON. */
function isFetchFailure(error: errors.JOSEError): boolean {
  return error.code === errors.JOSEError.code;
}

function kidOf(token: string): string {
  try {
    const { kid } = decodeProtectedHeader(token);
    if (kid !== undefined) return kid.slice(0, 64);
  } catch {
    // Said below.
  }
  throw new CredentialError(`the token names no key: put the node key's id into its header as "kid"`);
}

function subjectOf(payload: JWTPayload): string {
  if (typeof payload.sub !== "string" || payload.sub === "") throw new CredentialError("the token has no subject");
  return payload.sub;
}

/** "scope" as in RFC 9068, or a list called "scopes". */
function scopesOf({ scope, scopes }: JWTPayload): string[] {
  if (typeof scope === "string") return scope.split(" ");
  return Array.isArray(scopes) ? scopes.filter((each): each is string => typeof each === "string") : [];
}

function toKeyObject(publicKey: string | KeyObject | undefined, kid: string): KeyObject {
  if (publicKey === undefined) throw new TypeError(`node key "${kid}" has neither a secret nor a public key`);
  return typeof publicKey === "string" ? createPublicKey(publicKey) : publicKey;
}
