/**
 * Attackers. From one network, 127.0.1.0/24: bad requests on connections that are kept open, some of them always under way
 * on each, opened again when they are closed. From 20 others: connections that send nothing, or a byte now and then,
 * opened again when they are closed, too.
 */
import { connect } from "node:net";

export interface FloodTask {
  readonly port: number;
  readonly connections: number;
  readonly slowConnections: number;
}

export interface FloodReport {
  /** Bad requests: those that the attackers tried to send, those for which there was a connection, and answers. */
  readonly made: number;
  readonly sent: number;
  readonly answered: number;
  /** Connections that were tried, and that were there at least for a moment. */
  readonly tried: number;
  readonly opened: number;
  readonly seconds: number;
  /** Slow connections that were open at the end, and how often one was opened. */
  readonly slow: number;
  readonly slowOpened: number;
}

const IN_FLIGHT = 8;
const BAD: readonly string[] = [
  "GET /nothing/here HTTP/1.1\r\nhost: x\r\n\r\n",
  "POST /v1/allocate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{rubbish}",
  "POST /v1/allocate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
  "GET /v1/nodes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a.b.c\r\n\r\n",
  "POST /v1/nodes/x/report HTTP/1.1\r\nhost: x\r\nauthorization: Bearer no\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
];

const task = JSON.parse(process.argv[2]) as FloodTask;
let [made, sent, answered, tried, opened, slow, slowOpened, next] = [0, 0, 0, 0, 0, 0, 0, 0];

function flood(): void {
  const socket = connect({ port: task.port, host: "127.0.0.1", localAddress: `127.0.1.${1 + (next++ % 250)}` });
  const fire = (count: number): void => {
    sent += count;
    let text = "";
    for (let i = 0; i < count; i++) text += BAD[next++ % BAD.length];
    socket.write(text);
  };
  tried++;
  made += IN_FLIGHT;
  socket.on("connect", () => {
    opened++;
    fire(IN_FLIGHT);
  });
  socket.on("data", (data) => {
    const answers = data.toString("latin1").split("HTTP/1.1 ").length - 1;
    answered += answers;
    made += answers;
    fire(answers);
  });
  socket.on("error", () => {});
  socket.on("close", () => setImmediate(flood));
}

function dawdle(i: number): void {
  const socket = connect({
    port: task.port,
    host: "127.0.0.1",
    localAddress: `127.0.${10 + (i % 20)}.${1 + (i % 250)}`,
  });
  socket.on("connect", () => {
    slow++;
    slowOpened++;
    if (i % 2 === 0) socket.write("POST /v1/allocate HTTP/1.1\r\nx: ");
  });
  const timer = setInterval(() => i % 2 === 0 && socket.writable && socket.write("x"), 1000);
  socket.on("error", () => {});
  socket.on("close", () => {
    clearInterval(timer);
    slow--;
    setTimeout(() => dawdle(i), 100);
  });
}

for (let i = 0; i < task.slowConnections; i++) dawdle(i);
process.send!(0);
process.once("message", () => {
  const startedAt = performance.now();
  for (let i = 0; i < task.connections; i++) flood();
  process.once("message", () => {
    const seconds = (performance.now() - startedAt) / 1000;
    const report: FloodReport = { made, sent, answered, tried, opened, seconds, slow, slowOpened };
    process.send!(report, () => process.exit());
  });
});
process.on("disconnect", () => process.exit());
