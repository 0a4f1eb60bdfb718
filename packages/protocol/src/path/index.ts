export { MtuDiscovery } from "./mtu-discovery.ts";
export type { MtuDiscoveryOptions, MtuDiscoveryState } from "./mtu-discovery.ts";
export { ConnectionMigrator } from "./connection-migrator.ts";
export type { ConnectionMigratorOptions, PathProbe } from "./connection-migrator.ts";
export type { MigrationState } from "./migration.ts";
