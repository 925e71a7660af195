import { LoaderCircle, type LucideIcon } from 'lucide-react';
import type { ComponentProps } from 'react';
import { classes } from './classes.ts';
import { Hint } from './hint.tsx';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const looks: Record<Look, string> = {
  primary: 'bg-accent-fill text-on-accent border-transparent hover:brightness-110',
  plain: 'bg-raised text-text border-line-strong hover:bg-hover',
  quiet: 'bg-transparent text-muted border-transparent hover:bg-hover hover:text-text',
  danger: 'bg-bad-fill text-on-accent border-transparent hover:brightness-110',
};

const base =
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap select-none ' +
  'transition-colors disabled:opacity-50 disabled:hover:brightness-100';

export interface ButtonProps extends ComponentProps<'button'> {
  look?: Look;
  size?: 'sm' | 'md';
  icon?: LucideIcon;
  /** Shows a spinner and takes no click; the label stays. */
  busy?: boolean;
}

/** A button with a label. */
export function Button({ look = 'plain', size = 'md', icon: Icon, busy, className, children, ...rest }: ButtonProps) {
  const Shown = busy ? LoaderCircle : Icon;
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
      className={classes(base, looks[look], size === 'sm' ? 'h-7 px-2 text-xs' : 'h-8 px-3 text-sm', className)}
    >
      {Shown ? <Shown size={14} aria-hidden className={busy ? 'animate-spin' : undefined} /> : null}
      {children}
    </button>
  );
}

/** A button that is only an icon: its label is read aloud and shown on hover. */
export function IconButton({
  label,
  icon: Icon,
  look = 'quiet',
  size = 'md',
  busy,
  className,
  ...rest
}: ComponentProps<'button'> & { label: string; icon: LucideIcon; look?: Look; size?: 'sm' | 'md'; busy?: boolean }) {
  const Shown = busy ? LoaderCircle : Icon;
  return (
    <Hint text={label}>
      <button
        type="button"
        aria-label={label}
        {...rest}
        disabled={rest.disabled || busy}
        className={classes(base, looks[look], size === 'sm' ? 'size-7' : 'size-8', className)}
      >
        <Shown size={15} aria-hidden className={busy ? 'animate-spin' : undefined} />
      </button>
    </Hint>
  );
}
