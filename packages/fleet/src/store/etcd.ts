/** The store that a fleet of several balancers has: apart from the rest, for it brings gRPC with it. */
export { EtcdStore } from "./etcd-store.ts";
export type { EtcdStoreOptions } from "./etcd-store.ts";
