/** A request, as it is put together on the page. */
export interface Draft {
  method: string;
  path: string;
  params: Readonly<Record<string, string>>;
  query: readonly (readonly [string, string])[];
  headers: readonly (readonly [string, string])[];
  body: string;
}

/** The path and query of a request; `{name}` stands for a parameter. A rest (`*`) keeps its slashes. */
export function urlOf(draft: Draft): string {
  const path = draft.path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = draft.params[name.replace(/:path$/, "")] ?? "";
    return name.endsWith(":path") ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value);
  });
  const query = new URLSearchParams(draft.query.filter(([name]) => name).map(([name, value]) => [name, value]));
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** The headers that a request is sent with. */
export function headersOf(draft: Draft): [string, string][] {
  const headers = draft.headers.filter(([name]) => name.trim()).map(([name, value]): [string, string] => [name.trim(), value]);
  const hasType = headers.some(([name]) => name.toLowerCase() === "content-type");
  return takesBody(draft.method) && draft.body && !hasType ? [["Content-Type", "application/json"], ...headers] : headers;
}

/** Whether a request of this method carries a body. */
export function takesBody(method: string): boolean {
  return !["GET", "HEAD"].includes(method.toUpperCase());
}

/** A command for a shell that sends the same request. */
export function curlOf(draft: Draft, origin: string): string {
  const parts = [`curl -X ${draft.method} ${quoted(origin + urlOf(draft))}`];
  for (const [name, value] of headersOf(draft)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (takesBody(draft.method) && draft.body) parts.push(`--data-raw ${quoted(draft.body)}`);
  return parts.join(" \\\n  ");
}

/** In single quotes; a quote inside ends them, is escaped, and opens them again. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
