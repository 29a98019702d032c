// The rules of Tailwind's classes that a component uses, as those of Motia's own Workbench do.
import { compile } from 'tailwindcss';
import theme from 'tailwindcss/theme.css';

// Dark is what the page shows: the theme that was chosen, else the system's.
const DARK = `@custom-variant dark {
  @media (prefers-color-scheme: dark) { &:where(:root:not([data-theme="light"]) *) { @slot; } }
  &:where([data-theme="dark"] *) { @slot; }
}`;

// The names that Motia's Workbench has for colours, in the colours of the page.
const COLORS = {
  background: 'canvas',
  foreground: 'ink',
  card: 'panel',
  'card-foreground': 'ink',
  popover: 'raised',
  'popover-foreground': 'ink',
  muted: 'hover',
  'muted-foreground': 'soft',
  primary: 'accent',
  'primary-foreground': 'canvas',
  secondary: 'hover',
  'secondary-foreground': 'ink',
  accent: 'accent-wash',
  'accent-foreground': 'ink',
  destructive: 'bad',
  border: 'line',
  input: 'line-strong',
  ring: 'accent',
};

const NAMES = Object.entries(COLORS).map(([name, color]) => `--color-${name}: var(--${color});`);

// What looks like a class is one if Tailwind knows it.
const WORDS = /[^\s"'`{};\\]+/g;

// The rules count inside of elements of the class `scope` alone.
export async function styleOf(sources, scope) {
  const { build } = await compile(`${theme}\n${DARK}\n@theme inline { ${NAMES.join(' ')} }\n.${scope} { @tailwind utilities; }`);
  const css = build([...new Set(sources.flatMap((source) => source.match(WORDS) ?? []))]);
  return css.replace(':root, :host {', `.${scope} {`);
}
