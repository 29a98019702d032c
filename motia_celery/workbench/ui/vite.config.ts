import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const target = ["chrome123", "firefox128", "safari17.5"];

export default defineConfig({
  base: "/__workbench/",
  plugins: [react(), tailwind()],
  resolve: {
    alias: {
      "@": fileURLToPath(new URL("./src", import.meta.url)),
      // Its own validator makes code from schemas; only a tool for tests in it asks for that.
      "@rjsf/validator-ajv8": fileURLToPath(new URL("./src/pages/try/validator.ts", import.meta.url)),
    },
  },
  build: {
    target,
    cssTarget: target,
    // Data URLs and inline scripts are refused by the page's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    manifest: "manifest.json",
  },
  server: {
    proxy: {
      "/__workbench/api": process.env["WORKBENCH_APP"] ?? "http://127.0.0.1:3000",
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
