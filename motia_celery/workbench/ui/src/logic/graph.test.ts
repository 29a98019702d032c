import { describe, expect, it } from "vitest";
import type { Graph, GraphEdge, GraphNode } from "@/api/shapes";
import { arrange, bundle, draw, NODE_HEIGHT, NODE_WIDTH, pick, wordsPlace } from "./graph";

function node(name: string, flows: string[] = ["orders"]): GraphNode {
  return {
    id: name,
    name,
    kind: "event",
    language: "python",
    file: `steps/${name}_step.py`,
    description: "",
    flows,
    routes: [],
    crons: [],
    changes: [],
    emits: [],
    subscribes: [],
    virtual_emits: [],
    virtual_subscribes: [],
    paused: false,
  };
}

function edge(source: string, target: string, topic = "t", more: Partial<GraphEdge> = {}): GraphEdge {
  const id = `${source}-${target}-${topic}`;
  return { id, source, target, topic, label: "", virtual: false, conditional: false, ...more };
}

interface Box {
  x: number;
  y: number;
  width?: number;
  height?: number;
}

function overlaps(places: Box[]): number {
  let count = 0;
  for (const [at, one] of places.entries()) {
    for (const other of places.slice(at + 1)) if (isBefore(one, other) && isBefore(other, one)) count += 1;
  }
  return count;
}

/** Whether the one begins before the other ends, across and down. */
function isBefore(one: Box, other: Box): boolean {
  const { x, y, width = NODE_WIDTH, height = NODE_HEIGHT } = other;
  return one.x < x + width && one.y < y + height;
}

const graph: Graph = {
  nodes: [node("a"), node("b"), node("c", ["other"])],
  edges: [edge("a", "b"), edge("b", "c")],
  flows: [
    { name: "", steps: ["a", "b", "c"], positions: {} },
    { name: "orders", steps: ["a", "b"], positions: { a: { x: 7, y: 9 } } },
  ],
};

describe("pick", () => {
  it("takes a flow's Steps, and only arrows between them", () => {
    const { nodes, arrows } = pick(graph, "orders");
    expect(nodes.map((each) => each.name)).toEqual(["a", "b"]);
    expect(arrows.map((each) => each.id)).toEqual(["a→b"]);
  });

  it("takes everything for the whole app", () => {
    expect(pick(graph, "").nodes).toHaveLength(3);
  });
});

describe("bundle", () => {
  it("draws the topics between two Steps as one arrow", () => {
    const [arrow, ...rest] = bundle([edge("a", "b", "one"), edge("a", "b", "two", { label: "paid", conditional: true })]);
    expect(rest).toEqual([]);
    expect(arrow).toMatchObject({ topics: ["one", "two"], labels: ["paid"], conditional: true });
  });

  it("keeps virtual arrows apart from real ones", () => {
    expect(bundle([edge("a", "b"), edge("a", "b", "t", { virtual: true })])).toHaveLength(2);
  });
});

describe("arrange", () => {
  it("puts causes left of their effects", () => {
    const places = arrange([node("a"), node("b")], bundle([edge("a", "b")]));
    expect(places["a"]!.x + NODE_WIDTH).toBeLessThan(places["b"]!.x);
  });

  it("puts causes above their effects where it goes down", () => {
    const places = arrange([node("a"), node("b")], bundle([edge("a", "b")]), "down");
    expect(places["a"]!.y + NODE_HEIGHT).toBeLessThan(places["b"]!.y);
    expect(places["a"]).toMatchObject({ source_handle: "bottom", target_handle: "top" });
  });

  it("lets nothing overlap, with circles, arrows to itself and lone nodes", () => {
    const nodes = Array.from({ length: 300 }, (_, at) => node(`s${at}`));
    const edges = Array.from({ length: 280 }, (_, at) => edge(`s${at}`, `s${(at * 7 + 1) % 280}`));
    const places = arrange(nodes, bundle(edges));
    expect(Object.keys(places)).toHaveLength(300);
    expect(overlaps(Object.values(places))).toBe(0);
  });

  it("makes room for nodes that are larger than others", () => {
    const nodes = Array.from({ length: 60 }, (_, at) => node(`s${at}`));
    const edges = Array.from({ length: 40 }, (_, at) => edge(`s${at}`, `s${(at * 7 + 1) % 40}`));
    const sizes = Object.fromEntries(nodes.filter((_, at) => at % 3 === 0).map(({ name }, at) => [name, { width: 380, height: 90 + 10 * at }]));
    for (const direction of ["across", "down"] as const) {
      const places = arrange(nodes, bundle(edges), direction, sizes);
      const boxes = Object.entries(places).map(([name, place]) => ({ x: place.x, y: place.y, ...sizes[name] }));
      expect(overlaps(boxes)).toBe(0);
    }
  });

  it("keeps what no arrow joins in blocks of their own", () => {
    const names = ["a1", "a2", "b1", "b2"];
    const places = arrange(names.map((name) => node(name)), bundle([edge("a1", "a2"), edge("b1", "b2")]));
    expect(places["a1"]!.y).toBe(places["a2"]!.y);
    expect(places["b1"]!.y).toBe(places["b2"]!.y);
    expect(overlaps(Object.values(places))).toBe(0);
  });

  it("takes an app without Steps", () => {
    expect(arrange([], [])).toEqual({});
  });
});

describe("draw", () => {
  it("keeps where nodes were put, and puts new ones below them", () => {
    const { nodes } = draw(graph, "orders");
    const [a, b] = nodes;
    expect(a!.position).toEqual({ x: 7, y: 9 });
    expect(b!.position.y).toBeGreaterThanOrEqual(9 + NODE_HEIGHT);
  });
});

describe("wordsPlace", () => {
  it("is half-way between neighbours", () => {
    expect(wordsPlace({ x: 0, y: 0 }, { x: 100, y: 40 })).toEqual({ x: 50, y: 20 });
    expect(wordsPlace({ x: 0, y: 0 }, { x: 40, y: 100 }, true)).toEqual({ x: 20, y: 50 });
  });

  it("is near the beginning of an arrow that passes other Steps", () => {
    const place = wordsPlace({ x: 10, y: 0 }, { x: 1010, y: 200 });
    expect(place.x).toBeGreaterThan(60);
    expect(place.x).toBeLessThan(90);
    expect(place.y).toBeGreaterThanOrEqual(0);
    expect(place.y).toBeLessThan(20);
  });

  it("leaves room for words between neighbours", () => {
    const places = arrange([node("a"), node("b")], bundle([edge("a", "b")]));
    expect(places["b"]!.x - places["a"]!.x - NODE_WIDTH).toBeGreaterThanOrEqual(128);
  });
});
