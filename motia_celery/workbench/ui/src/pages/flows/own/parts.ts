import * as xyflow from "@xyflow/react";
import * as react from "react";
import * as jsx from "react/jsx-runtime";
import * as dom from "react-dom";
import * as motia from "./motia-nodes";

/** What modules that draw Steps find on the page: its own React, and what stands for Motia's packages. */

const sheets = new Map<string, CSSStyleSheet>();

/** Adds rules to the page, in place of those of the same key. Style elements would be refused by its policy. */
export function addStyle(key: string, css: string): void {
  const known = sheets.get(key);
  const sheet = known ?? new CSSStyleSheet();
  sheet.replaceSync(css);
  if (known) return;
  sheets.set(key, sheet);
  document.adoptedStyleSheets.push(sheet);
}

/** The package's exports; a name that is not among them is told, where React would say nothing of it. */
function named(source: string, exports: Readonly<Record<string, unknown>>): object {
  return new Proxy(exports, {
    get: (known, name) => {
      if (typeof name === "symbol" || name in known || name === "__esModule" || name === "default") return known[name as string];
      throw new Error(`${name} of '${source}' is not here`);
    },
  });
}

const workbench = (source: string) => {
  const { DrawnContext: _, ...exports } = motia;
  return named(source, exports);
};

const parts = {
  react,
  "react-dom": dom,
  "react/jsx-runtime": jsx,
  "react/jsx-dev-runtime": { ...jsx, jsxDEV: jsx.jsx },
  "@xyflow/react": xyflow,
  "motia/workbench": workbench("motia/workbench"),
  "@motiadev/workbench": workbench("@motiadev/workbench"),
  "@motiadev/ui": workbench("@motiadev/ui"),
};

Object.assign(globalThis, { [Symbol.for("motia-celery.page")]: { parts, addStyle } });
