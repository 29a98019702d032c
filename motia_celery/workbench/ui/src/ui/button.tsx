import { clsx } from "clsx";
import type { LucideIcon } from "lucide-react";
import type { ComponentProps } from "react";

type Look = "plain" | "primary" | "danger" | "ghost";

const LOOKS: Record<Look, string> = {
  plain: "border border-line bg-panel hover:bg-hover hover:border-line-strong",
  primary: "border border-transparent bg-accent-fill text-white hover:brightness-110",
  danger: "border border-transparent bg-bad-fill text-white hover:brightness-110",
  ghost: "border border-transparent text-soft hover:bg-hover hover:text-ink",
};

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  icon?: LucideIcon;
}

/** A button with words on it, and an icon before them if one is given. */
export function Button({ look = "plain", icon: Icon, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={clsx(
        "inline-flex h-7 shrink-0 items-center justify-center gap-1.5 rounded-md px-2.5 font-medium whitespace-nowrap disabled:opacity-50",
        LOOKS[look],
        className,
      )}
    >
      {Icon && <Icon size={14} aria-hidden />}
      {children}
    </button>
  );
}

interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  label: string;
  icon: LucideIcon;
  look?: Look;
}

/** A button that is an icon alone; its label is read out and shown on hover. */
export function IconButton({ label, icon: Icon, look = "ghost", className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={clsx(
        "inline-flex size-7 shrink-0 items-center justify-center rounded-md disabled:opacity-50",
        LOOKS[look],
        className,
      )}
    >
      <Icon size={15} aria-hidden />
    </button>
  );
}
