/** What would not fit into a connect token is refused before a seat is taken for it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TObject } from "typebox";
import { Check } from "typebox/schema";
import { AllocateBody } from "./api-schemas.ts";
import { checkAddresses } from "./node-routes.ts";
import { checkRequest } from "./player-routes.ts";

function isFine(clientId: string): boolean {
  return Check(AllocateBody as TObject, { key: "0123456789abcdef", clients: [{ clientId }] });
}

describe("what would not fit into a token", () => {
  it("is refused of a player's request", () => {
    const clients = [{ clientId: "7" }];
    for (const room of ["", "arena", "r".repeat(32), "é".repeat(16)]) checkRequest({ clients, room });
    for (const room of ["r".repeat(33), "é".repeat(17), "a\0b"])
      assert.throws(() => checkRequest({ clients, room }), { status: 400, code: "badRequest" }, room);
  });

  it("is not a client id in another form: it would be another player here, and the same one on a server", () => {
    assert.deepEqual(["0", "7", "18446744073709551615"].map(isFine), [true, true, true]);
    assert.deepEqual(["07", "00", "", "-7", "7.0"].map(isFine), [false, false, false, false, false]);
  });

  it("is refused of a node's registration", () => {
    checkAddresses({ addresses: { udp: ["10.0.0.1:7777", "[2001:db8::1]:7777"] } });
    for (const address of ["game.example.com:7777", "10.0.0.1", "10.0.0.1:0", "10.0.0.256:7777", "::1:7777"])
      assert.throws(
        () => checkAddresses({ addresses: { udp: ["10.0.0.1:7777", address] } }),
        { status: 400, code: "badRequest" },
        address,
      );
  });
});
