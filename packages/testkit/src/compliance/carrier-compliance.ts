import { admissionCases } from "./admission-cases.ts";
import type { CarrierHarness, ComplianceCase } from "./carrier-harness.ts";
import { channelCases } from "./channel-cases.ts";
import { ComplianceWorld, checkEqual } from "./compliance-world.ts";
import { endingCases } from "./ending-cases.ts";

/**
 * The cases every carrier must pass, each in a fresh world. Give them to the test runner:
 *
 * ```ts
 * for (const { name, run } of carrierCompliance("udp", openUdpHarness)) test(name, run);
 * ```
 *
 * `plainPeers: false` leaves out what only programs with plain netcode do.
 */
export function carrierCompliance(
  carrier: string,
  openHarness: () => Promise<CarrierHarness>,
  options: { readonly plainPeers?: boolean } = {},
): ComplianceCase[] {
  return [...admissionCases, ...channelCases, ...endingCases]
    .filter((definition) => definition.plainPeers !== true || options.plainPeers !== false)
    .map((definition) => ({
      name: `${carrier}: ${definition.name}`,
      run: async () => {
        const harness = await openHarness();
        try {
          const world = await ComplianceWorld.open(harness, definition.options ?? {});
          await definition.run(world);
          checkEqual(world.heard.early, 0, "messages from connections not announced yet");
          checkEqual(new Set(world.heard.opened).size, world.heard.opened.length, "announcements of each connection");
        } finally {
          await harness.close();
        }
      },
    }));
}
