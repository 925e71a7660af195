import type { LucideIcon } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { classes } from './classes.ts';

export interface MenuItem {
  label: string;
  icon?: LucideIcon;
  onSelect: () => void;
  disabled?: boolean;
  danger?: boolean;
  /** Draws a line above. */
  apart?: boolean;
}

/** A menu that opens at its trigger. */
export function Menu({
  trigger,
  items,
  align = 'end',
}: {
  trigger: ReactNode;
  items: MenuItem[];
  align?: 'start' | 'end';
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-44 rounded-lg border border-line-strong bg-raised p-1 shadow-float animate-appear"
        >
          {items.map((item) => (
            <div key={item.label}>
              {item.apart ? <DropdownMenu.Separator className="my-1 h-px bg-line" /> : null}
              <DropdownMenu.Item
                disabled={item.disabled ?? false}
                onSelect={item.onSelect}
                className={classes(
                  'flex h-8 cursor-pointer items-center gap-2 rounded-md px-2 text-sm outline-none select-none',
                  'data-highlighted:bg-hover data-disabled:cursor-not-allowed data-disabled:opacity-50',
                  item.danger ? 'text-bad' : 'text-text',
                )}
              >
                {item.icon ? <item.icon size={14} aria-hidden className="text-muted" /> : null}
                {item.label}
              </DropdownMenu.Item>
            </div>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
