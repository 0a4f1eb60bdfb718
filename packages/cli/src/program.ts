import { Command, Option } from "commander";
import type { BalancerCommandOptions } from "./commands/balancer.ts";
import type { SimulateCommandOptions } from "./commands/simulate.ts";
import { addOperatorCommands } from "./operator-commands.ts";

/** All commands with their options. */
export function createProgram(): Command {
  const program = new Command("riposte")
    .description("Netcode for real-time multiplayer games: the fleet's side of it.")
    // The commands below inherit it.
    .exitOverride();
  program
    .command("balancer")
    .description("Runs a balancer: answers players with where to play and the token to get in.")
    .option("--port <number>", "for players, nodes, operators and other balancers", "7800")
    .option("--host <address>", "to listen on; default: all")
    .option("--id <name>", "unique among the balancers; default: made up")
    .option("--url <url>", "where nodes and other balancers reach this one; default: http://127.0.0.1:<port>")
    .addOption(
      new Option("--secret <hex>", "the fleet's secret, 32 bytes or more, the same for all balancers").env(
        "RIPOSTE_FLEET_SECRET",
      ),
    )
    .addOption(
      new Option("--node-key <name:hex...>", "keys with which nodes sign, 32 bytes or more each").env(
        "RIPOSTE_NODE_KEYS",
      ),
    )
    .addOption(
      new Option(
        "--operator-secret <hex>",
        "with which operators' tokens are signed; default: no operator gets in",
      ).env("RIPOSTE_OPERATOR_SECRET"),
    )
    .option("--store <where>", '"memory", "embedded:<folder>" or "etcd:<url>,<url>,..."', "memory")
    .option("--peer <url...>", "other balancers; those of the same etcd are found without")
    .option("--config <file>", "settings in JSON, over the defaults, until somebody changes them")
    .option("--scale <region:nodes...>", "regions that are scaled, with the most nodes of each, over --config")
    .option("--scale-ports <from-to>", "ports of the game servers that are started here", "7777-7840")
    .option(
      "--agones-fleet <region:fleet...>",
      "scales by Agones, in whose cluster this runs: the Fleet of each region",
    )
    .option("--agones-warm <number>", "GameServers of each Fleet that are Ready besides", "0")
    .addOption(
      new Option(
        "--agones-webhook-secret <text>",
        "last part of the path of Agones' webhook, 16 characters or more",
      ).env("RIPOSTE_AGONES_WEBHOOK_SECRET"),
    )
    .option("--no-geoip", "do not load the databases of places by address (150 MB of memory)")
    .option("--behind-proxy", "the last address of X-Forwarded-For is the player's", false)
    .option("--no-console", "do not serve the operators' web console at /console/")
    .option("--dev", "makes up the secrets that are missing, and says them, with a token: for a desk", false)
    .argument("[command...]", "after --: starts a game server here, with {id}, {region} and {port} filled in")
    .action(async (command: string[], options: Omit<BalancerCommandOptions, "command">) => {
      const { runBalancer } = await import("./commands/balancer.ts");
      await using balancer = await runBalancer({ ...options, command });
      await balancer.closed;
    });
  program
    .command("simulate")
    .description("Simulates a fleet, its players and its balancers over days, and says how well they were placed.")
    .addOption(
      new Option("--scale <name>", "small: 2,000 nodes, 40 regions, 1 million players; full: 100,000, 300, 50 million")
        .choices(["small", "full"])
        .default("small"),
    )
    .option("--nodes <number>", "game servers")
    .option("--regions <number>", "in which they are")
    .option("--players <number>", "who have the game")
    .option("--days <number>", "from a Monday on; default: 7")
    .option("--seed <number>", "the same seed gives the same result; default: 1")
    .option("--incidents <names>", '"none", or some of loss,release,spike; default: all')
    .option("--strategy <name>", "how nodes are chosen; default: as configured")
    .option("--config <file>", "settings in JSON, over the defaults")
    .option("--balancers <number>", "default: 3")
    .option("--seats <number>", "of a node; default: 12")
    .option("--sessions <number>", "of a player in a week; default: 1")
    .option("--fixed", "all nodes are there all the time: nothing is scaled", false)
    .option("--compare", "the same week with each way of routing", false)
    .option("--json", "the whole report, as one line", false)
    .option("--no-progress", "say nothing meanwhile")
    .action(async (options: SimulateCommandOptions) => {
      const { runSimulate } = await import("./commands/simulate.ts");
      await runSimulate(options);
    });
  addOperatorCommands(program, console.log);
  return program;
}
