/** Says where a client is, by its IP address. */
import type { Attribution } from "./attribution.ts";
import type { ClientLocation } from "../routing/route-request.ts";

export interface ClientLocator {
  /** `undefined`: nothing is known; never (0, 0). Reads memory only. */
  estimateClientLocation(ip: string): ClientLocation | undefined;
  /** Whom to credit wherever its locations are shown or given out. Default: nobody. */
  readonly attributions?: readonly Attribution[];
}
