export type { ServerNode } from "./registry/server-node.ts";
