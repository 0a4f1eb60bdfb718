#!/usr/bin/env node
/** The `riposte` command. */
import { createProgram } from "./program.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  // A mistake of who called it needs no stack.
  if (!(error instanceof RangeError)) throw error;
  console.error(`riposte: ${error.message}`);
  process.exitCode = 2;
}
