import { Dialog } from "@/ui/dialog";
import { ACTION_KEYS, keyNames, PLACES } from "./places";

/** The keys and what they do. */
export function Help({ onClose }: { onClose: () => void }) {
  const rows = [
    ...ACTION_KEYS.map(([keys, , what]) => [keys, what] as const),
    ...PLACES.map(({ keys, name, about }) => [keys, `${name}: ${about.charAt(0).toLowerCase()}${about.slice(1)}`] as const),
  ];
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="grid grid-cols-[max-content_1fr] items-center gap-x-6 gap-y-1.5">
        {rows.map(([keys, what]) => (
          <div key={keys} className="contents">
            <dt>
              <Keys keys={keys} />
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

/** A sequence of keys, drawn as keys. */
export function Keys({ keys }: { keys: string }) {
  return (
    <span className="inline-flex gap-1">
      {keyNames(keys).map((name) => (
        <kbd
          key={name}
          className="inline-block min-w-5 rounded border border-line bg-canvas px-1 text-center font-sans text-2xs leading-[18px] text-soft"
        >
          {name}
        </kbd>
      ))}
    </span>
  );
}
