/** The mark of the product: a hull on the water line. */
export function Logo({ size }: { size: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" className="shrink-0 text-accent">
      <path d="M5 13h22M16 5v5" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" />
      <path d="M7 17c1.200 6 4.600 9 9 9s7.800-3 9-9z" fill="currentColor" />
    </svg>
  );
}
