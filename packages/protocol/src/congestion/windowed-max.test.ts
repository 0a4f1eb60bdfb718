import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { WindowedMax } from "./windowed-max.ts";

test("never below the newest sample, never above the true maximum of the window, and right for a rise or a plateau", () => {
  const steps = fc.array(fc.record({ value: fc.nat(100), gap: fc.nat(3) }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(steps, (samples) => {
      const filter = new WindowedMax();
      const seen: { value: number; time: number }[] = [];
      let time = 0;
      for (const { value, gap } of samples) {
        time += gap;
        seen.push({ value, time });
        const answer = filter.update(value, time, 10);
        const inWindow = seen.filter((sample) => time - sample.time <= 10).map((sample) => sample.value);
        assert.ok(answer >= value && answer <= Math.max(...inWindow), `${answer} at ${time}`);
      }
    }),
    { seed: 5, numRuns: 300 },
  );
  const filter = new WindowedMax();
  filter.update(50, 0, 10);
  for (let time = 1; time <= 10; time++) assert.equal(filter.update(20, time, 10), 50);
  assert.equal(filter.update(20, 11, 10), 20);
});
