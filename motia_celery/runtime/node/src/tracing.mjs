// OpenTelemetry of the project's own: its handlers run where their runs are in the trace.

// Where @opentelemetry/api keeps what the project has registered, whichever copy of it did.
const API = Symbol.for('opentelemetry.js.api.1');
const getter = {
  get: (carrier, key) => carrier[key],
  keys: (carrier) => Object.keys(carrier),
};

export function within({ traceparent, tracestate, baggage }, work) {
  const { context, propagation } = globalThis[API] ?? {};
  if (!context || !propagation) return work();
  const carrier = { traceparent };
  if (tracestate) carrier.tracestate = tracestate;
  if (baggage) carrier.baggage = baggage;
  return context.with(propagation.extract(context.active(), carrier, getter), work);
}
