import { describe, it } from "node:test";
import { RuleTester } from "oxlint/plugins-dev";
import plugin from "./lint-plugin.mjs";

RuleTester.describe = (name, body) => void describe(name, body);
RuleTester.it = (name, body) => void it(name, body);

/** What ECMAScript or IEEE 754 says to the last bit. */
const EXACT = "abs ceil clz32 f16round floor fround imul max min random round sign sqrt sumPrecise trunc".split(" ");
const functions = Object.getOwnPropertyNames(Math).filter((name) => typeof Reflect.get(Math, name) === "function");

type Rule = Parameters<RuleTester["run"]>[1];

new RuleTester().run("same-in-every-engine", plugin.rules["same-in-every-engine"] as unknown as Rule, {
  valid: [
    ...EXACT.map((name) => `Math.${name}(x)`),
    "const { abs, PI } = Math",
    "2 ** 31 - 1",
    "hypot(x, y)",
    "other.sin(x)",
    "x * x",
  ],
  invalid: [
    ...functions.filter((name) => !EXACT.includes(name)).map((name) => `Math.${name}(x)`),
    "Math['hypot'](x, y)",
    "const { abs, hypot: length } = Math",
    "x ** 2",
    "2 ** x",
    "2 ** 0.5",
    "x **= 2",
  ].map((code) => ({ code, errors: 1 })),
});
