// Lint rules of our own, for oxlint.

/**
 * @typedef {{ type: string, name?: string, value?: unknown, operator?: string, [part: string]: any }} Node
 * @typedef {{ report(problem: { node: Node, message: string }): void }} Context
 */

/** What ECMAScript leaves to the engine, to the last bits: as in `packages/simulation/src/determinism/engine-calls.ts`. */
const APPROXIMATED =
  "acos acosh asin asinh atan atan2 atanh cbrt cos cosh exp expm1 hypot log log10 log1p log2 pow sin sinh tan tanh";
const approximated = new Set(APPROXIMATED.split(" "));

/** Arithmetic that comes to the same bits in every engine (`docs/determinism.md`). */
const sameInEveryEngine = {
  /** @param {Context} context */
  create(context) {
    /** @param {Node} node @param {string} what @param {string} instead */
    const report = (node, what, instead) =>
      context.report({ node, message: `Engines round ${what} each in their way: ${instead}.` });
    /** @param {Node} node @param {Node} name */
    const checkName = (node, { name, value = name }) => {
      if (approximated.has(String(value))) report(node, `Math.${String(value)}`, "take it from src/math");
    };
    /** @param {Node} node */
    const checkPower = (node) => {
      if (node.operator !== "**" && node.operator !== "**=") return;
      // Powers of two that are written out are exact everywhere.
      if (node.left.value !== 2 || !Number.isInteger(node.right.value))
        report(node, "powers", "write x * x, or take pow, or powerOfTwo, from src/math");
    };
    return {
      BinaryExpression: checkPower,
      AssignmentExpression: checkPower,
      /** @param {Node} node */
      MemberExpression: (node) => node.object.name === "Math" && checkName(node, node.property),
      /** @param {Node} node */
      VariableDeclarator({ id, init }) {
        if (init?.name !== "Math" || id.type !== "ObjectPattern") return;
        for (const property of id.properties) if (property.key !== undefined) checkName(property, property.key);
      },
    };
  },
};

export default { meta: { name: "riposte" }, rules: { "same-in-every-engine": sameInEveryEngine } };
