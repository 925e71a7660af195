import { Search } from 'lucide-react';
import { classes } from './classes.ts';

/** The search field of a page; `/` leads to it. */
export function SearchField({
  value,
  onChange,
  label,
  className,
}: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  className?: string;
}) {
  return (
    <div className={classes('relative', className)}>
      <Search
        size={14}
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-faint"
      />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="h-8 w-full rounded-md border border-line-strong bg-page pr-2 pl-8 text-sm placeholder:text-faint max-md:h-9 max-md:text-[16px]"
      />
    </div>
  );
}
