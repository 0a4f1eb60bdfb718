export { NetworkTopology } from "./network-topology.ts";
export type {
  LinkInfo,
  LinkMeasurement,
  NetworkTopologyOptions,
  NetworkTopologyStats,
  NodeId,
  NodeInfo,
  NodeType,
  Route,
} from "./network-topology.ts";
