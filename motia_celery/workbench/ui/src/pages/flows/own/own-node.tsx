import { useQuery } from "@tanstack/react-query";
import { type NodeProps, useUpdateNodeInternals } from "@xyflow/react";
import { type ComponentType, memo, type MouseEvent, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { componentsQuery } from "@/api/queries";
import type { DrawingComponent } from "@/api/shapes";
import { NODE_HEIGHT, NODE_WIDTH } from "@/logic/graph";
import { type MotiaData, motiaData } from "@/logic/motia-node";
import { Boundary } from "./boundary";
import { moduleQuery } from "./module";
import { BaseHandle, DrawnContext } from "./motia-nodes";
import { Activity, Pulse, StepCard, type DrawnStep } from "../step-node";

type Draw = ComponentType<Omit<NodeProps, "data"> & { data: MotiaData }>;

/** A Step that a file beside it draws; drawn as all others are where that does not work, and why. */
export const OwnNode = memo(function OwnNode(props: NodeProps<DrawnStep>) {
  const { data: components, error } = useQuery(componentsQuery);
  const component = components?.find(({ step }) => step === props.data.node.name);
  if (error) return <Plain {...props} fault={error.message} />;
  if (!component) return <Plain {...props} />;
  if (!component.version) return <Plain {...props} fault={`${component.fault} (${component.where})`} />;
  return <Loaded {...props} component={component} version={component.version} />;
});

type LoadedProps = NodeProps<DrawnStep> & { component: DrawingComponent; version: string };

function Loaded({ component, version, ...props }: LoadedProps) {
  const { data: module, error } = useQuery(moduleQuery(component.step, version, component.scope));
  if (error) return <Plain {...props} fault={`${error.message} (${component.file})`} />;
  if (!module) return <Plain {...props} />;
  if (typeof module.Node !== "function" && typeof module.Node !== "object") {
    return <Plain {...props} fault={`Node is no component but ${typeof module.Node} (${component.file})`} />;
  }
  return (
    // A new version gets a new chance.
    <Boundary key={version} instead={(message) => <Plain {...props} fault={`${message} (${component.file})`} />}>
      <Own {...props} draw={module.Node as Draw} scope={component.scope} />
    </Boundary>
  );
}

function Own({ draw: Draw, scope, ...props }: NodeProps<DrawnStep> & { draw: Draw; scope: string }) {
  const { node, down = false, fromAbove = false } = props.data;
  const selected = props.selected ?? false;
  const frame = useRef<HTMLDivElement>(null);
  const [isBare, setBare] = useState(false);
  const update = useUpdateNodeInternals();
  const drawn = useMemo(() => ({ node, down, fromAbove, selected }), [node, down, fromAbove, selected]);
  const data = useMemo(() => motiaData(node, down, fromAbove), [node, down, fromAbove]);

  // Arrows need a place to begin and end at.
  useLayoutEffect(() => setBare(!frame.current?.querySelector(".react-flow__handle")), []);
  useEffect(() => update(props.id), [props.id, isBare, Draw, update]);

  return (
    <DrawnContext value={drawn}>
      <Pulse step={node.name}>
        {isBare && <BaseHandle type="target" />}
        <div ref={frame} className={`${scope} max-w-[24rem]`} onClick={keepFromChoosing}>
          <Draw {...props} data={data} />
        </div>
        {isBare && <BaseHandle type="source" />}
        <Activity node={node} />
      </Pulse>
    </DrawnContext>
  );
}

/** What is pressed or filled in is not chosen by that. */
function keepFromChoosing(event: MouseEvent): void {
  if ((event.target as Element).closest("a, button, input, label, select, textarea")) event.stopPropagation();
}

function Plain({ fault, ...props }: NodeProps<DrawnStep> & { fault?: string }): ReactNode {
  const update = useUpdateNodeInternals();
  useEffect(() => update(props.id), [props.id, fault, update]);
  return (
    <div style={{ width: NODE_WIDTH, minHeight: NODE_HEIGHT }} className="grid">
      <StepCard {...props} fault={fault} />
    </div>
  );
}
