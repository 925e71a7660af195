import type { ReactNode } from 'react';

/*
 * The roles of a table on elements that can be placed freely: the rows of a virtual table are positioned one by one,
 * which <table>, <tr> and <td> do not allow.
 */

export function Cell({ className, children }: { className?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div role="cell" className={className}>
      {children}
    </div>
  );
}

export function HeaderCell({
  className,
  sort,
  children,
}: {
  className?: string | undefined;
  sort?: 'ascending' | 'descending' | undefined;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: the button in it takes the focus
    <div role="columnheader" aria-sort={sort} className={className}>
      {children}
    </div>
  );
}

export function HeaderRow({ className, children }: { className: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    <div role="rowgroup" className="sticky top-0 z-10">
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: rows take no focus, their buttons do */}
      <div role="row" aria-rowindex={1} className={className}>
        {children}
      </div>
    </div>
  );
}
