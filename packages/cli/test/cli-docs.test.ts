import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { createProgram } from "../src/program.ts";

const page = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");

function commandsOf(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...commandsOf(each)]);
}

describe("docs/cli.md", () => {
  it("knows every command, and every option of each", () => {
    const commands = commandsOf(createProgram());
    assert.ok(commands.length > 10);
    for (const command of commands) {
      assert.ok(page.includes(command.name()), command.name());
      for (const { long } of command.options) assert.ok(page.includes(`${long}`), `${command.name()} ${long}`);
    }
  });

  it("says the defaults that riposte balancer has", () => {
    const balancer = commandsOf(createProgram()).find((command) => command.name() === "balancer")!;
    const defaults = balancer.options.filter(({ defaultValue }) => typeof defaultValue === "string");
    assert.ok(defaults.length >= 4);
    for (const { long, defaultValue } of defaults) {
      const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${long} `));
      assert.ok(row?.includes(String(defaultValue)), `${long} ${String(defaultValue)}: ${row}`);
    }
  });
});
