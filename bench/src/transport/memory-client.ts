/**
 * Server and client in one process over memory, without a cipher: what everything above the datapath costs. For profiles:
 * `echo 'echo 256 5000 unreliable' | node --cpu-prof bench/src/transport/memory-client.ts`.
 */
import { answerCommands } from "./command-loop.ts";
import { memoryDatapath } from "./memory-datapath.ts";
import { EchoClient, listenEcho } from "./riposte-echo.ts";

const datapath = memoryDatapath();
const server = await listenEcho({ datapath });
const client = await EchoClient.dial(server.port, datapath);

await answerCommands({}, client.commands);
