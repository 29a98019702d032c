import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { Shell } from "@/app/shell";
import { knows, parseSearch, stringifySearch } from "@/logic/url";
import { Failed, Loading } from "@/ui/empty";
import { Nowhere } from "./app/nowhere";

const root = createRootRoute({ component: Shell, notFoundComponent: Nowhere });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/flows" });
  },
});

const flows = createRoute({
  getParentRoute: () => root,
  path: "/flows",
  validateSearch: knows("flow", "step", "tab", "line"),
  component: lazyRouteComponent(() => import("./pages/flows/flows"), "Flows"),
});

const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: knows("step", "flow", "status", "trace", "text", "since"),
  component: lazyRouteComponent(() => import("./pages/runs/runs"), "Runs"),
});

const trace = createRoute({
  getParentRoute: () => root,
  path: "/runs/$trace",
  validateSearch: knows("run", "span", "view", "text", "level"),
  component: lazyRouteComponent(() => import("./pages/run/trace"), "TracePage"),
});

const attempt = createRoute({
  getParentRoute: () => root,
  path: "/try",
  validateSearch: knows("kind", "name", "text", "step"),
  component: lazyRouteComponent(() => import("./pages/try/try"), "Try"),
});

const letters = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters",
  validateSearch: knows("id", "step", "reason", "error", "topic", "trace"),
  component: lazyRouteComponent(() => import("./pages/letters/letters"), "DeadLetters"),
});

const state = createRoute({
  getParentRoute: () => root,
  path: "/state",
  validateSearch: knows("group", "key", "text", "groups"),
  component: lazyRouteComponent(() => import("./pages/state/state"), "State"),
});

const streams = createRoute({
  getParentRoute: () => root,
  path: "/streams",
  validateSearch: knows("stream", "group", "id"),
  component: lazyRouteComponent(() => import("./pages/streams/streams"), "Streams"),
});

const queues = createRoute({
  getParentRoute: () => root,
  path: "/queues",
  validateSearch: knows("view", "text"),
  component: lazyRouteComponent(() => import("./pages/queues/queues"), "QueuesPage"),
});

const logs = createRoute({
  getParentRoute: () => root,
  path: "/logs",
  validateSearch: knows("level", "step", "flow", "run", "trace", "text", "line"),
  component: lazyRouteComponent(() => import("./pages/logs/logs"), "LogsPage"),
});

const problems = createRoute({
  getParentRoute: () => root,
  path: "/problems",
  component: lazyRouteComponent(() => import("./pages/problems/problems"), "Problems"),
});

export const router = createRouter({
  routeTree: root.addChildren([home, flows, runs, trace, attempt, letters, state, streams, queues, logs, problems]),
  basepath: "/__workbench",
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPendingComponent: Loading,
  defaultErrorComponent: ({ error, reset }) => <Failed error={error as Error} retry={reset} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
