import { CircleAlert, Info, type LucideIcon, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { classes } from './classes.ts';

/** The head of a page: its title, what counts, and what can be done. */
export function PageHead({
  title,
  note,
  actions,
  children,
}: {
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <header className="shrink-0 border-b border-line px-4 pt-3 pb-3 md:px-6">
      <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="min-w-0 truncate text-xl font-semibold tracking-tight">{title}</h1>
        {note ? <div className="min-w-0 truncate text-sm text-faint">{note}</div> : null}
        {actions ? <div className="ml-auto flex items-center gap-2">{actions}</div> : null}
      </div>
      {children}
    </header>
  );
}

/** What is shown where there is nothing: why, and what to do next. */
export function EmptyState({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon: LucideIcon;
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center px-6 py-16 text-center">
      <div className="mb-3 grid size-11 place-items-center rounded-full border border-line-strong bg-surface text-muted">
        <Icon size={20} aria-hidden />
      </div>
      <h2 className="text-lg font-semibold">{title}</h2>
      {children ? <div className="mt-1 text-sm text-muted break-words">{children}</div> : null}
      {action ? <div className="mt-4">{action}</div> : null}
    </div>
  );
}

const tones = {
  info: { icon: Info, box: 'border-line-strong bg-surface', ink: 'text-accent' },
  warn: { icon: TriangleAlert, box: 'border-warn/40 bg-warn-soft', ink: 'text-warn' },
  bad: { icon: CircleAlert, box: 'border-bad/40 bg-bad-soft', ink: 'text-bad' },
} as const;

/** A message that stays: a sentence, and what to do about it. */
export function Callout({
  tone,
  title,
  children,
  className,
}: {
  tone: keyof typeof tones;
  title: ReactNode;
  children?: ReactNode;
  className?: string;
}) {
  const { icon: Icon, box, ink } = tones[tone];
  return (
    <div className={classes('flex items-start gap-2.5 rounded-lg border px-3 py-2.5', box, className)}>
      <Icon size={16} aria-hidden className={classes('mt-0.5 shrink-0', ink)} />
      <div className="min-w-0 flex-1 text-sm break-words">
        <div className="font-medium">{title}</div>
        {children ? <div className="mt-0.5 text-muted">{children}</div> : null}
      </div>
    </div>
  );
}

/** A titled block. */
export function Section({ title, note, children }: { title: ReactNode; note?: ReactNode; children: ReactNode }) {
  return (
    <section className="rounded-lg border border-line bg-surface">
      <header className="flex items-baseline gap-2 border-b border-line px-4 py-2">
        <h2 className="text-sm font-semibold">{title}</h2>
        {note ? <div className="text-xs text-faint">{note}</div> : null}
      </header>
      <div className="px-4 py-3">{children}</div>
    </section>
  );
}

/** Names and values, aligned. What has no value is left out. */
export function Facts({ rows }: { rows: readonly (readonly [label: string, value: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(6.5rem,max-content)_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-sm">
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([label, value]) => (
          <div key={label} className="col-span-2 grid grid-cols-subgrid">
            <dt className="text-faint">{label}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Mono({ children, className }: { children: ReactNode; className?: string }) {
  return <span className={classes('font-mono text-xs tabular-nums', className)}>{children}</span>;
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="rounded border border-line-strong bg-page px-1.5 py-px font-mono text-2xs text-muted">
      {children}
    </kbd>
  );
}
