import assert from "node:assert/strict";
import { test } from "node:test";
import { LossEstimate } from "./loss-estimate.ts";

test("one packet in ten lost is a loss of about a tenth, both ways", () => {
  const loss = new LossEstimate();
  for (let number = 0; number < 1000; number++) {
    if (number % 10 === 9) {
      loss.onLost();
    } else {
      loss.onAcked();
      loss.onReceived(number);
    }
  }
  assert.ok(Math.abs(loss.sendRate - 0.1) < 0.02, `${loss.sendRate}`);
  assert.ok(Math.abs(loss.receiveRate - 0.1) < 0.02, `${loss.receiveRate}`);
});

test("reordering is not loss, and a huge jump stays within bounds", () => {
  const loss = new LossEstimate();
  for (let number = 0; number < 1000; number += 2) {
    loss.onReceived(number + 1);
    loss.onReceived(number);
  }
  assert.ok(loss.receiveRate < 0.02, `${loss.receiveRate}`);
  loss.onReceived(2 ** 50);
  assert.ok(loss.receiveRate >= 0 && loss.receiveRate <= 1);
});
