import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { DEFAULT_CONFIG, DEFAULT_REGION_SCALING } from "./config-defaults.ts";
import { mergeConfig } from "./config-rules.ts";

const page = readFileSync(new URL("../../../../docs/load-balancer-config.md", import.meta.url), "utf8");

/** Of a section of the page: the table's settings with their defaults. */
function documented(section: string): Readonly<Record<string, string>> {
  const text = page.split(/^### /m).find((part) => part.startsWith(`\`${section}\``)) ?? "";
  return Object.fromEntries(
    Array.from(text.matchAll(/^\| `([\w.]+)` +\| +([^|]*?) +\|/gm), ([, name, value]) => [name, value]),
  );
}

function asDocumented(settings: object, prefix = ""): Readonly<Record<string, string>> {
  const entries = Object.entries(settings).flatMap(([key, value]: [string, unknown]): [string, string][] => {
    if (Array.isArray(value)) return [[prefix + key, "none"]];
    if (typeof value === "object" && value !== null) return Object.entries(asDocumented(value, `${key}.`));
    if (value === Infinity) return [[prefix + key, "no limit"]];
    if (typeof value === "number") return [[prefix + key, value.toLocaleString("en-US")]];
    return [[prefix + key, typeof value === "string" ? `\`${value}\`` : String(value)]];
  });
  return Object.fromEntries(entries);
}

describe("the defaults", () => {
  it("are valid, also after a way through JSON", () => {
    const { config, unknown } = mergeConfig(DEFAULT_CONFIG, JSON.parse(JSON.stringify(DEFAULT_CONFIG)));
    assert.deepEqual(config, DEFAULT_CONFIG);
    assert.deepEqual(unknown, []);
  });

  it("are those of docs/load-balancer-config.md, which knows every setting", () => {
    for (const [section, settings] of Object.entries(DEFAULT_CONFIG)) {
      const expected = section === "scaling" ? DEFAULT_REGION_SCALING : settings;
      assert.deepEqual(documented(section), asDocumented(expected), section);
    }
  });
});
