import { Command } from "commander";
import { addBalancerCommand } from "./balancer-command.ts";
import { addSimulateCommand } from "./simulate-command.ts";
import { addOperatorCommands } from "./operator-commands.ts";

/** All commands with their options. */
export function createProgram(): Command {
  const program = new Command("riposte")
    .description("Netcode for real-time multiplayer games: the fleet's side of it.")
    // The commands below inherit it.
    .exitOverride();
  addBalancerCommand(program);
  addSimulateCommand(program);
  addOperatorCommands(program, console.log);
  return program;
}
