import { Handle, type HandleProps, Position } from "@xyflow/react";
import { clsx } from "clsx";
import { createContext, type ReactNode, useContext } from "react";
import type { GraphNode } from "@/api/shapes";
import type { MotiaData } from "@/logic/motia-node";
import { KINDS, subtitle as subtitleOf, TAGS } from "@/ui/kinds";

/** What stands for the parts of Motia's Workbench that files beside Steps import. */

export interface Drawn {
  node: GraphNode;
  down: boolean;
  fromAbove: boolean;
  selected: boolean;
}

/** The Step that is drawn; parts are also used without any of its data. */
export const DrawnContext = createContext<Drawn | null>(null);

function useDrawn(): Drawn {
  const drawn = useContext(DrawnContext);
  if (!drawn) throw new Error("a node of Motia's is drawn outside of the diagram");
  return drawn;
}

interface NodeParts {
  data?: Partial<MotiaData>;
  title?: ReactNode;
  subtitle?: ReactNode;
  variant?: string;
  language?: string;
  className?: string;
  disableSourceHandle?: boolean;
  disableTargetHandle?: boolean;
  children?: ReactNode;
}

const KIND_OF: Readonly<Record<string, GraphNode["kind"]>> = { api: "http", event: "event", cron: "cron", noop: "noop" };

/** A Step's card, with whatever the file puts into it. */
export function BaseNode({ data, title, subtitle, variant, language, className, children, ...rest }: NodeParts) {
  const { node, selected } = useDrawn();
  const kind = KIND_OF[variant ?? ""] ?? node.kind;
  const { icon: Icon, color, word } = KINDS[kind];
  const below = subtitle ?? data?.description;
  return (
    <div
      className={clsx(
        "min-w-[14.5rem] rounded-lg border bg-panel px-2.5 py-2",
        kind === "noop" && "border-dashed",
        selected ? "border-accent ring-1 ring-accent" : "border-line-strong",
        className,
      )}
    >
      {!rest.disableTargetHandle && <BaseHandle type="target" />}
      <div className="flex items-center gap-1.5">
        <Icon size={14} className={clsx("shrink-0", color)} aria-label={word} />
        <span className="truncate font-medium">{title ?? data?.name ?? node.name}</span>
        <span className="ml-auto shrink-0 font-mono text-2xs text-faint" title={language ?? node.language}>
          {TAGS[node.language]}
        </span>
      </div>
      {below && <div className="mt-0.5 text-xs text-soft">{below}</div>}
      {children && <div className="mt-2">{children}</div>}
      {!rest.disableSourceHandle && <BaseHandle type="source" />}
    </div>
  );
}

/** Where arrows begin or end; by itself at the side that the diagram has them. */
export function BaseHandle({ type, position, id, className }: Partial<HandleProps> & Pick<HandleProps, "type">) {
  const { down, fromAbove } = useDrawn();
  const own = type === "source" ? (down ? Position.Bottom : Position.Right) : fromAbove ? Position.Top : Position.Left;
  return <Handle type={type} position={position ?? own} id={id} className={className} isConnectable={false} />;
}

function StepCard({ data, subtitle, ...rest }: NodeParts) {
  const { node } = useDrawn();
  return (
    <BaseNode title={data?.name} subtitle={subtitle ?? <Facts node={node} description={data?.description} />} data={data} {...rest} />
  );
}

function Facts({ node, description }: { node: GraphNode; description: string | undefined }) {
  const trigger = subtitleOf(node);
  return (
    <>
      {trigger && <div className="truncate font-mono text-2xs">{trigger}</div>}
      {description !== trigger && description}
    </>
  );
}

export const ApiNode = (props: NodeParts) => <StepCard variant="api" {...props} />;
export const EventNode = (props: NodeParts) => <StepCard variant="event" {...props} />;
export const CronNode = (props: NodeParts) => <StepCard variant="cron" {...props} />;
export const NoopNode = (props: NodeParts) => <StepCard variant="noop" {...props} />;
export { ApiNode as TriggerNode, Position };

/** A button that is pressed, and does not drag the Step. */
export function Button({ className, variant: _v, size: _s, ...rest }: React.ComponentProps<"button"> & { variant?: string; size?: string }) {
  return (
    <button
      type="button"
      className={clsx("nodrag inline-flex h-7 items-center gap-1.5 rounded-md border border-line px-2.5 font-medium hover:bg-hover", className)}
      {...rest}
    />
  );
}

export function Badge({ className, variant: _v, ...rest }: React.ComponentProps<"span"> & { variant?: string }) {
  return <span className={clsx("inline-flex items-center rounded bg-hover px-1.5 text-2xs font-medium text-soft", className)} {...rest} />;
}

export { clsx as cn };
