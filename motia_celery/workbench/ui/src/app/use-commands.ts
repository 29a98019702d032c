import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Activity, Box, Monitor, Moon, Send, Sun, Workflow } from "lucide-react";
import { useCallback, useMemo } from "react";
import { graphQuery } from "@/api/queries";
import { isTraceId } from "@/logic/search";
import type { Command } from "./palette";
import { PLACES } from "./places";
import { setTheme } from "./theme";

/** Everything that the palette leads to. */
export function useCommands() {
  const navigate = useNavigate();
  const { data: graph } = useQuery(graphQuery);

  const commands = useMemo((): Command[] => {
    const places = PLACES.map(({ path, name, icon, about }) => ({
      id: path,
      name,
      hint: about,
      group: "Page",
      icon,
      run: () => void navigate({ to: path }),
    }));
    const flows = (graph?.flows ?? []).filter(({ name }) => name).map(({ name }) => ({
      id: `flow ${name}`,
      name,
      group: "Flow",
      icon: Workflow,
      run: () => void navigate({ to: "/flows", search: { flow: name } }),
    }));
    const steps = (graph?.nodes ?? []).map(({ name, file }) => ({
      id: `step ${name}`,
      name,
      hint: file,
      group: "Step",
      icon: Box,
      run: () => void navigate({ to: "/flows", search: { step: name } }),
    }));
    const routes = (graph?.nodes ?? []).flatMap((node) => node.routes).map((route) => ({
      id: `route ${route}`,
      name: route,
      group: "Try",
      icon: Send,
      run: () => void navigate({ to: "/try", search: { kind: "route", name: route } }),
    }));
    return [...places, ...flows, ...steps, ...routes, ...THEMES];
  }, [graph, navigate]);

  const made = useCallback(
    (typed: string): Command | null => {
      const trace = typed.trim().toLowerCase();
      if (!isTraceId(trace)) return null;
      const run = () => void navigate({ to: "/runs/$trace", params: { trace } });
      return { id: `trace ${trace}`, name: "Open the trace", hint: trace, group: "Trace", icon: Activity, run };
    },
    [navigate],
  );
  return { commands, made };
}

const THEMES: readonly Command[] = [
  { id: "theme light", name: "Light theme", group: "Theme", icon: Sun, run: () => setTheme("light") },
  { id: "theme dark", name: "Dark theme", group: "Theme", icon: Moon, run: () => setTheme("dark") },
  { id: "theme system", name: "Theme of the system", group: "Theme", icon: Monitor, run: () => setTheme("system") },
];
