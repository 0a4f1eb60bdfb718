/** The commands that a peer's process takes on stdin, a line each, and answers on stdout in JSON, a line each. */
import { createInterface } from "node:readline";

type Command = (words: readonly string[]) => object | Promise<object>;

/** Says `ready`, then answers commands until stdin ends, which ends the process. */
export async function answerCommands(ready: object, commands: Readonly<Record<string, Command>>): Promise<never> {
  console.log(JSON.stringify(ready));
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...words] = line.split(" ");
    console.log(JSON.stringify(await commands[name](words)));
  }
  process.exit(0);
}

/** User and system time of this process so far, all threads. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
