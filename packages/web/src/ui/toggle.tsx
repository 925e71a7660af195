import { Check, Minus } from 'lucide-react';
import { Checkbox as RadixCheckbox, Switch } from 'radix-ui';
import { type ReactNode, useId } from 'react';

/** A box to tick. `mixed` where only part of what it stands for is ticked. */
export function Checkbox({
  checked,
  onChange,
  label,
  disabled,
}: {
  checked: boolean | 'mixed';
  onChange: (checked: boolean) => void;
  label: string;
  disabled?: boolean;
}) {
  const value = checked === 'mixed' ? 'indeterminate' : checked;
  return (
    <RadixCheckbox.Root
      aria-label={label}
      checked={value}
      disabled={disabled ?? false}
      onCheckedChange={(next) => onChange(next === true)}
      className="relative grid size-4 shrink-0 place-items-center rounded border border-line-strong bg-page before:absolute before:-inset-2.5 before:content-[''] data-[state=checked]:border-accent-fill data-[state=checked]:bg-accent-fill data-[state=indeterminate]:border-accent-fill data-[state=indeterminate]:bg-accent-fill"
    >
      <RadixCheckbox.Indicator className="text-on-accent">
        {checked === 'mixed' ? <Minus size={12} aria-hidden /> : <Check size={12} strokeWidth={3} aria-hidden />}
      </RadixCheckbox.Indicator>
    </RadixCheckbox.Root>
  );
}

/** On or off, at once. */
export function SwitchField({
  checked,
  onChange,
  label,
  hint,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  hint?: ReactNode;
}) {
  const id = useId();
  return (
    <div className="flex items-start gap-3">
      <div className="min-w-0 flex-1">
        <label htmlFor={id} className="text-sm font-medium">
          {label}
        </label>
        {hint ? <p className="text-xs text-faint">{hint}</p> : null}
      </div>
      <Switch.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        className="mt-0.5 h-5 w-9 shrink-0 rounded-full border border-line-strong bg-page transition-colors data-[state=checked]:border-accent-fill data-[state=checked]:bg-accent-fill"
      >
        <Switch.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-muted transition-transform data-[state=checked]:translate-x-[1.125rem] data-[state=checked]:bg-on-accent" />
      </Switch.Root>
    </div>
  );
}

/** A filter that can be on: its word, and how many it would leave. */
export function FilterChip({
  label,
  count,
  on,
  onToggle,
}: {
  label: string;
  count: number;
  on: boolean;
  onToggle: () => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onToggle}
      className={`inline-flex h-7 shrink-0 items-center gap-1.5 rounded-full border px-2.5 text-xs whitespace-nowrap transition-colors ${
        on ? 'border-accent bg-accent-soft text-accent' : 'border-line-strong text-muted hover:bg-hover hover:text-text'
      }`}
    >
      {label}
      <span className={`tabular-nums ${on ? 'text-accent' : 'text-faint'}`}>{count}</span>
    </button>
  );
}
