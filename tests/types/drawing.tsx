// A file that draws a Step; JSX has its types from React, where a project has it.
import {
  ApiNode,
  type ApiNodeProps,
  BaseHandle,
  BaseNode,
  Button,
  cn,
  type EventNodeProps,
  Position,
} from 'motia/workbench';

declare global {
  namespace JSX {
    interface IntrinsicElements {
      [name: string]: any;
    }
  }
}

export const Node = (props: ApiNodeProps) => (
  <ApiNode {...props} subtitle={<b>{props.data.webhookUrl}</b>}>
    <i className={cn('a', props.selected && 'b')}>{props.data.emits.length}</i>
    <Button onClick={() => fetch('/orders')}>Begin</Button>
  </ApiNode>
);

export default function Start({ data }: EventNodeProps) {
  // @ts-expect-error a cron's alone
  const cron: string = data.cronExpression;
  return (
    <BaseNode title="Start" variant="noop" disableTargetHandle data={data}>
      <BaseHandle type="source" position={Position.Right} />
      {/* @ts-expect-error neither source nor target */}
      <BaseHandle type="other" />
      {cron}
    </BaseNode>
  );
}
