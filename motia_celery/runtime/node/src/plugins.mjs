// The plugins of the project's config: what their builders ask for.
import { describeError } from './errors.mjs';

const MARK = Symbol.for('motia-celery.stand-in');
const listed = (value) => [value ?? []].flat();
const built = new WeakMap();

// { made, routes } of a plugin, whose builder is called once.
export function buildPlugin(builder) {
  if (typeof builder !== 'function' || builder[MARK]) return Promise.resolve({ made: builder, routes: [] });
  if (!built.has(builder)) built.set(builder, build(builder));
  return built.get(builder);
}

async function build(builder) {
  const routes = [];
  return { made: await builder(pluginContext(routes)), routes };
}

// What is read of a plugin before the app runs.
export async function describePlugin(builder) {
  if (builder?.[MARK]) return { package: builder[MARK].package };
  try {
    const { made, routes } = await buildPlugin(builder);
    if (made?.[MARK]) return { package: made[MARK].package };
    const { dirname, steps, workbench } = made ?? {};
    return {
      name: builder.name ?? '',
      dirname: typeof dirname === 'string' ? dirname : null,
      steps: listed(steps).map(String),
      workbench: listed(workbench).map((panel) => String(panel?.label ?? panel?.packageName ?? 'a panel')),
      routes: routes.map(({ name, method, path, handler }) => ({ name, method, path, handlerType: typeof handler })),
    };
  } catch (error) {
    return { name: builder?.name ?? '', error: describeError(error) };
  }
}

// What Motia gives to a plugin's builder. Parts of its engine have their run's context behind them;
// outside of a run, and where the context has no such part, a call of them throws.
function pluginContext(routes) {
  const print = (...words) => console.error(...words);
  return {
    printer: new Proxy({}, { get: () => print }),
    registerApi: ({ method, path: at, middleware }, handler) => {
      const name = `${String(method).toUpperCase()} ${at}`;
      const around = listed(middleware).filter((each) => typeof each === 'function');
      routes.push({ name, method: String(method).toUpperCase(), path: String(at), handler, middleware: around });
    },
    lockedData: absent('lockedData', { baseDir: process.cwd() }),
    tracerFactory: absent('tracerFactory'),
    state: ofRun('state', (context) => context.state),
    eventAdapter: ofRun('eventAdapter', ({ emit }) => ({ emit })),
  };
}

function ofRun(name, partOf) {
  const part = (key) => {
    const context = globalThis[Symbol.for('motia-celery.context')]();
    return context ? partOf(context)[key] : undefined;
  };
  return new Proxy(absent(name), {
    get: (engine, key) => (typeof key === 'symbol' || key === 'then' ? undefined : (...args) => (part(key) ?? engine[key])(...args)),
  });
}

function absent(name, known = {}) {
  return new Proxy(() => {}, {
    get: (_, key) => (typeof key === 'symbol' || key === 'then' ? undefined : (known[key] ?? absent(`${name}.${key}`))),
    apply: () => {
      throw new Error(`${name} is a part of Motia's engine, which is not here`);
    },
  });
}
