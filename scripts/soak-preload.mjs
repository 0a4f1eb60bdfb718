// Preloaded by `npm run soak`: tests that import fast-check get soak-fast-check.ts instead.
import { registerHooks } from "node:module";

const wrapper = new URL("soak-fast-check.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "fast-check" && context.parentURL !== wrapper
      ? { url: wrapper, shortCircuit: true }
      : next(specifier, context),
});
