/**
 * `NetworkTopology`: which way from here to there. Nodes are clients, edge servers, relays and core servers; links
 * between them carry what was measured on them. Routes are read from shortest-path trees that are kept and repaired
 * when a link changes, so that an answer costs a look-up and a change costs only what it changes.
 *
 * Simplifying assumptions: a link's cost is its latency and a queueing term for its load, in whole microseconds, at
 * least one; the best route is the one with the least sum; a client never forwards for others.
 */
import { IndexHeap } from "./index-heap.ts";
import { LinkGraph } from "./link-graph.ts";
import { RouteMemo } from "./route-memo.ts";
import { ShortestPathTree } from "./shortest-path-tree.ts";
import type { TreeScratch, TreeStorage } from "./shortest-path-tree.ts";

export type NodeId = number | string;
export type NodeType = "client" | "edgeServer" | "relay" | "coreServer";

export interface NodeInfo {
  readonly id: NodeId;
  readonly type: NodeType;
  /** As the operator names it, "eu-west" for instance. */
  readonly region: string;
}

export interface LinkMeasurement {
  /** One way, from 0 to 3,600,000. */
  readonly latencyMs: number;
  /** Used share of the link, 0 idle to 1 full (more counts as full). Default 0. */
  readonly load?: number;
}

/** One direction: what goes both ways is two links. */
export interface LinkInfo extends LinkMeasurement {
  readonly from: NodeId;
  readonly to: NodeId;
}

export interface Route {
  /** From the first to the last, both included. */
  readonly nodes: readonly NodeId[];
  /** Sum of the links' measured latencies. */
  readonly latencyMs: number;
  /** What was minimised: latency and waiting on loaded links. */
  readonly costMs: number;
}

export interface NetworkTopologyOptions {
  /** Default 16,384. */
  readonly maxNodes?: number;
  /** Default 131,072. */
  readonly maxLinks?: number;
  /** Trees kept, 12 bytes a node each; the one unused longest makes room. Default 64. */
  readonly maxTrees?: number;
  /** What a half loaded link adds; load x adds `queueMs * x / (1 - x)`, 0.99 at most. Default 1. */
  readonly queueMs?: number;
  /** Answers remembered, about 300 bytes each; a newer one with the same hash makes room. Default 32,768. */
  readonly maxRoutes?: number;
  /**
   * Links that one change may look at, over all trees; trees left over are dropped and
   * computed again one by one, in later changes that cost little, or when needed. Default 120,000.
   */
  readonly maxRepairWork?: number;
}

export interface NetworkTopologyStats {
  readonly nodes: number;
  readonly links: number;
  readonly trees: number;
  /** Trees computed from nothing: for a question, or again after being dropped. */
  readonly treesBuilt: number;
  /** Trees that made room for others. */
  readonly treesEvicted: number;
  /** Trees given up because a change would have cost more than `maxRepairWork`. */
  readonly treesDropped: number;
  /** Links looked at by the last change. */
  readonly lastRepairWork: number;
}

const TYPE_RANK: Readonly<Record<NodeType, number>> = { client: 0, edgeServer: 1, relay: 2, coreServer: 3 };
const MAX_LATENCY_MS = 3_600_000;
const MAX_LOAD = 0.99;

interface Node {
  readonly info: NodeInfo;
  readonly index: number;
  readonly rank: number;
}

export class NetworkTopology {
  readonly #maxNodes: number;
  readonly #maxLinks: number;
  readonly #maxTrees: number;
  readonly #queueMs: number;
  readonly #maxRepairWork: number;
  #graph = new LinkGraph();
  #nodes = new Map<NodeId, Node>();
  #ids: NodeId[] = [];
  #trees: ShortestPathTree[] = [];
  /** By twice the root's index, plus one for forward trees. */
  #treeOfRoot: (ShortestPathTree | undefined)[] = [];
  /** Of trees that are gone; all of the graph's present size. */
  #spare: TreeStorage[] = [];
  /** Places in `#treeOfRoot` of trees to be computed again. */
  #dropped: number[] = [];
  #scratch: TreeScratch;
  readonly #memo: RouteMemo<Route>;
  /** Room to gather a route in; as long as the longest one. */
  readonly #stops: NodeId[] = [];
  #uses = 0;
  #treesBuilt = 0;
  #treesEvicted = 0;
  #treesDropped = 0;

  constructor(options: NetworkTopologyOptions = {}) {
    this.#maxNodes = positive("maxNodes", options.maxNodes ?? 16_384);
    this.#maxLinks = positive("maxLinks", options.maxLinks ?? 131_072);
    this.#maxTrees = positive("maxTrees", options.maxTrees ?? 64);
    this.#queueMs = options.queueMs ?? 1;
    if (!(this.#queueMs >= 0 && this.#queueMs <= MAX_LATENCY_MS)) throw new RangeError(`queueMs is ${this.#queueMs}`);
    this.#memo = new RouteMemo(positive("maxRoutes", options.maxRoutes ?? 32_768));
    this.#maxRepairWork = positive("maxRepairWork", options.maxRepairWork ?? 120_000);
    this.#scratch = makeScratch(this.#graph.nodeCapacity);
  }

  get stats(): NetworkTopologyStats {
    return {
      nodes: this.#nodes.size,
      links: this.#graph.linkCount,
      trees: this.#trees.length,
      treesBuilt: this.#treesBuilt,
      treesEvicted: this.#treesEvicted,
      treesDropped: this.#treesDropped,
      lastRepairWork: this.#scratch.work,
    };
  }

  /**
   * Replaces everything by this picture. For single changes the calls below are far cheaper: this one forgets all
   * trees. Throws as they do, and then the old picture stays.
   */
  updateTopology(nodes: Iterable<NodeInfo>, links: Iterable<LinkInfo>): void {
    const before = { graph: this.#graph, nodes: this.#nodes, ids: this.#ids, scratch: this.#scratch };
    const [trees, treeOfRoot] = [this.#trees, this.#treeOfRoot];
    this.#graph = new LinkGraph();
    this.#nodes = new Map();
    this.#ids = [];
    this.#trees = [];
    this.#treeOfRoot = [];
    this.#spare = [];
    this.#scratch = makeScratch(this.#graph.nodeCapacity);
    try {
      for (const node of nodes) this.addNode(node);
      for (const link of links) {
        if (this.#linkIndex(link.from, link.to) !== -1)
          throw new RangeError(`the link ${link.from} -> ${link.to} is there twice`);
        this.updateLink(link.from, link.to, link);
      }
    } catch (error) {
      this.#graph = before.graph;
      this.#nodes = before.nodes;
      this.#ids = before.ids;
      this.#scratch = before.scratch;
      this.#trees = trees;
      this.#treeOfRoot = treeOfRoot;
      throw error;
    }
    this.#memo.clear();
    this.#dropped = [];
  }

  /** Throws `RangeError` when the id is taken or the limit reached. */
  addNode(info: NodeInfo): void {
    if (this.#nodes.has(info.id)) throw new RangeError(`node ${info.id} is there already`);
    if (this.#nodes.size >= this.#maxNodes) throw new RangeError(`more than ${this.#maxNodes} nodes (maxNodes)`);
    const rank = TYPE_RANK[info.type];
    if (rank === undefined) throw new TypeError(`node ${info.id} has the unknown type ${info.type}`);
    const index = this.#graph.addNode(rank > 0);
    if (this.#scratch.affected.length < this.#graph.nodeCapacity) {
      this.#scratch = makeScratch(this.#graph.nodeCapacity);
      this.#dropAllTrees();
    }
    this.#nodes.set(info.id, { info: { id: info.id, type: info.type, region: info.region }, index, rank });
    this.#ids[index] = info.id;
  }

  /** Removes a node and its links; false when there is no such node. */
  removeNode(id: NodeId): boolean {
    const node = this.#nodes.get(id);
    if (node === undefined) return false;
    this.#startChange();
    for (const tree of this.#trees.filter(({ root }) => root === node.index)) this.#forget(tree);
    for (let link = this.#graph.anyLinkOf(node.index); link !== -1; link = this.#graph.anyLinkOf(node.index))
      this.#takeOut(link);
    this.#graph.removeNode(node.index);
    this.#dropped = this.#dropped.filter((key) => key >> 1 !== node.index);
    this.#nodes.delete(id);
    return true;
  }

  node(id: NodeId): NodeInfo | undefined {
    return this.#nodes.get(id)?.info;
  }

  /** All nodes, or those of a type or region, in the order they were added. */
  *nodes(filter: { readonly type?: NodeType; readonly region?: string } = {}): IterableIterator<NodeInfo> {
    for (const { info } of this.#nodes.values()) {
      if (filter.type !== undefined && info.type !== filter.type) continue;
      if (filter.region !== undefined && info.region !== filter.region) continue;
      yield info;
    }
  }

  /** Records a measurement and adds the link if it is new. Throws `RangeError` for unknown nodes and wrong numbers. */
  updateLink(from: NodeId, to: NodeId, { latencyMs, load = 0 }: LinkMeasurement): void {
    const start = this.#known(from);
    const end = this.#known(to);
    if (start === end) throw new RangeError(`a link from node ${from} to itself`);
    if (!(latencyMs >= 0 && latencyMs <= MAX_LATENCY_MS)) throw new RangeError(`latencyMs is ${latencyMs}`);
    if (!(load >= 0)) throw new RangeError(`load is ${load}`);
    const graph = this.#graph;
    let link = graph.linkBetween(start.index, end.index);
    if (link === -1) {
      if (graph.linkCount >= this.#maxLinks) throw new RangeError(`more than ${this.#maxLinks} links (maxLinks)`);
      link = graph.addLink(start.index, end.index);
    }
    graph.latencyMs[link] = latencyMs;
    graph.load[link] = load;
    const used = Math.min(load, MAX_LOAD);
    this.#startChange();
    this.#setCost(link, Math.max(1, Math.round((latencyMs + (this.#queueMs * used) / (1 - used)) * 1000)));
    this.#restoreOne();
  }

  /** False when there is no such link. */
  removeLink(from: NodeId, to: NodeId): boolean {
    const link = this.#linkIndex(from, to);
    if (link === -1) return false;
    this.#startChange();
    this.#takeOut(link);
    return true;
  }

  /** What was last measured, or undefined without such a link. */
  link(from: NodeId, to: NodeId): Required<LinkMeasurement> | undefined {
    const link = this.#linkIndex(from, to);
    return link === -1 ? undefined : { latencyMs: this.#graph.latencyMs[link], load: this.#graph.load[link] };
  }

  /**
   * The cheapest route, or undefined when a node is unknown or no route exists. Answers depend only on the calls that
   * described the network, never on what is cached: among equal routes the node with the lower place wins at each hop.
   * The object may be shared with other callers.
   */
  optimalRoute(from: NodeId, to: NodeId): Route | undefined {
    const start = this.#nodes.get(from);
    const end = this.#nodes.get(to);
    if (start === undefined || end === undefined) return undefined;
    return this.#memo.find(start, end, ++this.#uses) ?? this.#findRoute(start, end);
  }

  #findRoute(from: Node, to: Node): Route | undefined {
    const forward = from.rank > to.rank;
    // Many clients ask for few servers, so the tree stands at the end that more routes share.
    const tree = this.#tree(forward ? from.index : to.index, forward);
    let index = forward ? to.index : from.index;
    const cost = tree.distance(index);
    if (cost === Infinity) return undefined;
    const stops = this.#stops;
    let count = 0;
    stops[count++] = this.#ids[index];
    let latencyMs = 0;
    for (let link = tree.tightLink(index); link !== -1; link = tree.tightLink(index)) {
      latencyMs += this.#graph.latencyMs[link];
      index = tree.nodeBefore(link);
      stops[count++] = this.#ids[index];
    }
    const nodes = stops.slice(0, count);
    if (forward) nodes.reverse();
    const route: Route = { nodes, latencyMs, costMs: cost / 1000 };
    this.#memo.add(from, to, tree.stamp, route);
    return route;
  }

  #tree(root: number, forward: boolean): ShortestPathTree {
    const key = 2 * root + Number(forward);
    let tree = this.#treeOfRoot[key];
    if (tree === undefined) {
      if (this.#trees.length >= this.#maxTrees) {
        this.#treesEvicted++;
        this.#forget(
          this.#trees.reduce((oldest, other) => (other.stamp.usedAt < oldest.stamp.usedAt ? other : oldest)),
        );
      }
      tree = this.#plant(root, forward);
    }
    tree.stamp.usedAt = ++this.#uses;
    return tree;
  }

  #plant(root: number, forward: boolean): ShortestPathTree {
    const storage = this.#spare.pop() ?? makeStorage(this.#graph.nodeCapacity);
    const tree = new ShortestPathTree(root, forward, this.#graph, this.#scratch, storage);
    tree.stamp.usedAt = ++this.#uses;
    this.#treesBuilt++;
    this.#trees.push(tree);
    this.#treeOfRoot[2 * root + Number(forward)] = tree;
    return tree;
  }

  /** After a change that cost little: one of the trees that an earlier one dropped is computed again. */
  #restoreOne(): void {
    if (this.#dropped.length === 0 || this.#scratch.work * 10 > this.#maxRepairWork) return;
    const key = this.#dropped.shift() ?? 0;
    if (this.#treeOfRoot[key] === undefined && this.#trees.length < this.#maxTrees)
      this.#plant(key >> 1, key % 2 === 1);
  }

  #startChange(): void {
    this.#scratch.work = 0;
    this.#scratch.limit = this.#maxRepairWork;
  }

  #setCost(link: number, cost: number): void {
    const oldCost = this.#graph.cost(link);
    this.#graph.setCost(link, cost);
    for (let i = this.#trees.length - 1; i >= 0; i--) {
      if (this.#trees[i].repair(link, oldCost, this.#scratch)) continue;
      const { root, forward } = this.#trees[i];
      this.#treesDropped++;
      this.#forget(this.#trees[i]);
      if (this.#dropped.length < this.#maxTrees) this.#dropped.push(2 * root + Number(forward));
    }
  }

  #takeOut(link: number): void {
    this.#setCost(link, Infinity);
    this.#graph.removeLink(link);
  }

  #forget(tree: ShortestPathTree): void {
    tree.stamp.version = -1;
    this.#treeOfRoot[2 * tree.root + Number(tree.forward)] = undefined;
    this.#trees.splice(this.#trees.indexOf(tree), 1);
    this.#spare.push(tree.storage);
  }

  #dropAllTrees(): void {
    this.#trees = [];
    this.#spare = [];
    this.#treeOfRoot = [];
    this.#memo.clear();
  }

  #linkIndex(from: NodeId, to: NodeId): number {
    const start = this.#nodes.get(from);
    const end = this.#nodes.get(to);
    return start === undefined || end === undefined ? -1 : this.#graph.linkBetween(start.index, end.index);
  }

  #known(id: NodeId): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new RangeError(`no node ${id}`);
    return node;
  }
}

function makeScratch(nodeCapacity: number): TreeScratch {
  return {
    heap: new IndexHeap(nodeCapacity),
    affected: new Uint8Array(nodeCapacity),
    list: new Int32Array(nodeCapacity),
    work: 0,
    limit: Infinity,
  };
}

function makeStorage(nodeCapacity: number): TreeStorage {
  return { distance: new Float64Array(nodeCapacity), via: new Int32Array(nodeCapacity) };
}

function positive(name: string, value: number): number {
  if (!(Number.isInteger(value) && value > 0)) throw new RangeError(`${name} is ${value}`);
  return value;
}
