/** A configuration as a list of settings, and what an operator has changed in it as a patch for the API. */

/** A value of JSON. `null` in place of a number: no limit. */
export type Value = string | number | boolean | null;

export interface Setting {
  /** For example ["routing", "weights", "load"]. */
  readonly path: readonly string[];
  readonly value: Value;
}

/** Lists, and what is by region, is no setting of its own: it is edited as JSON. */
export function settingsOf(config: unknown, path: readonly string[] = []): readonly Setting[] {
  if (typeof config !== "object" || config === null) return [{ path, value: config as Value }];
  if (Array.isArray(config) || path[0] === "scaling") return [];
  return Object.entries(config).flatMap(([name, value]) => settingsOf(value, [...path, name]));
}

/** What was typed, as the value that it means where `before` stood. Text that is no number is given on: the API says what is wrong. */
export function readValue(text: string, before: Value): Value {
  const trimmed = text.trim();
  if (typeof before === "string") return trimmed;
  if (trimmed === "" || trimmed === "no limit") return null;
  const number = Number(trimmed.replaceAll(",", ""));
  return Number.isFinite(number) ? number : trimmed;
}

/** The smallest patch that makes these changes. */
export function patchOf(changes: readonly Setting[], scaling: unknown): Readonly<Record<string, unknown>> {
  const patch: Record<string, unknown> = {};
  for (const { path, value } of changes) {
    let branch = patch;
    for (const name of path.slice(0, -1)) branch = branch[name] = (branch[name] ?? {}) as Record<string, unknown>;
    branch[path[path.length - 1]] = value;
  }
  return scaling === undefined ? patch : { ...patch, scaling };
}

/** What to lay over `before` to come to `after`: regions that are gone are `null`. Undefined: nothing. */
export function scalingPatch(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): unknown {
  const gone = Object.keys(before).filter((region) => !Object.hasOwn(after, region));
  const changed = Object.entries(after).filter(
    ([region, each]) => JSON.stringify(each) !== JSON.stringify(before[region]),
  );
  if (gone.length + changed.length === 0) return undefined;
  return { ...Object.fromEntries(gone.map((region) => [region, null])), ...Object.fromEntries(changed) };
}
