/**
 * The configuration that is in force, and the ones before it. Pure: it neither reads nor writes the store; who owns both
 * does this:
 *
 * 1. `prepare` validates a change and gives the next version, and changes nothing.
 * 2. That version is put to the store, under the condition that nobody has put another one meanwhile. Where somebody has,
 *    theirs is accepted and `prepare` is asked again.
 * 3. `accept` puts it in force; the same call takes what other balancers have put. `change` does 1 and 3 where there is no
 *    store to ask.
 *
 * Of two versions with the same number, which there are only where the store was lost, the later one counts, so that all
 * balancers come to the same.
 */
import type { ConfigVersion } from "../http/balancer-api.ts";
import type { LoadBalancerConfig } from "./load-balancer-config.ts";
import { DEFAULT_CONFIG } from "./config-defaults.ts";
import { diffConfigs } from "./config-diff.ts";
import { ConfigError, mergeConfig } from "./config-rules.ts";

export interface ConfigBookOptions {
  /** Versions that are kept, the one in force among them. Default 100. */
  readonly maxVersions?: number;
  /** Over the defaults, as version 0: what is in force until somebody changes it. Throws `ConfigError`. */
  readonly initial?: unknown;
}

/** Who changes it, when, and why. */
export interface ConfigAuthor {
  readonly changedBy: string;
  /** ISO 8601, as `Date.toISOString` gives it. */
  readonly changedAt: string;
  /** At most 500 characters are kept. */
  readonly comment?: string;
}

export interface ConfigChange {
  /** The one in force where nothing is different. */
  readonly version: ConfigVersion;
  /** `path: old -> new`; none: nothing is different. */
  readonly diff: readonly string[];
}

export interface Accepted {
  /** Whether it is in force now and was not before. */
  readonly isNew: boolean;
  /** Settings in it that this balancer does not know, and leaves out: a newer one wrote them. */
  readonly unknown: readonly string[];
  /** Versions that are no longer kept, for who keeps them elsewhere. */
  readonly dropped: readonly number[];
}

const MAX_COMMENT = 500;
/** Always of one length, so that the later one is also the larger text. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export class ConfigBook {
  readonly #maxVersions: number;
  /** By number, the lowest first. */
  #versions: ConfigVersion[];

  constructor(options: ConfigBookOptions = {}) {
    this.#maxVersions = options.maxVersions ?? 100;
    if (!(this.#maxVersions >= 1)) throw new RangeError(`maxVersions ${this.#maxVersions}, must be at least 1`);
    const { config } = mergeConfig(DEFAULT_CONFIG, options.initial ?? {});
    this.#versions = [{ version: 0, config, changedBy: "defaults", changedAt: "1970-01-01T00:00:00.000Z" }];
  }

  /** In force. The object of a version never changes. */
  get config(): LoadBalancerConfig {
    return this.current.config;
  }

  get current(): ConfigVersion {
    return this.#versions[this.#versions.length - 1];
  }

  /** Those that are kept, the one in force last. */
  versions(): readonly ConfigVersion[] {
    return this.#versions;
  }

  /** The next version, with `patch` laid over the one in force; not in force yet. Throws `ConfigError`. */
  prepare(patch: unknown, author: ConfigAuthor): ConfigChange {
    return this.#next(mergeConfig(this.config, patch).config, author);
  }

  /** The next version, with the settings of an earlier one; not in force yet. Undefined: that one is not kept. */
  prepareRollBack(version: number, author: ConfigAuthor): ConfigChange | undefined {
    const earlier = this.#versions.find((candidate) => candidate.version === version);
    if (earlier === undefined) return undefined;
    return this.#next(earlier.config, { ...author, comment: author.comment ?? `back to version ${version}` });
  }

  /** `prepare`, and in force at once. */
  change(patch: unknown, author: ConfigAuthor): ConfigChange {
    return this.#enforce(this.prepare(patch, author));
  }

  /** `prepareRollBack`, and in force at once. */
  rollBack(version: number, author: ConfigAuthor): ConfigChange | undefined {
    const change = this.prepareRollBack(version, author);
    return change === undefined ? undefined : this.#enforce(change);
  }

  /**
   * A version from the store, as an object or as `toText` wrote it: in force where it is the largest, else history. What is
   * missing in it has its default. Throws `ConfigError` and stays as it is where the version is not valid.
   */
  accept(stored: unknown): Accepted {
    const { version, unknown } = readVersion(stored);
    const before = this.current;
    const i = this.#versions.findIndex((candidate) => candidate.version >= version.version);
    const same = i < 0 ? undefined : this.#versions[i];
    if (same?.version === version.version) {
      if (!isLater(version, same)) return { isNew: false, unknown, dropped: [] };
      this.#versions = this.#versions.with(i, version);
    } else {
      this.#versions = this.#versions.toSpliced(i < 0 ? this.#versions.length : i, 0, version);
    }
    const surplus = Math.max(this.#versions.length - this.#maxVersions, 0);
    const dropped = this.#versions.slice(0, surplus).map((old) => old.version);
    this.#versions = this.#versions.slice(surplus);
    return { isNew: this.current !== before, unknown, dropped };
  }

  /** For the store. */
  static toText(version: ConfigVersion): string {
    return JSON.stringify(version);
  }

  #next(config: LoadBalancerConfig, author: ConfigAuthor): ConfigChange {
    const diff = diffConfigs(this.config, config);
    if (diff.length === 0) return { version: this.current, diff };
    const { changedBy, changedAt, comment } = author;
    if (!ISO_TIME.test(changedAt)) throw new RangeError(`changedAt ${changedAt}, must be an ISO 8601 time`);
    const version: ConfigVersion = {
      version: this.current.version + 1,
      config,
      changedBy,
      changedAt,
      ...(comment === undefined ? {} : { comment: comment.slice(0, MAX_COMMENT) }),
    };
    return { version, diff };
  }

  #enforce(change: ConfigChange): ConfigChange {
    if (change.diff.length > 0) this.accept(change.version);
    return change;
  }
}

function readVersion(stored: unknown): { readonly version: ConfigVersion; readonly unknown: readonly string[] } {
  const value: unknown = typeof stored === "string" ? parse(stored) : stored;
  if (typeof value !== "object" || value === null) throw problem("version", `${String(value)}, must be an object`);
  const { version, config, changedBy, changedAt, comment } = value as Readonly<Record<string, unknown>>;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0) {
    throw problem("version", `${String(version)}, must be a whole number of 0 or more`);
  }
  if (typeof changedBy !== "string") throw problem("changedBy", `${String(changedBy)}, must be a text`);
  if (typeof changedAt !== "string" || !ISO_TIME.test(changedAt)) {
    throw problem("changedAt", `${String(changedAt)}, must be an ISO 8601 time`);
  }
  const merged = mergeConfig(DEFAULT_CONFIG, config, { skipUnknown: true });
  const read = { version, config: merged.config, changedBy, changedAt };
  return { version: typeof comment === "string" ? { ...read, comment } : read, unknown: merged.unknown };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw problem("version", `not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function problem(path: string, text: string): ConfigError {
  return new ConfigError([{ path, problem: text }]);
}

/** Of two with the same number; any total order does, as long as it is the same everywhere. */
function isLater(a: ConfigVersion, b: ConfigVersion): boolean {
  const [left, right] = [a, b].map(({ changedAt, changedBy, config }) => [
    changedAt,
    changedBy,
    JSON.stringify(config),
  ]);
  for (const [i, value] of left.entries()) if (value !== right[i]) return value > right[i];
  return false;
}
