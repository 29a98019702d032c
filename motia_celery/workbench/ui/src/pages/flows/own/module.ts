import { queryOptions } from "@tanstack/react-query";
import { API } from "@/api/client";
import { addStyle } from "./parts";

interface Module {
  Node: unknown;
  style: string;
}

/** A module that draws a Step; each version is loaded once, for it is always the same. */
export const moduleQuery = (step: string, version: string, scope: string) =>
  queryOptions({
    queryKey: ["module", step, version],
    queryFn: async () => {
      const name = step.split("/").map(encodeURIComponent).join("/");
      const module = (await import(/* @vite-ignore */ `${API}/components/${version}/${name}`)) as Module;
      addStyle(scope, module.style);
      return { Node: module.Node };
    },
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
    retry: false,
  });
