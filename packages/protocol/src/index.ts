export * from "./machine.ts";
export { Random } from "./random.ts";
