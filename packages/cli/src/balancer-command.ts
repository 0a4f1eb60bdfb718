/** `riposte balancer` with its options; `commands/balancer.ts` runs it. */
import { Option } from "commander";
import type { Command } from "commander";
import type { BalancerCommandOptions } from "./commands/balancer.ts";

const secret = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable);

export function addBalancerCommand(program: Command): void {
  const command = program
    .command("balancer")
    .description("Runs a balancer: answers players with where to play and the token to get in.");
  command
    .option("--port <number>", "for players, nodes, operators and other balancers", "7800")
    .option("--host <address>", "to listen on; default: all")
    .option("--id <name>", "unique among the balancers; default: made up")
    .option("--url <url>", "where nodes and other balancers reach this one; default: http://127.0.0.1:<port>")
    .option("--tls-cert <file>", "HTTPS: certificate chain, PEM")
    .option("--tls-key <file>", "and its private key, PEM")
    .option("--ca <file>", "who signed the other balancers' certificates, PEM; default: whom Node trusts")
    .option("--behind-proxy", "the last address of X-Forwarded-For is the player's", false)
    .addOption(
      secret(
        "--secret <hex>",
        "the fleet's secret, 32 bytes or more, the same for all balancers",
        "RIPOSTE_FLEET_SECRET",
      ),
    )
    .addOption(
      secret("--node-key <name:hex...>", "keys with which nodes sign, 32 bytes or more each", "RIPOSTE_NODE_KEYS"),
    )
    .option(
      "--store <where>",
      '"embedded:<folder>" or "etcd:<url>,<url>,...", or "memory"; default: embedded:riposte-store, with --dev memory',
    )
    .option("--peer <url...>", "other balancers; those of the same etcd are found without")
    .option("--config <file>", "settings in JSON, over the defaults, until somebody changes them");
  command
    .addOption(
      secret(
        "--operator-secret <hex>",
        "with which tokens of operators, matchmakers and players are signed; default: no operator gets in",
        "RIPOSTE_OPERATOR_SECRET",
      ),
    )
    .option("--jwks <url>", "instead: where the public keys of your identity provider are")
    .option("--issuer <text>", "what its tokens must name; with --jwks")
    .option("--audience <text>", "and for whom they must be; default: riposte-balancer")
    .option("--player-tokens", "players must bring a token whose subject is their client id", false)
    .option("--protocol-id <number>", "of the game, as its servers'; default: RIPOSTE1 as a number")
    .option("--beacon <region:url...>", "where players measure how far a region is, as eu:https://eu.example.com/ping")
    .option("--allow-origin <origin>", "whose web pages may ask for players; default: all")
    .option("--open-metrics", "/metrics is for anybody, not for who has fleet:read", false)
    .option("--no-console", "do not serve the operators' web console at /console/");
  command
    .option("--no-geoip", "do not load the databases of places by address (150 MB of memory)")
    .option("--geoip-city <from...>", "other databases of cities: MMDB files or https addresses, asked in this order")
    .option("--geoip-country <from...>", "other databases of countries")
    .option("--geoip-update-hours <number>", "how often they are looked at for something new; 0: never", "0");
  command
    .option("--scale <region:nodes...>", "regions that are scaled, with the most nodes of each, over --config")
    .option("--scale-ports <from-to>", "ports of the game servers that are started here", "7777-7840")
    .option(
      "--agones-fleet <region:fleet...>",
      "scales by Agones, in whose cluster this runs: the Fleet of each region",
    )
    .option("--agones-warm <number>", "GameServers of each Fleet that are Ready besides", "0")
    .addOption(
      secret(
        "--agones-webhook-secret <text>",
        "last part of the path of Agones' webhook, 16 characters or more",
        "RIPOSTE_AGONES_WEBHOOK_SECRET",
      ),
    );
  command
    .option("--dev", "makes up the secrets that are missing, and says them, with a token: for a desk", false)
    .argument("[command...]", "after --: starts a game server here, with {id}, {region} and {port} filled in")
    .action(async (gameServer: string[], options: Omit<BalancerCommandOptions, "command">) => {
      const { runBalancer } = await import("./commands/balancer.ts");
      // A store that is away keeps no process alive, and is waited for: for some seconds, when it stops.
      const alive = setInterval(() => undefined, 60_000);
      try {
        await using balancer = await runBalancer({ ...options, command: gameServer });
        await balancer.closed;
      } finally {
        clearInterval(alive);
      }
    });
}
