import { useMutation } from "@tanstack/react-query";
import { Zap } from "lucide-react";
import { useState } from "react";
import { API, api, taken } from "@/api/client";
import type { Topic } from "@/api/shapes";
import { curlOf } from "@/logic/curl";
import { parsed, pretty, sample } from "@/logic/json";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/fields";
import { CopyButton } from "@/ui/json-view";
import { tellError } from "@/ui/toast";
import { JsonInput } from "./json-input";
import { RecentInputs } from "./recent-inputs";
import { TraceLive } from "./trace-live";
import { useRecent } from "./use-recent";

/** A form that emits an event of one topic. */
export function TopicTry({ topic }: { topic: Topic }) {
  const [text, setText] = useState(() => pretty(topic.input_schema ? sample(topic.input_schema) : {}));
  const [delay, setDelay] = useState("0");
  const recent = useRecent(`topic ${topic.topic}`);
  const result = parsed(text);
  const body = { data: "value" in result ? (result.value ?? null) : null, delay_seconds: Number(delay) || 0 };
  const emit = useMutation({
    mutationFn: () => taken(api.POST("/topics/{topic}/emit", { params: { path: { topic: topic.topic } }, body })),
    onSuccess: () => recent.add("emitted", text),
    onError: tellError,
  });
  const path = `${API}/topics/${encodeURIComponent(topic.topic)}/emit`;
  const curl = curlOf({ method: "POST", path, params: {}, query: [], headers: [], body: JSON.stringify(body) }, location.origin);
  return (
    <form
      // What does not fit is marked by the form of the schema, and sent all the same.
      noValidate
      className="flex flex-col gap-5 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        emit.mutate();
      }}
    >
      <div className="flex flex-wrap items-center gap-2">
        <code className="min-w-0 flex-1 font-mono break-all">{topic.topic}</code>
        <CopyButton label="Copy as curl" text={curl} worded />
        <Button type="submit" look="primary" icon={Zap} disabled={emit.isPending || "fault" in result}>
          Emit
        </Button>
      </div>
      <p className="-mt-2 text-soft">
        {topic.heard_by?.length ? `Heard by ${topic.heard_by.join(", ")}` : "No Step hears this topic: the event goes nowhere."}
      </p>
      <JsonInput title="Data" text={text} schema={topic.input_schema ?? null} onChange={setText} />
      {"fault" in result && <p className="-mt-3 text-xs text-bad">This is no JSON: {result.fault}</p>}
      <TextField label="Delay in seconds" type="number" min={0} step="any" value={delay} onChange={(event) => setDelay(event.target.value)} className="w-40" />
      {emit.data && <TraceLive trace={emit.data.trace_id} />}
      <RecentInputs recent={recent.list} onChoose={(input) => setText(String(input))} />
    </form>
  );
}
