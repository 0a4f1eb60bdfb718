import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PeerSet } from "./peer-set.ts";
import type { Gossip } from "./peer-set.ts";

function gossip(from: string, epoch: number, sequence: number): Gossip {
  const counters = { waiting: 0, freeSeats: 0, placements: 0, nodesHeard: 0, nodes: 0 };
  const vote = { suspects: [], unheard: [] };
  return { from, url: `http://${from}`, epoch, sequence, sentAt: sequence, vote, counters, configVersion: 1 };
}

describe("PeerSet", () => {
  it("knows who is alive, who came and who went", () => {
    const peers = new PeerSet("a");
    assert.deepEqual(peers.update(0), { came: [], went: [] });
    peers.note(gossip("b", 1, 1), 0);
    peers.note(gossip("c", 1, 1), 500);
    assert.deepEqual(peers.update(500), { came: ["b", "c"], went: [] });
    assert.deepEqual(peers.liveIds, ["a", "b", "c"]);
    assert.deepEqual(peers.update(1200), { came: [], went: ["b"] });
    peers.noteRefused("c");
    assert.deepEqual(peers.update(1201), { came: [], went: ["c"] });
    peers.note(gossip("c", 1, 2), 1300);
    assert.deepEqual(peers.update(1300), { came: ["c"], went: [] });
  });

  it("drops what is older, its own words, and takes a new run of a balancer", () => {
    const peers = new PeerSet("a");
    assert.equal(peers.note(gossip("a", 1, 1), 0), false);
    assert.equal(peers.note(gossip("b", 5, 7), 0), true);
    assert.equal(peers.note(gossip("b", 5, 7), 10), false);
    assert.equal(peers.note(gossip("b", 4, 9), 20), false);
    assert.equal(peers.note(gossip("b", 6, 1), 30), true);
    assert.equal(peers.get("b")?.heardAt, 30);
  });

  it("knows who is slow: who has not answered, until it is heard again", () => {
    const peers = new PeerSet("a");
    peers.note(gossip("b", 1, 1), 0);
    assert.deepEqual(peers.slowIds, []);
    peers.noteUnanswered("b", 100);
    assert.deepEqual(peers.slowIds, ["b"]);
    peers.note(gossip("b", 1, 2), 250);
    assert.deepEqual(peers.slowIds, []);
    peers.noteUnanswered("b", 200);
    assert.deepEqual(peers.slowIds, [], "it was heard after that was sent");
  });

  it("forgets who has been gone for a minute", () => {
    const peers = new PeerSet("a");
    peers.note(gossip("b", 1, 1), 0);
    peers.update(61_000);
    assert.equal(peers.get("b"), undefined);
  });
});
