/** A configuration as a list of settings, and what an operator has changed in it as a patch for the API. */

/** A value of JSON. `null` in place of a number: no limit. */
export type Value = string | number | boolean | null;

export interface Setting {
  /** For example ["routing", "weights", "load"]. */
  readonly path: readonly string[];
  readonly value: Value;
}

/** A part that is edited as JSON: a list, or what is by region. */
export interface Document {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** All that is neither a list nor by region. */
export function settingsOf(config: unknown, path: readonly string[] = []): readonly Setting[] {
  if (isDocument(config, path)) return [];
  if (typeof config !== "object" || config === null) return [{ path, value: config as Value }];
  return Object.entries(config).flatMap(([name, value]) => settingsOf(value, [...path, name]));
}

export function documentsOf(config: unknown, path: readonly string[] = []): readonly Document[] {
  if (isDocument(config, path)) return [{ path, value: config }];
  if (typeof config !== "object" || config === null) return [];
  return Object.entries(config).flatMap(([name, value]) => documentsOf(value, [...path, name]));
}

function isDocument(value: unknown, path: readonly string[]): boolean {
  return Array.isArray(value) || (path.length === 1 && path[0] === "scaling");
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
export function patchOf(changes: readonly (Setting | Document)[]): Readonly<Record<string, unknown>> {
  const patch: Record<string, unknown> = {};
  for (const { path, value } of changes) {
    let branch = patch;
    for (const name of path.slice(0, -1)) branch = branch[name] = (branch[name] ?? {}) as Record<string, unknown>;
    branch[path[path.length - 1]] = value;
  }
  return patch;
}

/** What to lay over `before` to come to `after`: a list as a whole; of regions those that differ, and `null` for those that are gone. Undefined: nothing. */
export function documentPatch(before: unknown, after: unknown): unknown {
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
  if (!isRecord(before) || !isRecord(after)) return after;
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const changed = Object.entries(after).filter(([name, each]) => JSON.stringify(each) !== JSON.stringify(before[name]));
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...Object.fromEntries(changed) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
