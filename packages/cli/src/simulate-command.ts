/** `riposte simulate` with its options; `commands/simulate.ts` runs it. */
import { Option } from "commander";
import type { Command } from "commander";
import type { SimulateCommandOptions } from "./commands/simulate.ts";

export function addSimulateCommand(program: Command): void {
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
}
