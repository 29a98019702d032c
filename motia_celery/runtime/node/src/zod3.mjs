// zod 3 as JSON Schema, for projects without zod-to-json-schema. What it does not know is `{}`.
const wrapped = (def) => fallback(def.innerType ?? def.schema ?? def.type);

const CONVERTERS = {
  ZodString: (def) => ({ type: 'string', ...stringRules(def.checks) }),
  ZodNumber: (def) => numberRules(def.checks),
  ZodBigInt: () => ({ type: 'integer' }),
  ZodBoolean: () => ({ type: 'boolean' }),
  ZodDate: () => ({ type: 'string', format: 'date-time' }),
  ZodNull: () => ({ type: 'null' }),
  ZodLiteral: (def) => ({ const: def.value }),
  ZodEnum: (def) => ({ type: 'string', enum: [...def.values] }),
  ZodNativeEnum: (def) => ({ enum: enumValues(def.values) }),
  ZodArray: (def) => ({ type: 'array', items: fallback(def.type), ...arrayRules(def) }),
  ZodSet: (def) => ({ type: 'array', items: fallback(def.valueType), uniqueItems: true }),
  ZodTuple: (def) => ({ type: 'array', items: def.items.map(fallback), minItems: def.items.length }),
  ZodRecord: (def) => ({ type: 'object', additionalProperties: fallback(def.valueType) }),
  ZodObject: objectSchema,
  ZodUnion: (def) => ({ anyOf: def.options.map(fallback) }),
  ZodDiscriminatedUnion: (def) => ({ anyOf: [...def.options.values()].map(fallback) }),
  ZodIntersection: (def) => ({ allOf: [fallback(def.left), fallback(def.right)] }),
  ZodNullable: (def) => ({ anyOf: [wrapped(def), { type: 'null' }] }),
  ZodDefault: (def) => ({ ...wrapped(def), default: def.defaultValue() }),
  ZodOptional: wrapped,
  ZodCatch: wrapped,
  ZodBranded: wrapped,
  ZodReadonly: wrapped,
  ZodEffects: wrapped,
  ZodPipeline: (def) => fallback(def.in),
  ZodLazy: () => ({}),
};

export function fallback(schema) {
  const def = schema._def;
  const json = CONVERTERS[def.typeName]?.(def) ?? {};
  return def.description ? { ...json, description: def.description } : json;
}

function objectSchema(def) {
  const shape = def.shape();
  const properties = Object.fromEntries(Object.entries(shape).map(([key, part]) => [key, fallback(part)]));
  const required = Object.keys(shape).filter((key) => !shape[key].isOptional());
  const json = { type: 'object', properties };
  if (required.length) json.required = required;
  if (def.unknownKeys === 'strict') json.additionalProperties = false;
  return json;
}

const FORMATS = { email: 'email', url: 'uri', uuid: 'uuid', datetime: 'date-time', date: 'date', time: 'time' };

function stringRules(checks = []) {
  const json = {};
  for (const check of checks) {
    if (check.kind === 'min' || check.kind === 'length') json.minLength = check.value;
    if (check.kind === 'max' || check.kind === 'length') json.maxLength = check.value;
    if (check.kind === 'regex') json.pattern = check.regex.source;
    if (FORMATS[check.kind]) json.format = FORMATS[check.kind];
  }
  return json;
}

function numberRules(checks = []) {
  const json = { type: checks.some((check) => check.kind === 'int') ? 'integer' : 'number' };
  for (const { kind, value, inclusive } of checks) {
    if (kind === 'min') json[inclusive ? 'minimum' : 'exclusiveMinimum'] = value;
    if (kind === 'max') json[inclusive ? 'maximum' : 'exclusiveMaximum'] = value;
    if (kind === 'multipleOf') json.multipleOf = value;
  }
  return json;
}

function arrayRules(def) {
  const json = {};
  const [min, max] = [def.minLength ?? def.exactLength, def.maxLength ?? def.exactLength];
  if (min) json.minItems = min.value;
  if (max) json.maxItems = max.value;
  return json;
}

// A numeric enum of TypeScript also has its names under its numbers.
const enumValues = (object) =>
  Object.keys(object).filter((key) => typeof object[object[key]] !== 'number').map((key) => object[key]);
