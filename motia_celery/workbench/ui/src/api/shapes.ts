import type { components } from "./types";

/** The shapes of the API, by their short names. */
type Schemas = components["schemas"];
type Shape<Name extends keyof Schemas> = Schemas[Name];

export type App = Shape<"AppView">;
export type Problem = Shape<"ProblemView">;
export type Route = Shape<"RouteView">;
export type Topic = Shape<"TopicView">;
export type Cron = Shape<"CronView">;
export type DrawingComponent = Shape<"ComponentView">;
export type GraphNode = Shape<"NodeView">;
export type GraphEdge = Shape<"EdgeView">;
export type Flow = Shape<"FlowView">;
export type Graph = Shape<"GraphView">;
export type Position = Shape<"Position">;
export type StepDetail = Shape<"StepView">;
export type Source = Shape<"Source">;
export type Schedule = Shape<"ScheduleView">;
export type Queue = Shape<"QueueView">;
export type Queues = Shape<"Queues">;
export type Worker = Shape<"WorkerView">;
export type Run = Shape<"RunView">;
export type RunDetail = Shape<"RunDetail">;
export type Runs = Shape<"Runs">;
export type RunStatus = Run["status"];
export type RunError = Shape<"ErrorView">;
export type Payload = Shape<"Payload">;
export type Span = Shape<"Span">;
export type Trace = Shape<"TraceView">;
export type LogLine = Shape<"LogLine">;
export type Logs = Shape<"Logs">;
export type Level = LogLine["level"];
export type Letter = Shape<"LetterView">;
export type LetterDetail = Shape<"LetterDetail">;
export type Letters = Shape<"Letters">;
export type StateItem = Shape<"StateItem">;
export type StateItems = Shape<"StateItems">;
export type StreamItem = Shape<"StreamItem">;
export type StreamItems = Shape<"StreamItems">;
export type StreamInfo = Shape<"StreamView">;
export type Started = Shape<"Started">;
export type RunMessage = Shape<"RunMessage">;
export type LogMessage = Shape<"LogMessage">;
export type QueuesMessage = Shape<"QueuesMessage">;
export type DeadLettersMessage = Shape<"DeadLettersMessage">;
export type StateMessage = Shape<"StateMessage">;
export type StreamMessage = Shape<"StreamMessage">;
export type FeedMessage =
  | RunMessage
  | LogMessage
  | QueuesMessage
  | DeadLettersMessage
  | StateMessage
  | StreamMessage
  | Shape<"ResetMessage">;
