import { graphlib, layout } from "@dagrejs/dagre";
import type { Graph, GraphEdge, GraphNode, Position } from "@/api/shapes";

export const NODE_WIDTH = 232;
export const NODE_HEIGHT = 66;
const GAP = 28;

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
export function draw(graph: Graph, flow: string, direction: Direction = "across"): Drawing {
  const { nodes, arrows } = pick(graph, flow);
  const saved = graph.flows.find((each) => each.name === flow)?.positions ?? {};
  const automatic = nodes.every((node) => saved[node.name]) ? {} : arrange(nodes, arrows, direction);
  const unplaced = belowOf(nodes, saved, automatic);
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
): (position: Position) => Position {
  const bottoms = nodes.flatMap((node) => (saved[node.name] ? [saved[node.name]!.y + NODE_HEIGHT + 2 * GAP] : []));
  if (!bottoms.length) return (position) => position;
  const lowest = Math.max(...bottoms);
  const highest = Math.min(...nodes.flatMap((node) => (saved[node.name] ? [] : [automatic[node.name]!.y])));
  return (position) => ({ ...position, y: position.y - highest + lowest });
}

/** A place for every node: causes before effects, and lone nodes in a grid below. */
export function arrange(
  nodes: readonly GraphNode[],
  arrows: readonly Arrow[],
  direction: Direction = "across",
): Record<string, Position> {
  const joined = new Set(arrows.flatMap((arrow) => [arrow.source, arrow.target]));
  const places = layer(
    nodes.filter((node) => joined.has(node.name)),
    arrows,
    direction,
  );
  const bottom = Math.max(-GAP, ...Object.values(places).map((place) => place.y + NODE_HEIGHT + GAP));
  const lone = nodes.filter((node) => !joined.has(node.name));
  const columns = direction === "down" ? 1 : Math.max(1, Math.min(4, Math.ceil(Math.sqrt(lone.length))));
  lone.forEach((node, at) => {
    const x = (at % columns) * (NODE_WIDTH + GAP);
    const y = bottom + GAP + Math.floor(at / columns) * (NODE_HEIGHT + GAP);
    places[node.name] = { x, y, ...handles(direction) };
  });
  return places;
}

function layer(nodes: readonly GraphNode[], arrows: readonly Arrow[], direction: Direction): Record<string, Position> {
  if (!nodes.length) return {};
  const sheet = new graphlib.Graph({ multigraph: true });
  const across = direction === "across";
  sheet.setGraph({ rankdir: across ? "LR" : "TB", nodesep: GAP, ranksep: across ? 96 : 72, ranker: "tight-tree" });
  sheet.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) sheet.setNode(node.name, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const arrow of arrows) sheet.setEdge(arrow.source, arrow.target, {}, arrow.id);
  layout(sheet);
  return Object.fromEntries(
    nodes.map(({ name }) => {
      const { x, y } = sheet.node(name) as { x: number; y: number };
      return [name, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2), ...handles(direction) }];
    }),
  );
}

function handles(direction: Direction): Pick<Position, "source_handle" | "target_handle"> {
  return direction === "across"
    ? { source_handle: "right", target_handle: "left" }
    : { source_handle: "bottom", target_handle: "top" };
}
