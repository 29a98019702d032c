import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { linter } from "@codemirror/lint";
import { Compartment, EditorState, type Extension, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";

export type CodeLanguage = "json" | "python" | "typescript" | "javascript" | "ruby";

export interface CodeProps {
  label: string;
  value: string;
  language: CodeLanguage;
  /** Without it the text can only be read. */
  onChange?: (value: string) => void;
  /** The line to show and to mark, counted from 1. */
  line?: number | null;
  className?: string;
}

const LANGUAGES: Record<CodeLanguage, () => Promise<Extension>> = {
  json: async () => json(),
  python: async () => (await import("@codemirror/lang-python")).python(),
  typescript: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true, jsx: true }),
  javascript: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true }),
  ruby: async () => [],
};

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "transparent", fontSize: "12px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono, ui-monospace, Menlo, Consolas, monospace)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--faint)", border: "none" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 26%, transparent) !important",
  },
  ".cm-matchingBracket": { background: "var(--accent-wash) !important", color: "inherit !important" },
  ".cm-foldPlaceholder": { background: "var(--hover)", border: "none", color: "var(--soft)" },
  ".cm-tooltip": { background: "var(--raised)", border: "1px solid var(--line)", color: "var(--ink)" },
  ".cm-marked": { backgroundColor: "var(--accent-wash)", boxShadow: "inset 2px 0 var(--accent)" },
});

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.variableName)], color: "var(--ink)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--warn)" },
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--accent)" },
  { tag: [tags.comment, tags.meta], color: "var(--faint)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.className, tags.typeName], color: "var(--accent)" },
]);

/**
 * A text with the colours of its language, to read or to edit.
 *
 * It lives in a shadow root: there the editor's styles are sheets made by script, which a content
 * security policy without inline styles allows.
 */
export function Code({ label, value, language, onChange, line, className }: CodeProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  const readOnly = !onChange;

  useEffect(() => {
    const shadow = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    const grammar = new Compartment();
    const editor = new EditorView({
      parent: shadow,
      root: shadow,
      state: EditorState.create({
        doc: value,
        extensions: [
          basics(),
          grammar.of([]),
          EditorView.contentAttributes.of({ "aria-label": label, ...(readOnly ? { tabindex: "0", "aria-readonly": "true" } : {}) }),
          readOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : editing(language),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    let isGone = false;
    void LANGUAGES[language]().then((extension) => {
      if (!isGone) editor.dispatch({ effects: grammar.reconfigure(extension) });
    });
    return () => {
      isGone = true;
      editor.destroy();
    };
  }, [label, language, readOnly]);

  useEffect(() => {
    const editor = view.current!;
    const { doc } = editor.state;
    if (doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    if (line) mark(view.current!, line);
  }, [line, value, label, language, readOnly]);

  return <div ref={host} className={className} />;
}

function basics(): Extension {
  return [
    lineNumbers(),
    foldGutter(),
    highlightSpecialChars(),
    drawSelection(),
    bracketMatching(),
    syntaxHighlighting(colors),
    markedLine,
    theme,
  ];
}

function editing(language: CodeLanguage): Extension {
  return [
    history(),
    closeBrackets(),
    indentOnInput(),
    EditorView.lineWrapping,
    language === "json" ? linter(forgiving(jsonParseLinter())) : [],
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap]),
  ];
}

/** An empty text is no fault: nothing is sent then. */
function forgiving(lint: ReturnType<typeof jsonParseLinter>): ReturnType<typeof jsonParseLinter> {
  return (editor) => (editor.state.doc.toString().trim() ? lint(editor) : []);
}

const setMarked = StateEffect.define<number>();

const markedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(decorations, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setMarked)) return Decoration.set(Decoration.line({ class: "cm-marked" }).range(effect.value));
    }
    return decorations.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

function mark(editor: EditorView, wanted: number): void {
  const { from } = editor.state.doc.line(Math.min(Math.max(wanted, 1), editor.state.doc.lines));
  editor.dispatch({ effects: [setMarked.of(from), EditorView.scrollIntoView(from, { y: "center" })] });
}
