/** The receiving process of the bare datapath: answers every burst of packets, or every packet, with one packet. */
import { PacketBatch, openDatapath } from "@riposte/datapath";
import { answerCommands, cpuMicros } from "./command-loop.ts";
import { BURST, PACKET_BYTES } from "./datapath-shared.ts";

const datapath = openDatapath();
const addresses = datapath.createAddressTable();
const answer = new PacketBatch(1);
const bytes = new Uint8Array(PACKET_BYTES);
let packetsAtOnce = BURST;
let sinceAnswer = 0;

const socket = await datapath.openUdpSocket({ host: "127.0.0.1", addresses, onReadable: receive });
const received = socket.createReceiveBatch();

await answerCommands(
  { port: socket.port },
  {
    cpu: () => ({ cpuMicros: cpuMicros(), packets: socket.stats.packetsReceived }),
    expect: ([packets]) => {
      packetsAtOnce = Number(packets);
      sinceAnswer = 0;
      return { packetsAtOnce };
    },
  },
);

function receive(): void {
  sinceAnswer += socket.receive(received);
  if (sinceAnswer < packetsAtOnce) return;
  sinceAnswer = 0;
  answer.count = 0;
  answer.append(bytes, 0, PACKET_BYTES, received.path[0]);
  socket.send(answer);
}
