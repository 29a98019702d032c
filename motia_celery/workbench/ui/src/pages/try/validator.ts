import { type Schema, Validator } from "@cfworker/json-schema";
import { type RJSFSchema, type RJSFValidationError, toErrorList, toErrorSchema, type ValidatorType } from "@rjsf/utils";

/**
 * Validates without making code from the schema, which the page's content security policy forbids.
 */
export const validator: ValidatorType = {
  validateFormData(formData, schema) {
    const found = errorsOf(schema, formData);
    const errorSchema = toErrorSchema(found);
    return { errors: toErrorList(errorSchema), errorSchema };
  },
  isValid(schema, formData, rootSchema) {
    const { $defs, definitions } = rootSchema;
    return errorsOf({ $defs, definitions, ...schema }, formData).length === 0;
  },
  rawValidation<Result>(schema: RJSFSchema, formData?: unknown) {
    return { errors: errorsOf(schema, formData) as Result[] };
  },
};

export default validator;

/** Errors of keywords that only say that something below them is wrong. */
const OUTER = new Set(["properties", "items", "additionalProperties", "prefixItems", "allOf", "$ref"]);

function errorsOf(schema: RJSFSchema, formData: unknown): RJSFValidationError[] {
  const { errors } = new Validator(plain(schema) as Schema, "2020-12", false).validate(plain(formData ?? null));
  return errors
    .filter(({ keyword }) => !OUTER.has(keyword))
    .map(({ keyword, instanceLocation, error }) => {
      const missing = keyword === "required" ? /"([^"]+)"/.exec(error)?.[1] : undefined;
      const path = instanceLocation.split("/").slice(1).map(unescaped);
      const property = [...path, ...(missing ? [missing] : [])].map((part) => `.${part}`).join("");
      const message = missing ? "It is required." : error;
      return { name: keyword, property, message, stack: message };
    });
}

/** Without what JSON does not know, such as undefined members. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function unescaped(part: string): string {
  return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
}
