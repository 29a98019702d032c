// The schemas of a config as JSON Schema, whatever library wrote them.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

import { fallback } from './zod3.mjs';

// The JSON Schema of a schema used in `file`; throws where it has none.
export async function toJsonSchema(schema, file) {
  if (schema === null || schema === undefined) return schema;
  if (schema._zod) return fromZod4(schema, file);
  if (String(schema._def?.typeName ?? '').startsWith('Zod')) return fromZod3(schema, file);
  for (const method of ['toJSONSchema', 'toJsonSchema', 'toJSON']) {
    if (typeof schema[method] === 'function') return plain(schema[method]());
  }
  if (schema['~standard']) return fromStandard(schema, file);
  if (typeof schema !== 'object') throw new TypeError(`a schema can not be ${typeof schema}`);
  return plain(schema);
}

const plain = (value) => {
  const { '~standard': _, ...json } = JSON.parse(JSON.stringify(value));
  return json;
};

async function fromZod4(schema, file) {
  const options = { target: 'draft-7', unrepresentable: 'any', io: 'input' };
  for (const name of ['zod', 'zod/v4', 'zod/v4/core', 'zod/mini']) {
    const zod = await ofProject(name, file);
    const convert = zod?.toJSONSchema ?? zod?.z?.toJSONSchema ?? zod?.default?.toJSONSchema;
    if (convert) return plain(convert(schema, options));
  }
  if (typeof schema.toJSONSchema === 'function') return plain(schema.toJSONSchema(options));
  throw new TypeError("it is a zod 4 schema, but the project's zod has no toJSONSchema");
}

async function fromZod3(schema, file) {
  const library = await ofProject('zod-to-json-schema', file);
  const convert = library?.zodToJsonSchema ?? library?.default?.zodToJsonSchema ?? library?.default;
  if (typeof convert !== 'function') return fallback(schema);
  return plain(convert(schema, { $refStrategy: 'none', target: 'jsonSchema7' }));
}

async function fromStandard(schema, file) {
  const { vendor, jsonSchema } = schema['~standard'];
  if (jsonSchema?.input) return plain(jsonSchema.input({ target: 'draft-07' }));
  if (vendor === 'valibot') {
    const library = await ofProject('@valibot/to-json-schema', file);
    if (library) return plain(library.toJsonSchema(schema));
    throw new TypeError('install @valibot/to-json-schema, which turns it into JSON Schema');
  }
  throw new TypeError(`${vendor ?? 'its library'} gives no JSON Schema`);
}

// A package as the project's file would import it, or null.
async function ofProject(name, file) {
  try {
    return await import(pathToFileURL(createRequire(file).resolve(name)).href);
  } catch {
    return null;
  }
}
