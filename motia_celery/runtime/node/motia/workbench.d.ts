// The types of `motia/workbench`: what files that draw Steps in the Workbench import.

/** A Step, as what draws it is given it. */
export interface NodeData {
  id: string;
  name: string;
  type: 'api' | 'event' | 'cron' | 'noop';
  description?: string;
  language: string;
  filePath: string;
  flows: readonly string[];
  emits: readonly Topic[];
  subscribes: readonly string[];
  virtualEmits: readonly Topic[];
  virtualSubscribes: readonly string[];
  nodeConfig: { sourceHandlePosition: 'bottom' | 'right'; targetHandlePosition: 'top' | 'left' };
}

export type Topic = string | { topic: string; label?: string; conditional?: boolean };

export interface ApiNodeData extends NodeData {
  action?: 'webhook';
  method?: string;
  path?: string;
  webhookUrl?: string;
}

export interface CronNodeData extends NodeData {
  cronExpression?: string;
}

/** What React Flow gives to the component, and the Step. */
export interface NodeProps<Data = NodeData> {
  data: Data;
  id: string;
  type: string;
  selected?: boolean;
  dragging?: boolean;
  [name: string]: any;
}

export type ApiNodeProps = NodeProps<ApiNodeData>;
export type EventNodeProps = NodeProps;
export type CronNodeProps = NodeProps<CronNodeData>;
export type NoopNodeProps = NodeProps;

export interface BaseNodeProps {
  data?: Partial<NodeData>;
  title?: any;
  subtitle?: any;
  /** Whose icon it has: that of `api`, `event`, `cron` or `noop`. */
  variant?: string;
  language?: string;
  className?: string;
  disableSourceHandle?: boolean;
  disableTargetHandle?: boolean;
  children?: any;
  [name: string]: any;
}

export const BaseNode: (props: BaseNodeProps) => any;
export const ApiNode: (props: BaseNodeProps) => any;
export const EventNode: (props: BaseNodeProps) => any;
export const CronNode: (props: BaseNodeProps) => any;
export const NoopNode: (props: BaseNodeProps) => any;

export enum Position {
  Left = 'left',
  Top = 'top',
  Right = 'right',
  Bottom = 'bottom',
}

/** Where arrows begin (`source`) or end (`target`). */
export const BaseHandle: (props: {
  type: 'source' | 'target';
  position?: Position;
  id?: string;
  className?: string;
}) => any;

export const Button: (props: { children?: any; onClick?: (event: any) => void; [name: string]: any }) => any;
export const Badge: (props: { children?: any; [name: string]: any }) => any;
/** The names of classes that are not false, as one. */
export function cn(...names: any[]): string;
