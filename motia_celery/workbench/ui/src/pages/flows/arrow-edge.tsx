import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath, Position } from "@xyflow/react";
import { clsx } from "clsx";
import { memo, useState } from "react";
import { type Arrow, wordsPlace } from "@/logic/graph";

export type DrawnArrow = Edge<{ arrow: Arrow; labelled: boolean }, "arrow">;

/** The events that go from one Step to another. */
export const ArrowEdge = memo(function ArrowEdge(props: EdgeProps<DrawnArrow>) {
  const { arrow, labelled } = props.data!;
  const [pointed, setPointed] = useState(false);
  const [path] = getBezierPath(props);
  const { sourceX, sourceY, targetX, targetY, sourcePosition } = props;
  const { x, y } = wordsPlace({ x: sourceX, y: sourceY }, { x: targetX, y: targetY }, sourcePosition === Position.Bottom);
  return (
    <g onMouseEnter={() => setPointed(true)} onMouseLeave={() => setPointed(false)}>
      <BaseEdge id={props.id} path={path} markerEnd={props.markerEnd} style={arrow.virtual ? { strokeDasharray: "5 4" } : undefined} />
      {(labelled || pointed) && (
        <EdgeLabelRenderer>
          <div
            className={clsx(
              "nodrag nopan pointer-events-none absolute flex max-w-32 items-center gap-1 rounded bg-canvas px-1 text-2xs text-soft",
              pointed && "z-10 !max-w-64 border border-line",
            )}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {arrow.conditional && <span aria-label="conditional">◇</span>}
            <span className="truncate">{wordsOf(arrow, pointed)}</span>
          </div>
        </EdgeLabelRenderer>
      )}
    </g>
  );
});

function wordsOf({ labels, topics }: Arrow, whole: boolean): string {
  const words = labels.length ? labels : topics;
  const text = words.length > 1 && !whole ? `${words[0]} +${words.length - 1}` : words.join(", ");
  return whole && labels.length ? `${text} (${topics.join(", ")})` : text;
}
