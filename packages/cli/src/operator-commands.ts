/** The commands for operators, with their options. What they run is loaded when it is needed. */
import { Option } from "commander";
import type { Command } from "commander";
import type { NodeCommand } from "@riposte/fleet";
import type { ExplainCommandOptions } from "./commands/explain.ts";
import type { UpdateOptions } from "./commands/geoip.ts";
import type { ListOptions } from "./commands/nodes.ts";
import type { SetOptions } from "./commands/config.ts";
import type { TokenCommandOptions } from "./commands/token.ts";
import type { OperatorOptions } from "./operator-client.ts";

const DEFAULT_BALANCER = "http://127.0.0.1:7800";
const COMMANDS: Readonly<Record<NodeCommand, string>> = {
  drain: "Sends nobody new there; who plays may finish.",
  maintain: "The same, until it is resumed, whatever the node says.",
  resume: "Sends players there again.",
  unregister: "Forgets nodes.",
};

export function addOperatorCommands(program: Command, print: (text: string) => void): void {
  program
    .command("token")
    .description("Makes a token for an operator, a tool or a matchmaker.")
    .addOption(new Option("--operator-secret <hex>", "the same as the balancers'").env("RIPOSTE_OPERATOR_SECRET"))
    .option("--subject <name>", "who it is for, as it stands in the audit log; default: who you are here")
    .option("--scope <names...>", '"fleet:read", "fleet:write", "config:write", "allocate"; "all": the first three', [
      "fleet:read",
    ])
    .option("--lifetime <time>", "30m, 8h or 7d", "8h")
    .option("--json", "for programs", false)
    .action(async (options: TokenCommandOptions) => {
      const { makeToken } = await import("./commands/token.ts");
      print(await makeToken(options));
    });
  addNodes(program, print);
  operatorCommand(program, "explain")
    .description("Says where a player would be sent, and why not elsewhere. Takes no seat.")
    .option("--ip <address>", "where the player is")
    .option("--client <id>", "its client id; default: 0")
    .option("--region <names...>", "only these regions")
    .option("--game-version <version>", "only nodes with this build")
    .option("--mode <name>", "only nodes that host this game mode")
    .option("--strategy <name>", "default: as configured")
    .option("--latency <region=ms...>", "round trips that the player has measured")
    .option("--limit <number>", "candidates to list", "20")
    .action(async (options: ExplainCommandOptions) => {
      const { explain } = await import("./commands/explain.ts");
      print(await explain(options));
    });
  addConfig(program, print);
  const geoip = program.command("geoip").description("A balancer's databases of places by address.");
  operatorCommand(geoip, "show", { isDefault: true })
    .description("Shows which there are, and how old they are.")
    .action(async (options: OperatorOptions) => {
      const { showGeoIp } = await import("./commands/geoip.ts");
      print(await showGeoIp(options));
    });
  operatorCommand(geoip, "update")
    .description("Looks for new ones now, at the balancer that is asked.")
    .option("--force", "takes one of another type, or an older one, too", false)
    .action(async (options: UpdateOptions) => {
      const { updateGeoIp } = await import("./commands/geoip.ts");
      print(await updateGeoIp(options));
    });
  operatorCommand(program, "stats")
    .description("Shows the fleet by region, and the balancer that answers.")
    .action(async (options: OperatorOptions) => {
      const { showStats } = await import("./commands/stats.ts");
      print(await showStats(options));
    });
}

function addNodes(program: Command, print: (text: string) => void): void {
  const nodes = program.command("nodes").description("Lists and commands game servers.");
  operatorCommand(nodes, "list", { isDefault: true })
    .description("Lists nodes, by id.")
    .option("--region <name>", "only of this region")
    .option("--state <state>", "only those that are starting, ready, full, draining, maintenance or lost")
    .action(async (options: ListOptions) => {
      const { listNodes } = await import("./commands/nodes.ts");
      print(await listNodes(options));
    });
  for (const [command, text] of Object.entries(COMMANDS))
    operatorCommand(nodes, `${command} <ids...>`)
      .description(text)
      .action(async (ids: readonly string[], options: OperatorOptions) => {
        const { commandNodes } = await import("./commands/nodes.ts");
        print(await commandNodes(command as NodeCommand, ids, options));
      });
  operatorCommand(nodes, "register <file>")
    .description(
      'Registers a node that does not run yet, from a file with its registration in JSON ("-": standard input).',
    )
    .action(async (file: string, options: OperatorOptions) => {
      const { registerNode } = await import("./commands/nodes.ts");
      print(await registerNode(file, options));
    });
}

function addConfig(program: Command, print: (text: string) => void): void {
  const config = program.command("config").description("Reads and changes the fleet's settings while it runs.");
  operatorCommand(config, "get [path]", { isDefault: true })
    .description("Shows all settings, or one: routing.weights.load.")
    .action(async (path: string | undefined, options: OperatorOptions) => {
      const { getConfig } = await import("./commands/config.ts");
      print(await getConfig(path, options));
    });
  operatorCommand(config, "set [changes...]")
    .description("Changes settings: routing.maxLatencyMs=250 queue.admissionsPerSec=null")
    .option("--file <file>", 'with what changes in JSON, instead ("-": standard input)')
    .option("--dry-run", "changes nothing; says what would have become of recorded requests", false)
    .option("--comment <text>", "why; stands in the history")
    .action(async (changes: readonly string[], options: SetOptions) => {
      const { setConfig } = await import("./commands/config.ts");
      print(await setConfig(changes, options));
    });
  operatorCommand(config, "history")
    .description("Says who changed it when, and why.")
    .action(async (options: OperatorOptions) => {
      const { configHistory } = await import("./commands/config.ts");
      print(await configHistory(options));
    });
  operatorCommand(config, "rollback <version>")
    .description("Makes a new version with the settings of an earlier one.")
    .action(async (version: string, options: OperatorOptions) => {
      const { rollBackConfig } = await import("./commands/config.ts");
      print(await rollBackConfig(version, options));
    });
}

/** With the options of all that ask a balancer. */
function operatorCommand(parent: Command, name: string, options: { readonly isDefault?: boolean } = {}): Command {
  return parent
    .command(name, options)
    .addOption(
      new Option("--balancer <url>", "any balancer of the fleet").env("RIPOSTE_BALANCER").default(DEFAULT_BALANCER),
    )
    .addOption(new Option("--token <jwt>", "an operator's token, as riposte token makes").env("RIPOSTE_TOKEN"))
    .option("--json", "for programs", false);
}
