/**
 * What each setting may be, how a partial configuration is laid over a whole one, and what is said of values that are
 * refused. In JSON, which has no Infinity, `null` is "no limit"; for a region under `scaling` it takes the region away.
 */
import type { Coordinates } from "../registry/server-node.ts";
import { LocationOverrides } from "../geoip/location-overrides.ts";
import type { LocationOverride } from "../geoip/location-overrides.ts";
import type {
  GeoIpConfig,
  HealthConfig,
  LimitConfig,
  LoadBalancerConfig,
  QueueConfig,
  RegionScaling,
  RoutingConfig,
  ScheduledTarget,
  SeatConfig,
} from "./load-balancer-config.ts";
import { DEFAULT_REGION_SCALING } from "./config-defaults.ts";

type Rule = NumberRule | ChoiceRule | FlagRule | TextRule | ListRule | FieldsRule | RegionsRule;

interface NumberRule {
  readonly kind: "number";
  readonly min: number;
  readonly max: number;
  readonly isInteger?: boolean;
  /** Infinity is a value, and `null` stands for it. */
  readonly isLimit?: boolean;
}
interface ChoiceRule {
  readonly kind: "choice";
  readonly values: readonly string[];
}
interface FlagRule {
  readonly kind: "flag";
}
interface TextRule {
  readonly kind: "text";
  readonly pattern: RegExp;
  readonly allowed: string;
}
interface ListRule {
  readonly kind: "list";
  readonly items: Rule;
  readonly maxItems: number;
}
interface FieldsRule {
  readonly kind: "fields";
  readonly fields: Readonly<Record<string, Rule>>;
  /** Those that may be missing where there is nothing below to take them from. */
  readonly optional: readonly string[];
}
interface RegionsRule {
  readonly kind: "regions";
  readonly each: FieldsRule;
}

/** One value that is refused. */
export interface ConfigProblem {
  /** `routing.weights.load`, `scaling["eu.west"].minNodes`. */
  readonly path: string;
  /** What is wrong, with the value and what is allowed. */
  readonly problem: string;
}

export class ConfigError extends RangeError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ path, problem }) => `${path}: ${problem}`).join("; "));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

const DAY_MS = 86_400_000;
const MAX_REGIONS = 300;
const MAX_OVERRIDES = 2000;
const REGION_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Of the settings of regions that are not named. */
export const OTHER_REGIONS = "*";
const MAX_PROBLEMS = 20;

const ms = (min: number, max = DAY_MS): NumberRule => ({ kind: "number", min, max });
const whole = (min: number, max: number): NumberRule => ({ kind: "number", min, max, isInteger: true });
const limit = (min: number): NumberRule => ({ kind: "number", min, max: 1e9, isLimit: true });
const share: NumberRule = { kind: "number", min: 0, max: 1 };
const weight = (min: number): NumberRule => ({ kind: "number", min, max: 10_000 });
const time: TextRule = { kind: "text", pattern: /^(?:[01]\d|2[0-3]):[0-5]\d$/, allowed: '"00:00" to "23:59"' };

/** The fields of T, each with its rule: a setting without one does not compile. */
function fields<T>(rules: { readonly [K in keyof Required<T>]: Rule }, optional: readonly string[] = []): FieldsRule {
  return { kind: "fields", fields: rules, optional };
}

const CONFIG_RULE: FieldsRule = fields<LoadBalancerConfig>({
  routing: fields<RoutingConfig>(
    {
      defaultRegion: { kind: "text", pattern: REGION_NAME, allowed: "a region's name" },
      strategy: {
        kind: "choice",
        values: [
          "geographic",
          "latency",
          "leastLoad",
          "powerOfTwo",
          "weighted",
          "consistentHash",
          "sticky",
          "composite",
        ],
      },
      weights: fields<RoutingConfig["weights"]>({
        latency: weight(0),
        load: weight(-10_000),
        cpu: weight(0),
        sticky: weight(0),
      }),
      sampledNodes: whole(1, 64),
      sampledRegions: whole(1, 300),
      maxLatencyMs: ms(1, 10_000),
      slowStartMs: ms(0),
      panicThreshold: share,
      ejectAfterFailures: whole(1, 10_000),
      ejectForMs: ms(0),
      maxEjectedShare: share,
    },
    ["defaultRegion"],
  ),
  seats: fields<SeatConfig>({
    ttlMs: ms(1000),
    tokenExpireSeconds: whole(1, 3600),
    tokenTimeoutSeconds: whole(1, 3600),
    rememberMs: ms(1000),
    perClient: whole(1, 10_000),
  }),
  queue: fields<QueueConfig>({
    maxWaiting: whole(0, 1_000_000),
    admissionsPerSec: limit(0),
    patienceMs: ms(1000),
  }),
  health: fields<HealthConfig>({
    suspectAfterMs: ms(250),
    loseAfterMs: ms(500),
    forgetAfterMs: ms(1000),
    checkEveryMs: ms(100),
    checkTimeoutMs: ms(10),
    trustAfterMs: ms(0),
  }),
  scaling: {
    kind: "regions",
    each: fields<RegionScaling>({
      targetFreeSeats: whole(0, 10_000_000),
      minNodes: whole(0, 100_000),
      maxNodes: whole(0, 100_000),
      scaleOutCooldownMs: ms(0),
      scaleInCooldownMs: ms(0),
      scaleInMargin: { kind: "number", min: 0, max: 10 },
      maxStarting: whole(1, 10_000),
      startTimeoutMs: ms(1000),
      maxDrainMs: limit(0),
      seatsPerNode: whole(1, 1_000_000),
      schedule: {
        kind: "list",
        maxItems: 16,
        items: fields<ScheduledTarget>(
          {
            days: { kind: "list", items: whole(0, 6), maxItems: 7 },
            from: time,
            to: time,
            targetFreeSeats: whole(0, 10_000_000),
            minNodes: whole(0, 100_000),
          },
          ["targetFreeSeats", "minNodes"],
        ),
      },
      predict: { kind: "flag" },
    }),
  },
  limits: fields<LimitConfig>({
    requestsPerSec: { kind: "number", min: 0.1, max: 1e6 },
    requestBurst: whole(1, 1_000_000),
    connectionsPerPrefix: whole(1, 1_000_000),
    connections: whole(1, 1_000_000),
    challengeAbovePerSec: limit(0),
    proofBits: whole(1, 30),
  }),
  geoip: fields<GeoIpConfig>({
    overrides: {
      kind: "list",
      maxItems: MAX_OVERRIDES,
      items: fields<LocationOverride>(
        {
          prefix: { kind: "text", pattern: /^[0-9A-Fa-f:./]{2,64}$/, allowed: '"192.0.2.0/24" or "2001:db8::/32"' },
          coordinates: fields<Coordinates>({
            latitude: { kind: "number", min: -90, max: 90 },
            longitude: { kind: "number", min: -180, max: 180 },
          }),
          region: { kind: "text", pattern: REGION_NAME, allowed: "a region's name" },
          country: { kind: "text", pattern: /^[A-Z]{2}$/, allowed: 'two letters, as "CH"' },
          accuracyKm: { kind: "number", min: 0.1, max: 20_000 },
          unknown: { kind: "flag" },
        },
        ["coordinates", "region", "country", "accuracyKm", "unknown"],
      ),
    },
  }),
});

export interface MergeOptions {
  /** Keys that are not known are left out and counted, not refused: what a newer balancer has written. Default false. */
  readonly skipUnknown?: boolean;
}

export interface Merged {
  readonly config: LoadBalancerConfig;
  /** Paths of the keys that were left out. */
  readonly unknown: readonly string[];
}

/**
 * `patch` over `base`; lists are replaced, not merged. Throws `ConfigError` with all that is wrong, up to 20 problems.
 */
export function mergeConfig(base: LoadBalancerConfig, patch: unknown, options: MergeOptions = {}): Merged {
  const merge = new Merge(options.skipUnknown ?? false);
  const config = merge.value(CONFIG_RULE, base, patch, "") as LoadBalancerConfig;
  if (merge.problems.length === 0) merge.problems.push(...contradictionsOf(config));
  if (merge.problems.length > 0) throw new ConfigError(merge.problems.slice(0, MAX_PROBLEMS));
  return { config, unknown: merge.unknown };
}

/** `scaling` and `eu.west` to `scaling["eu.west"]`. */
export function pathOf(parent: string, key: string): string {
  if (!/^\w[\w-]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === "" ? key : `${parent}.${key}`;
}

class Merge {
  readonly problems: ConfigProblem[] = [];
  readonly unknown: string[] = [];
  readonly #skipsUnknown: boolean;

  constructor(skipsUnknown: boolean) {
    this.#skipsUnknown = skipsUnknown;
  }

  value(rule: Rule, base: unknown, patch: unknown, path: string): unknown {
    switch (rule.kind) {
      case "fields":
        return this.#fields(rule, base, patch, path);
      case "regions":
        return this.#regions(rule, base, patch, path);
      case "list":
        return this.#list(rule, patch, path);
      case "number":
        if (rule.isLimit && (patch === null || patch === Infinity)) return Infinity;
        if (typeof patch !== "number" || !(patch >= rule.min && patch <= rule.max)) break;
        if (rule.isInteger && !Number.isInteger(patch)) break;
        return patch;
      case "choice":
        if (typeof patch !== "string" || !rule.values.includes(patch)) break;
        return patch;
      case "flag":
        if (typeof patch !== "boolean") break;
        return patch;
      case "text":
        if (typeof patch !== "string" || !rule.pattern.test(patch)) break;
        return patch;
    }
    return this.#refuse(path, patch, rule);
  }

  #fields(rule: FieldsRule, base: unknown, patch: unknown, path: string): unknown {
    if (!isRecord(patch)) return this.#refuse(path, patch, rule);
    const merged: Record<string, unknown> = isRecord(base) ? { ...base } : {};
    for (const [key, value] of Object.entries(patch)) {
      const place = pathOf(path, key);
      if (Object.hasOwn(rule.fields, key)) merged[key] = this.value(rule.fields[key], merged[key], value, place);
      else if (this.#skipsUnknown) this.unknown.push(place);
      else this.#problem(place, `no such setting; there are ${Object.keys(rule.fields).join(", ")}`);
    }
    for (const key of Object.keys(rule.fields)) {
      if (Object.hasOwn(merged, key) || rule.optional.includes(key)) continue;
      this.#problem(pathOf(path, key), `missing, must be ${allowedBy(rule.fields[key])}`);
    }
    return merged;
  }

  #regions(rule: RegionsRule, base: unknown, patch: unknown, path: string): unknown {
    if (!isRecord(patch)) return this.#refuse(path, patch, rule);
    const merged: Record<string, unknown> = isRecord(base) ? { ...base } : {};
    for (const [region, value] of Object.entries(patch)) {
      const place = pathOf(path, region);
      if (region !== OTHER_REGIONS && !REGION_NAME.test(region)) {
        this.#problem(
          place,
          'a region\'s name is at most 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit; "*": those not named',
        );
      } else if (value === null) {
        delete merged[region];
      } else {
        const below = Object.hasOwn(merged, region) ? merged[region] : DEFAULT_REGION_SCALING;
        merged[region] = this.value(rule.each, below, value, place);
      }
    }
    const count = Object.keys(merged).length;
    if (count > MAX_REGIONS) this.#problem(path, `${count} regions, must be at most ${MAX_REGIONS}`);
    return merged;
  }

  #list(rule: ListRule, patch: unknown, path: string): unknown {
    if (!Array.isArray(patch) || patch.length > rule.maxItems) return this.#refuse(path, patch, rule);
    return patch.map((item: unknown, i) => this.value(rule.items, undefined, item, `${path}[${i}]`));
  }

  #refuse(path: string, value: unknown, rule: Rule): undefined {
    this.#problem(path, `${show(value)}, must be ${allowedBy(rule)}`);
  }

  #problem(path: string, problem: string): void {
    this.problems.push({ path: path === "" ? "config" : path, problem });
  }
}

/** Values that are each allowed and do not go together. */
function contradictionsOf(config: LoadBalancerConfig): readonly ConfigProblem[] {
  const { seats, health, limits, scaling, geoip } = config;
  const problems: ConfigProblem[] = [];
  const atLeast = (path: string, value: number, least: number, why: string): void => {
    if (value < least) problems.push({ path, problem: `${value}, must be at least ${least}: ${why}` });
  };
  const tokenMs = (seats.tokenExpireSeconds + seats.tokenTimeoutSeconds) * 1000;
  atLeast(
    "seats.ttlMs",
    seats.ttlMs,
    tokenMs,
    "tokenExpireSeconds and tokenTimeoutSeconds, or a player finds the seat gone",
  );
  atLeast("seats.rememberMs", seats.rememberMs, seats.ttlMs, "seats.ttlMs, or a retry takes a second seat");
  atLeast("health.loseAfterMs", health.loseAfterMs, health.suspectAfterMs, "health.suspectAfterMs");
  atLeast("health.checkEveryMs", health.checkEveryMs, health.checkTimeoutMs, "health.checkTimeoutMs");
  atLeast("limits.connections", limits.connections, limits.connectionsPerPrefix, "limits.connectionsPerPrefix");
  for (const [region, { minNodes, maxNodes, schedule }] of Object.entries(scaling)) {
    const path = pathOf("scaling", region);
    atLeast(`${path}.maxNodes`, maxNodes, minNodes, "minNodes");
    for (const [i, entry] of schedule.entries()) {
      atLeast(`${path}.maxNodes`, maxNodes, entry.minNodes ?? 0, `minNodes of schedule[${i}]`);
    }
  }
  const mistake = mistakeIn(geoip.overrides);
  if (mistake !== undefined) problems.push({ path: "geoip.overrides", problem: mistake });
  return problems;
}

function mistakeIn(overrides: readonly LocationOverride[]): string | undefined {
  try {
    void new LocationOverrides(overrides, MAX_OVERRIDES, () => undefined);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function allowedBy(rule: Rule): string {
  switch (rule.kind) {
    case "number": {
      const number = `${rule.isInteger ? "a whole number" : "a number"} from ${rule.min} to ${rule.max}`;
      return rule.isLimit ? `${number}, or null for no limit` : number;
    }
    case "choice":
      return `one of ${rule.values.join(", ")}`;
    case "flag":
      return "true or false";
    case "text":
      return rule.allowed;
    case "list":
      return `a list of at most ${rule.maxItems}`;
    case "fields":
      return `an object with ${Object.keys(rule.fields).join(", ")}`;
    case "regions":
      return "an object with regions' names";
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** At most 80 characters of it. */
function show(value: unknown): string {
  const text =
    typeof value === "number" || typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
