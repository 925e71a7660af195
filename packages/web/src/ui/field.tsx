import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, type ReactNode, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { classes } from './classes.ts';

const control =
  'w-full rounded-md border border-line-strong bg-page px-2.5 text-text placeholder:text-faint ' +
  'aria-invalid:border-bad disabled:opacity-60 max-md:text-[16px]';

interface FieldParts {
  label: string;
  /** Said quietly behind the label, for example "optional". */
  note?: string | undefined;
  hint?: ReactNode;
  error?: string | undefined;
}

function Frame({ id, label, note, hint, error, children }: FieldParts & { id: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
        {note ? <span className="ml-1.5 font-normal text-faint">{note}</span> : null}
      </label>
      {children}
      {error ? (
        <p id={`${id}-error`} className="text-xs text-bad" role="alert">
          {error}
        </p>
      ) : null}
      {hint ? (
        <div id={`${id}-hint`} className="text-xs text-faint">
          {hint}
        </div>
      ) : null}
    </div>
  );
}

function described(id: string, { hint, error }: FieldParts) {
  return classes(error && `${id}-error`, hint ? `${id}-hint` : null) || undefined;
}

/** One line of text with its label, hint and error. */
export function TextField({ label, note, hint, error, className, ...rest }: FieldParts & ComponentProps<'input'>) {
  const id = useId();
  const parts = { label, note, hint, error };
  return (
    <Frame id={id} {...parts}>
      <input
        id={id}
        {...rest}
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, parts)}
        className={classes(control, 'h-9', className)}
      />
    </Frame>
  );
}

/** A password that can be shown. */
export function PasswordField({ label, note, hint, error, ...rest }: FieldParts & ComponentProps<'input'>) {
  const id = useId();
  const { t } = useTranslation();
  const [shown, setShown] = useState(false);
  const parts = { label, note, hint, error };
  const Icon = shown ? EyeOff : Eye;
  return (
    <Frame id={id} {...parts}>
      <div className="relative">
        <input
          id={id}
          {...rest}
          type={shown ? 'text' : 'password'}
          aria-invalid={error ? true : undefined}
          aria-describedby={described(id, parts)}
          className={classes(control, 'h-9 pr-9')}
        />
        <button
          type="button"
          aria-label={shown ? t('common.hidePassword') : t('common.showPassword')}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
          className="absolute inset-y-1 right-1 grid w-7 place-items-center rounded text-muted hover:bg-hover hover:text-text"
        >
          <Icon size={15} aria-hidden />
        </button>
      </div>
    </Frame>
  );
}

/** Several lines of text. */
export function TextArea({ label, note, hint, error, ...rest }: FieldParts & ComponentProps<'textarea'>) {
  const id = useId();
  const parts = { label, note, hint, error };
  return (
    <Frame id={id} {...parts}>
      <textarea
        id={id}
        {...rest}
        aria-invalid={error ? true : undefined}
        aria-describedby={described(id, parts)}
        className={classes(control, 'min-h-20 py-1.5 font-mono text-xs')}
      />
    </Frame>
  );
}

/** A choice of few. The browser's own control: it is right on a phone and for the keyboard. */
export function SelectField({ label, note, hint, error, children, ...rest }: FieldParts & ComponentProps<'select'>) {
  const id = useId();
  const parts = { label, note, hint, error };
  return (
    <Frame id={id} {...parts}>
      <select id={id} {...rest} aria-describedby={described(id, parts)} className={classes(control, 'h-9')}>
        {children}
      </select>
    </Frame>
  );
}
