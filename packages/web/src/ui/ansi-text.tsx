import type { CSSProperties } from 'react';
import type { MarkedSpan } from '../lib/ansi.ts';

function colour(value: number | string | undefined): string | undefined {
  return typeof value === 'number' ? `var(--ansi-${value})` : value;
}

/** Output with its colours. Text nodes only: whatever stands in it, it stays text. */
export function AnsiText({ spans }: { spans: readonly MarkedSpan[] }) {
  return spans.map((span, index) => {
    const style: CSSProperties = {};
    const foreground = colour(span.foreground);
    const background = colour(span.background);
    if (foreground) style.color = foreground;
    if (background) {
      style.backgroundColor = background;
      if (!foreground) style.color = 'var(--page)';
    }
    if (span.bold) style.fontWeight = 600;
    if (span.dim && !foreground) style.color = 'var(--faint)';
    if (span.italic) style.fontStyle = 'italic';
    if (span.underline) style.textDecoration = 'underline';
    if (span.strike) style.textDecoration = 'line-through';
    if (span.hit) {
      style.backgroundColor = 'var(--hit)';
      style.color = 'var(--on-hit)';
    }
    const Tag = span.hit ? 'mark' : 'span';
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one line have no other identity
      <Tag key={index} style={style}>
        {span.text}
      </Tag>
    );
  });
}
