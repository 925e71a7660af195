import { useVirtualizer, type Virtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import { classes } from './classes.ts';

/**
 * Rows that exist only while they are near the view: thousands cost what a screenful costs. Heights are measured.
 * As a table it speaks `role="table"` with the full row count, so that screen readers know what is not drawn.
 */
export function VirtualRows<T>({
  rows,
  keyOf,
  estimate,
  render,
  head,
  label,
  role = 'table',
  className,
  foot,
  onReady,
}: {
  rows: readonly T[];
  keyOf: (row: T) => string;
  estimate: (row: T) => number;
  render: (row: T, index: number) => ReactNode;
  head?: ReactNode;
  label: string;
  role?: 'table' | 'list';
  className?: string;
  foot?: ReactNode;
  onReady?: (virtualizer: Virtualizer<HTMLDivElement, Element>) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => {
      const row = rows[index];
      return row === undefined ? 40 : estimate(row);
    },
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : keyOf(row);
    },
    overscan: 12,
  });
  useEffect(() => onReady?.(virtualizer), [onReady, virtualizer]);
  const isTable = role === 'table';
  return (
    <div ref={scroller} className={classes('min-h-0 flex-1 overflow-y-auto', className)}>
      {isTable ? null : head}
      {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role is a table or a list, both take a label */}
      <div role={role} aria-label={label} aria-rowcount={isTable ? rows.length + 1 : undefined}>
        {isTable ? head : null}
        <div
          role={isTable ? 'rowgroup' : 'presentation'}
          className="relative"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {virtualizer.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              // biome-ignore lint/a11y/useAriaPropsSupportedByRole: set only where the role is row
              <div
                key={item.key}
                ref={virtualizer.measureElement}
                data-index={item.index}
                role={isTable ? 'row' : 'listitem'}
                aria-rowindex={isTable ? item.index + 2 : undefined}
                className="absolute top-0 left-0 w-full"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {render(row, item.index)}
              </div>
            );
          })}
        </div>
      </div>
      {foot}
    </div>
  );
}
