import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { clsx } from "clsx";
import { CircleCheck, CirclePause, CircleX, LoaderCircle, Puzzle } from "lucide-react";
import { memo } from "react";
import type { GraphNode } from "@/api/shapes";
import { count } from "@/logic/time";
import { KINDS, subtitle, TAGS } from "@/ui/kinds";
import { useActivity } from "./activity-context";

export interface StepNodeData extends Record<string, unknown> {
  node: GraphNode;
  down?: boolean;
  fromAbove?: boolean;
}

export type DrawnStep = Node<StepNodeData, "step" | "own">;

/** A Step in the diagram. */
export const StepNode = memo(function StepNode(props: NodeProps<DrawnStep>) {
  return <StepCard {...props} />;
});

/** What a Step is, what starts it, and what it does now; `fault` is why no file of its own draws it. */
export function StepCard({ data, selected, fault }: NodeProps<DrawnStep> & { fault?: string }) {
  const { node, down, fromAbove } = data;
  const { icon: Icon, color, word } = KINDS[node.kind];
  return (
    <Pulse step={node.name}>
      <Handle type="target" position={fromAbove ? Position.Top : Position.Left} isConnectable={false} />
      <div
        className={clsx(
          "flex h-full flex-col justify-center gap-0.5 rounded-lg border bg-panel px-2.5",
          fault && "py-2",
          node.kind === "noop" && "border-dashed",
          selected ? "border-accent ring-1 ring-accent" : "border-line-strong",
        )}
      >
        <div className="flex items-center gap-1.5">
          <Icon size={14} className={clsx("shrink-0", color)} aria-label={word} />
          <span className="truncate font-medium">{node.name}</span>
          {node.paused && <CirclePause size={13} aria-label="Paused" className="shrink-0 text-warn" />}
          <span className="ml-auto shrink-0 font-mono text-2xs text-faint" title={node.language}>
            {TAGS[node.language]}
          </span>
        </div>
        <div className="flex items-center gap-2 text-xs">
          <span className="min-w-0 flex-1 truncate text-soft" title={subtitle(node)}>
            {subtitle(node)}
          </span>
          <Counts step={node.name} />
        </div>
        {fault && (
          <div role="note" title={fault} className="mt-1 flex gap-1.5 border-t border-line pt-1 text-2xs text-warn">
            <Puzzle size={12} aria-label="Not drawn by its own file" className="mt-0.5 shrink-0" />
            <span className="line-clamp-3 break-words">{fault}</span>
          </div>
        )}
      </div>
      <Handle type="source" position={down ? Position.Bottom : Position.Right} isConnectable={false} />
    </Pulse>
  );
}

/** What a Step that draws itself does now, at its upper edge. */
export function Activity({ node }: { node: GraphNode }) {
  const { running, completed, failed } = useActivity(node.name);
  if (!node.paused && !running && !completed && !failed) return null;
  return (
    <div className="absolute -top-2.5 right-2 flex items-center gap-1 rounded-full border border-line bg-panel px-1.5 text-2xs">
      {node.paused && <CirclePause size={11} aria-label="Paused" className="text-warn" />}
      <Counts step={node.name} />
    </div>
  );
}

/** An older change was not seen to happen. */
const FRESH_MS = 3000;

/** Shines as the Step does something. */
export function Pulse({ step, children }: { step: string; children: React.ReactNode }) {
  const { changedAt } = useActivity(step);
  return (
    <div className="relative h-full rounded-lg">
      {/* A new key starts the animation anew. */}
      {Date.now() - changedAt < FRESH_MS && <span key={changedAt} aria-hidden className="step-pulse pointer-events-none absolute inset-0 rounded-lg" />}
      {children}
    </div>
  );
}

function Counts({ step }: { step: string }) {
  const { running, completed, failed } = useActivity(step);
  return (
    <span className="flex shrink-0 items-center gap-1.5 tabular-nums" title="Runs of the last hour">
      {running > 0 && (
        <span className="flex items-center gap-0.5 text-accent">
          <LoaderCircle size={11} aria-label="running" className="animate-spin" />
          {count(running)}
        </span>
      )}
      {failed > 0 && (
        <span className="flex items-center gap-0.5 text-bad">
          <CircleX size={11} aria-label="failed" />
          {count(failed)}
        </span>
      )}
      {completed > 0 && (
        <span className="flex items-center gap-0.5 text-good">
          <CircleCheck size={11} aria-label="succeeded" />
          {count(completed)}
        </span>
      )}
    </span>
  );
}
