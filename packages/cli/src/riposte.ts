#!/usr/bin/env node
/** The `riposte` command. Exit codes: 0 done, 1 refused, 2 the command line is wrong, 3 no balancer answers. */
import { CommanderError } from "commander";
import { CommandError, EXIT_CODES } from "./command-error.ts";
import { createProgram } from "./program.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  // A mistake of who called it needs no stack.
  if (error instanceof CommandError) {
    console.error(`riposte: ${error.message}`);
    process.exitCode = error.exitCode;
  } else if (error instanceof RangeError) {
    console.error(`riposte: ${error.message}`);
    process.exitCode = EXIT_CODES.usage;
  } else if (error instanceof CommanderError) {
    // It has been said; help that was asked for is no mistake.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage;
  } else if (error instanceof Error && "code" in error && typeof error.code === "string") {
    // A file that is not there, a port that is taken, a database that is refused, a store that is away.
    console.error(`riposte: ${error.message}`);
    process.exitCode = EXIT_CODES.refused;
  } else {
    throw error;
  }
}
