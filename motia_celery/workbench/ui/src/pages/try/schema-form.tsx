import "./schema-form.css";
import Form from "@rjsf/core";
import type { IconButtonProps, RJSFSchema, UiSchema } from "@rjsf/utils";
import { ArrowDown, ArrowUp, Copy, type LucideIcon, Plus, X } from "lucide-react";
import { IconButton } from "@/ui/button";
import { validator } from "./validator";

interface SchemaFormProps {
  schema: Record<string, unknown>;
  value: unknown;
  onChange: (value: unknown) => void;
}

const QUIET: UiSchema = { "ui:submitButtonOptions": { norender: true }, "ui:options": { label: false } };

/** A form made from a JSON Schema. What does not fit is marked, but can be sent all the same. */
export function SchemaForm({ schema, value, onChange }: SchemaFormProps) {
  return (
    <Form
      tagName="div"
      className="schema-form"
      schema={schema as RJSFSchema}
      uiSchema={QUIET}
      formData={value}
      validator={validator}
      templates={{ ButtonTemplates: BUTTONS }}
      liveValidate="onBlur"
      showErrorList={false}
      noHtml5Validate
      onChange={(event) => onChange(event.formData)}
    />
  );
}

function button(icon: LucideIcon, label: string) {
  return function TemplateButton({ onClick, disabled }: IconButtonProps) {
    return <IconButton icon={icon} label={label} look="plain" disabled={disabled} onClick={onClick} />;
  };
}

const BUTTONS = {
  AddButton: button(Plus, "Add"),
  RemoveButton: button(X, "Remove"),
  CopyButton: button(Copy, "Duplicate"),
  MoveUpButton: button(ArrowUp, "Move up"),
  MoveDownButton: button(ArrowDown, "Move down"),
  ClearButton: button(X, "Clear"),
};
