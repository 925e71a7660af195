import type { ReactNode } from 'react';
import { classes } from './classes.ts';

export type Shape = 'disc' | 'ring' | 'square' | 'bars' | 'triangle' | 'cross' | 'turning' | 'check' | 'dash';
export type Tone = 'ok' | 'warn' | 'bad' | 'accent' | 'quiet';

const inks: Record<Tone, string> = {
  ok: 'text-ok',
  warn: 'text-warn',
  bad: 'text-bad',
  accent: 'text-accent',
  quiet: 'text-faint',
};

const shapes: Record<Shape, ReactNode> = {
  disc: <circle cx="5" cy="5" r="4" fill="currentColor" />,
  ring: <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  square: (
    <rect x="1.75" y="1.75" width="6.5" height="6.5" rx="1" fill="none" stroke="currentColor" strokeWidth="1.5" />
  ),
  bars: <path d="M3 1.5v7M7 1.5v7" stroke="currentColor" strokeWidth="2" />,
  triangle: <path d="M5 1 9.500 9h-9z" fill="currentColor" />,
  cross: <path d="m2 2 6 6m0-6-6 6" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />,
  turning: (
    <path
      d="M5 1.200A3.800 3.800 0 1 1 1.200 5"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
    />
  ),
  check: (
    <path
      d="m1.500 5.300 2.400 2.400L8.500 2.500"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
    />
  ),
  dash: <path d="M2 5h6" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />,
};

/** A state: always a word and a shape, the colour only helps. */
export function Mark({
  shape,
  tone,
  children,
  className,
}: {
  shape: Shape;
  tone: Tone;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span className={classes('inline-flex min-w-0 items-center gap-1.5 whitespace-nowrap', className)}>
      <svg
        viewBox="0 0 10 10"
        width="10"
        height="10"
        aria-hidden="true"
        className={classes('shrink-0', inks[tone], shape === 'turning' && 'animate-spin')}
      >
        {shapes[shape]}
      </svg>
      <span className={classes('truncate', tone === 'quiet' ? 'text-muted' : inks[tone])}>{children}</span>
    </span>
  );
}
