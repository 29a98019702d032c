import { graphlib, layout } from "@dagrejs/dagre";
import type { Graph, GraphEdge, GraphNode, Position } from "@/api/shapes";

export const NODE_WIDTH = 232;
export const NODE_HEIGHT = 66;
const GAP = 28;
/** Room for an arrow's words between two Steps. */
const RANK_GAP = 136;

export interface Size {
  width: number;
  height: number;
}

/** Of nodes whose size is not that of most, by their names. */
export type Sizes = Readonly<Record<string, Size>>;

/** All arrows from one Step to another, drawn as one. */
export interface Arrow {
  id: string;
  source: string;
  target: string;
  topics: string[];
  labels: string[];
  virtual: boolean;
  conditional: boolean;
}

export interface Placed {
  node: GraphNode;
  position: Position;
}

export interface Drawing {
  nodes: Placed[];
  arrows: Arrow[];
}

type Direction = "across" | "down";

/** The Steps of a flow, or of the whole app for `""`, and the arrows between them. */
export function pick(graph: Graph, flow: string): { nodes: GraphNode[]; arrows: Arrow[] } {
  const nodes = flow ? graph.nodes.filter((node) => node.flows.includes(flow)) : graph.nodes;
  const names = new Set(nodes.map((node) => node.name));
  const edges = graph.edges.filter((edge) => names.has(edge.source) && names.has(edge.target));
  return { nodes, arrows: bundle(edges) };
}

/** Edges between the same two Steps as one arrow each; real and virtual ones stay apart. */
export function bundle(edges: readonly GraphEdge[]): Arrow[] {
  const arrows = new Map<string, Arrow>();
  for (const edge of edges) {
    const id = `${edge.source}→${edge.target}${edge.virtual ? "·virtual" : ""}`;
    const known = arrows.get(id);
    arrows.set(id, {
      id,
      source: edge.source,
      target: edge.target,
      topics: unique([...(known?.topics ?? []), edge.topic]),
      labels: unique([...(known?.labels ?? []), ...(edge.label ? [edge.label] : [])]),
      virtual: edge.virtual,
      conditional: edge.conditional || (known?.conditional ?? false),
    });
  }
  return [...arrows.values()];
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** A flow ready to be drawn: where its nodes were put, the rest by the automatic layout. */
export function draw(graph: Graph, flow: string, direction: Direction = "across", sizes: Sizes = {}): Drawing {
  const { nodes, arrows } = pick(graph, flow);
  const saved = graph.flows.find((each) => each.name === flow)?.positions ?? {};
  const automatic = nodes.every((node) => saved[node.name]) ? {} : arrange(nodes, arrows, direction, sizes);
  const unplaced = belowOf(nodes, saved, automatic, sizes);
  return {
    arrows,
    nodes: nodes.map((node) => ({ node, position: saved[node.name] ?? unplaced(automatic[node.name]!) })),
  };
}

/** New nodes of a flow that somebody arranged go below what is there, so that they cover nothing. */
function belowOf(
  nodes: readonly GraphNode[],
  saved: Readonly<Record<string, Position>>,
  automatic: Readonly<Record<string, Position>>,
  sizes: Sizes,
): (position: Position) => Position {
  const bottoms = nodes.flatMap((node) => (saved[node.name] ? [saved[node.name]!.y + sizeOf(node.name, sizes).height + 2 * GAP] : []));
  if (!bottoms.length) return (position) => position;
  const lowest = Math.max(...bottoms);
  const highest = Math.min(...nodes.flatMap((node) => (saved[node.name] ? [] : [automatic[node.name]!.y])));
  return (position) => ({ ...position, y: position.y - highest + lowest });
}

/** A place for every node: causes before effects, what belongs together in one block, lone nodes last. */
export function arrange(
  nodes: readonly GraphNode[],
  arrows: readonly Arrow[],
  direction: Direction = "across",
  sizes: Sizes = {},
): Record<string, Position> {
  const blocks = islands(nodes, arrows).map(({ members, inner }) =>
    inner.length ? layer(members, inner, direction, sizes) : grid(members, direction, sizes),
  );
  return Object.fromEntries(pack(blocks, direction, sizes).map(([name, place]) => [name, { ...place, ...handles(direction) }]));
}

interface Place {
  x: number;
  y: number;
}
type Block = Map<string, Place>;

interface Island {
  members: GraphNode[];
  inner: Arrow[];
}

/** The parts of a diagram that no arrow joins, the largest first; all lone nodes are one. */
function islands(nodes: readonly GraphNode[], arrows: readonly Arrow[]): Island[] {
  const root = new Map(nodes.map(({ name }) => [name, name]));
  const find = (name: string): string => {
    let at = name;
    while (root.get(at) !== at) at = root.get(at)!;
    root.set(name, at);
    return at;
  };
  for (const { source, target } of arrows) root.set(find(source), find(target));
  const joined = new Set(arrows.flatMap(({ source, target }) => [source, target]));
  const found = new Map<string, Island>();
  const islandOf = (name: string) => {
    const key = joined.has(name) ? find(name) : "";
    const known = found.get(key) ?? { members: [], inner: [] };
    found.set(key, known);
    return known;
  };
  for (const node of nodes) islandOf(node.name).members.push(node);
  for (const arrow of arrows) islandOf(arrow.source).inner.push(arrow);
  return [...found.values()].sort((one, other) => other.inner.length - one.inner.length);
}

function sizeOf(name: string, sizes: Sizes): Size {
  return sizes[name] ?? { width: NODE_WIDTH, height: NODE_HEIGHT };
}

function layer(nodes: readonly GraphNode[], arrows: readonly Arrow[], direction: Direction, sizes: Sizes): Block {
  const sheet = new graphlib.Graph({ multigraph: true });
  const across = direction === "across";
  sheet.setGraph({ rankdir: across ? "LR" : "TB", nodesep: GAP, ranksep: across ? RANK_GAP : 72, ranker: "tight-tree" });
  sheet.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) sheet.setNode(node.name, { ...sizeOf(node.name, sizes) });
  for (const arrow of arrows) sheet.setEdge(arrow.source, arrow.target, {}, arrow.id);
  layout(sheet);
  return new Map(
    nodes.map(({ name }) => {
      const { x, y } = sheet.node(name) as Place;
      const { width, height } = sizeOf(name, sizes);
      return [name, { x: x - width / 2, y: y - height / 2 }];
    }),
  );
}

function grid(nodes: readonly GraphNode[], direction: Direction, sizes: Sizes): Block {
  const width = Math.max(...nodes.map(({ name }) => sizeOf(name, sizes).width));
  const height = Math.max(...nodes.map(({ name }) => sizeOf(name, sizes).height));
  const columns = direction === "down" ? 1 : Math.max(1, Math.ceil(Math.sqrt(nodes.length / 2)));
  return new Map(
    nodes.map(({ name }, at) => [
      name,
      { x: (at % columns) * (width + GAP), y: Math.floor(at / columns) * (height + GAP) },
    ]),
  );
}

/** A little wider than high, as screens are. */
const ASPECT = 1.5;

/** The blocks in rows, so that together they are about as wide as a screen. */
function pack(blocks: readonly Block[], direction: Direction, sizes: Sizes): [string, Place][] {
  const boxes = blocks.map((block) => ({ block, ...extent(block, sizes) }));
  const area = boxes.reduce((sum, { width, height }) => sum + (width + 2 * GAP) * (height + 2 * GAP), 0);
  const wanted = direction === "down" ? 0 : Math.sqrt(area) * ASPECT;
  const limit = Math.max(wanted, ...boxes.map(({ width }) => width));
  const placed: [string, Place][] = [];
  let [x, y, rowHeight] = [0, 0, 0];
  for (const { block, left, top, width, height } of boxes) {
    if (x > 0 && x + width > limit) [x, y, rowHeight] = [0, y + rowHeight + 2 * GAP, 0];
    for (const [name, place] of block) {
      placed.push([name, { x: Math.round(place.x - left + x), y: Math.round(place.y - top + y) }]);
    }
    x += width + 2 * GAP;
    rowHeight = Math.max(rowHeight, height);
  }
  return placed;
}

function extent(block: Block, sizes: Sizes): { left: number; top: number; width: number; height: number } {
  const places = [...block].map(([name, place]) => ({ ...place, ...sizeOf(name, sizes) }));
  const left = Math.min(...places.map(({ x }) => x));
  const top = Math.min(...places.map(({ y }) => y));
  const right = Math.max(...places.map(({ x, width }) => x + width));
  const bottom = Math.max(...places.map(({ y, height }) => y + height));
  return { left, top, width: right - left, height: bottom - top };
}

/** How far from its Step the words of a long arrow stand. */
const NEAR = RANK_GAP / 2;

/**
 * Where an arrow's words stand: half-way, or near where it begins if other Steps may be in between.
 * The arrow is a curve that leaves and arrives straight, as the diagram draws it.
 */
export function wordsPlace(start: Place, end: Place, down = false): Place {
  const [length, rise] = down ? [end.y - start.y, end.x - start.x] : [end.x - start.x, end.y - start.y];
  let share = 0.5;
  if (length > RANK_GAP + NODE_WIDTH) {
    let [low, high] = [0, 0.5];
    for (let turn = 0; turn < 20; turn += 1) {
      share = (low + high) / 2;
      if (length * (1.5 * share * (1 - share) + share ** 3) < NEAR) low = share;
      else high = share;
    }
  }
  const along = length * (1.5 * share * (1 - share) + share ** 3);
  const aside = rise * (3 * share ** 2 - 2 * share ** 3);
  return down ? { x: start.x + aside, y: start.y + along } : { x: start.x + along, y: start.y + aside };
}

function handles(direction: Direction): Pick<Position, "source_handle" | "target_handle"> {
  return direction === "across"
    ? { source_handle: "right", target_handle: "left" }
    : { source_handle: "bottom", target_handle: "top" };
}
