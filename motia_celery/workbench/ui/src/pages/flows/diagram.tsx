import "@xyflow/react/dist/style.css";
import "./diagram.css";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Controls, type FitViewOptions, MarkerType, MiniMap, type NodeChange, type NodeProps, Panel, ReactFlow, ReactFlowProvider, useNodesState, useReactFlow } from "@xyflow/react";
import { LayoutGrid } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { api, taken } from "@/api/client";
import { graphQuery } from "@/api/queries";
import type { Graph, Position } from "@/api/shapes";
import { arrange, draw, NODE_HEIGHT, NODE_WIDTH, pick, type Size, type Sizes } from "@/logic/graph";
import { Button } from "@/ui/button";
import { tellError } from "@/ui/toast";
import { ArrowEdge, type DrawnArrow } from "./arrow-edge";
import { type DrawnStep, StepNode } from "./step-node";

interface DiagramProps {
  graph: Graph;
  flow: string;
  selected: string | undefined;
  onSelect: (step?: string) => void;
}

/** Loaded where a file draws a Step. */
const OwnNode = lazy(async () => ({ default: (await import("./own/own-node")).OwnNode }));

const nodeTypes = {
  step: StepNode,
  own: (props: NodeProps<DrawnStep>) => (
    <Suspense fallback={<StepNode {...props} />}>
      <OwnNode {...props} />
    </Suspense>
  ),
};
const edgeTypes = { arrow: ArrowEdge };
/** Past so many arrows their topics are shown only where one points. */
const LABELLED_ARROWS = 60;
const DRAWN_AT_ONCE = 120;
/** So few are not drawn smaller than can be read; one moves the diagram instead. */
const FEW = 24;
const READABLE_ZOOM = 0.65;

function fitOf(steps: number, selected?: string): FitViewOptions<DrawnStep> {
  const minZoom = steps <= FEW ? READABLE_ZOOM : undefined;
  return selected ? { minZoom: READABLE_ZOOM, maxZoom: 0.85, nodes: [{ id: selected }] } : { padding: 0.08, maxZoom: 1, minZoom };
}

/** A flow, to look at, to arrange and to choose a Step of. */
export function Diagram(props: DiagramProps) {
  return (
    <ReactFlowProvider>
      <Drawn {...props} />
    </ReactFlowProvider>
  );
}

function Drawn({ graph, flow, selected, onSelect }: DiagramProps) {
  const narrow = useMemo(() => window.innerWidth < 640, []);
  const direction = narrow ? "down" : "across";
  const { sizes, measure } = useSizes();
  const drawing = useMemo(() => draw(graph, flow, direction, sizes), [graph, flow, direction, sizes]);
  const [nodes, setNodes, onNodesChange] = useNodesState<DrawnStep>([]);
  const [ready, setReady] = useState(false);
  const save = useSavePositions(flow);
  const { fitView } = useReactFlow<DrawnStep>();
  const frame = useRef<HTMLDivElement>(null);
  const hasMoved = useRef(false);
  useKeepInSight(frame, selected);

  useEffect(() => {
    setNodes((known) => {
      const measured = new Map(known.map((node) => [node.id, node.measured]));
      return drawing.nodes.map(({ node, position }) => drawnStep(node.name, position, { node }, node.name === selected, measured.get(node.name)));
    });
    setReady(true);
  }, [drawing, setNodes]);

  // Steps that draw themselves have their size only now; the rest has made room for them.
  useEffect(() => {
    if (!hasMoved.current && !selected && sizes !== NO_SIZES) requestAnimationFrame(() => void fitView(fitOf(drawing.nodes.length)));
  }, [sizes]);

  useEffect(() => {
    setNodes((known) => known.map((node) => (node.selected === (node.id === selected) ? node : { ...node, selected: node.id === selected })));
  }, [selected, setNodes]);

  const edges = useMemo(() => {
    const labelled = drawing.arrows.length <= LABELLED_ARROWS;
    return drawing.arrows.map((arrow): DrawnArrow => ({
      id: arrow.id,
      source: arrow.source,
      target: arrow.target,
      type: "arrow",
      data: { arrow, labelled },
      focusable: false,
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "var(--arrow)" },
    }));
  }, [drawing]);

  function change(changes: NodeChange<DrawnStep>[]) {
    onNodesChange(changes);
    measure(changes);
    const chosen = changes.find((each) => each.type === "select" && each.selected);
    if (chosen?.type === "select") onSelect(chosen.id);
  }

  function rearrange() {
    const { nodes: steps, arrows } = pick(graph, flow);
    save(arrange(steps, arrows, direction, sizes));
    requestAnimationFrame(() => void fitView(fitOf(steps.length)));
  }

  if (!ready) return null;
  return (
    <ReactFlow
      ref={frame}
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodesChange={change}
      onNodeDragStop={(_, __, moved) => save(positionsOf(moved))}
      onPaneClick={() => onSelect()}
      onMoveStart={(event) => {
        if (event) hasMoved.current = true;
      }}
      onlyRenderVisibleElements={nodes.length > DRAWN_AT_ONCE}
      selectNodesOnDrag={false}
      nodesConnectable={false}
      deleteKeyCode={null}
      minZoom={0.05}
      maxZoom={2}
      fitView
      fitViewOptions={fitOf(nodes.length, selected)}
      proOptions={{ hideAttribution: true }}
      aria-label={flow ? `The flow ${flow}` : "The whole app"}
    >
      <Controls showInteractive={false} fitViewOptions={fitOf(nodes.length)} position="bottom-right" />
      {!narrow && nodes.length > 12 && <MiniMap pannable zoomable position="top-right" ariaLabel="The whole diagram, small" className="!h-24 !w-36" />}
      <Panel position="top-left">
        <Button icon={LayoutGrid} onClick={rearrange} title="Put every Step where the automatic layout wants it">
          Arrange
        </Button>
      </Panel>
      <Panel position="bottom-left">
        <Legend />
      </Panel>
    </ReactFlow>
  );
}

const NO_SIZES: Sizes = {};

/** The sizes of Steps that draw themselves, as the page measures them. */
function useSizes() {
  const [sizes, setSizes] = useState(NO_SIZES);
  const measure = (changes: NodeChange<DrawnStep>[]) => {
    const measured = changes.flatMap((change): [string, Size][] => (change.type === "dimensions" && change.dimensions ? [[change.id, change.dimensions]] : []));
    setSizes((known) => withSizes(known, measured));
  };
  return { sizes, measure };
}

function withSizes(known: Sizes, measured: readonly [string, Size][]): Sizes {
  const isNew = ([name, { width, height }]: [string, Size]) => {
    const before = known[name] ?? { width: NODE_WIDTH, height: NODE_HEIGHT };
    return Math.abs(before.width - width) > 1 || Math.abs(before.height - height) > 1;
  };
  const changed = measured.filter(isNew);
  return changed.length ? { ...known, ...Object.fromEntries(changed) } : known;
}

/** Moves the diagram where the chosen Step is out of sight, as the panel beside it takes room. */
function useKeepInSight(frame: React.RefObject<HTMLDivElement | null>, selected: string | undefined): void {
  const { getNode, getZoom, flowToScreenPosition, setCenter } = useReactFlow<DrawnStep>();
  useEffect(() => {
    const node = selected && getNode(selected);
    const box = frame.current?.getBoundingClientRect();
    if (!node || !box) return;
    const { x, y } = node.position;
    const start = flowToScreenPosition({ x, y });
    const end = flowToScreenPosition({ x: x + NODE_WIDTH, y: y + NODE_HEIGHT });
    const isInside = start.x >= box.left && start.y >= box.top && end.x <= box.right && end.y <= box.bottom;
    if (!isInside) void setCenter(x + NODE_WIDTH / 2, y + NODE_HEIGHT / 2, { zoom: Math.max(getZoom(), READABLE_ZOOM), duration: 200 });
  }, [selected, frame, getNode, getZoom, flowToScreenPosition, setCenter]);
}

function drawnStep(id: string, place: Position, data: DrawnStep["data"], selected: boolean, measured: DrawnStep["measured"]): DrawnStep {
  const size = data.node.component ? { measured, initialWidth: NODE_WIDTH, initialHeight: NODE_HEIGHT } : { width: NODE_WIDTH, height: NODE_HEIGHT };
  return {
    id,
    type: data.node.component ? "own" : "step",
    position: { x: place.x, y: place.y },
    data: { ...data, down: place.source_handle !== "right", fromAbove: place.target_handle !== "left" },
    ...size,
    selected,
    ariaLabel: `${data.node.name}, ${data.node.kind} Step`,
  };
}

function positionsOf(moved: readonly DrawnStep[]): Record<string, Position> {
  return Object.fromEntries(
    moved.map(({ id, position, data }) => [
      id,
      {
        x: Math.round(position.x),
        y: Math.round(position.y),
        source_handle: data.down ? ("bottom" as const) : ("right" as const),
        target_handle: data.fromAbove ? ("top" as const) : ("left" as const),
      },
    ]),
  );
}

/** Keeps positions at once on the page, and in the project's file. */
function useSavePositions(flow: string): (positions: Record<string, Position>) => void {
  const cache = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: (positions: Record<string, Position>) => taken(api.PUT("/positions", { body: { flow, positions } })),
    onMutate: (positions) =>
      cache.setQueryData(graphQuery.queryKey, (graph) => graph && withPositions(graph, flow, positions)),
    onError: tellError,
  });
  return mutate;
}

function withPositions(graph: Graph, flow: string, positions: Record<string, Position>): Graph {
  const flows = graph.flows.map((each) =>
    each.name === flow ? { ...each, positions: { ...each.positions, ...positions } } : each,
  );
  return { ...graph, flows };
}

function Legend() {
  return (
    <ul className="hidden gap-3 text-2xs text-soft sm:flex" aria-label="Arrows">
      <li className="flex items-center gap-1">
        <Line /> event
      </li>
      <li className="flex items-center gap-1">
        <Line dashed /> virtual
      </li>
      <li className="flex items-center gap-1">
        <span aria-hidden>◇</span> conditional
      </li>
    </ul>
  );
}

function Line({ dashed = false }: { dashed?: boolean }) {
  return (
    <svg width={18} height={6} aria-hidden>
      <line x1={0} x2={18} y1={3} y2={3} stroke="currentColor" strokeWidth={1.5} strokeDasharray={dashed ? "4 3" : undefined} />
    </svg>
  );
}
