import { lazy, Suspense, useState } from "react";
import { parsed, pretty } from "@/logic/json";
import { Editor } from "@/ui/editor";
import { Loading } from "@/ui/empty";
import { Tabs } from "@/ui/fields";
import { Section } from "@/ui/page";

const SchemaForm = lazy(async () => ({ default: (await import("./schema-form")).SchemaForm }));

interface JsonInputProps {
  title: string;
  text: string;
  schema: Record<string, unknown> | null;
  onChange: (text: string) => void;
}

/** A JSON value, to type in or to fill in by a form made from its schema. */
export function JsonInput({ title, text, schema, onChange }: JsonInputProps) {
  const [wanted, setWanted] = useState<"form" | "json">(schema ? "form" : "json");
  const result = parsed(text);
  const view = schema && !("fault" in result) ? wanted : "json";
  return (
    <Section
      title={title}
      aside={
        schema && (
          <Tabs
            label={`${title} as`}
            tabs={[
              ["form", "Form"],
              ["json", "JSON"],
            ]}
            value={view}
            onChange={setWanted}
          />
        )
      }
    >
      {view === "form" && schema && "value" in result ? (
        <Suspense fallback={<Loading />}>
          <SchemaForm schema={schema} value={result.value} onChange={(value) => onChange(value === undefined ? "" : pretty(value, Number.POSITIVE_INFINITY))} />
        </Suspense>
      ) : (
        <Editor label={title} value={text} language="json" onChange={onChange} className="h-56" />
      )}
    </Section>
  );
}
