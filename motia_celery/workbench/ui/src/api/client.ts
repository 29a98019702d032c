import createClient from "openapi-fetch";
import type { paths } from "./types";

export const API = "/__workbench/api";

/** The API, typed by what the server says of itself. */
export const api = createClient<paths>({
  baseUrl: API,
  credentials: "same-origin",
  querySerializer: { array: { style: "form", explode: true } },
});

/** An answer that is no success: what is wrong, and what to do about it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    what: string,
    readonly fix: string,
  ) {
    super(fix ? `${what} ${fix}` : what);
  }
}

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** What was asked for; an {@link ApiError} if the answer is none. */
export async function taken<Data>(answer: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await answer;
  if (response.ok) return data as Data;
  const fault = error as { error?: unknown; fix?: unknown } | undefined;
  const what = typeof fault?.error === "string" ? fault.error : `${response.status} ${response.statusText}`;
  throw new ApiError(response.status, what, typeof fault?.fix === "string" ? fault.fix : "");
}
