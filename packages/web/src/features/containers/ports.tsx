import type { PortMapping } from '@evenkeel/contract';
import { Hint } from '../../ui/hint.tsx';
import { Mono } from '../../ui/panel.tsx';

/** The published ports, each once: IPv4 and IPv6 of one port are one. */
export function publishedPorts(ports: readonly PortMapping[]): string[] {
  const shown = new Set<string>();
  for (const { publicPort, privatePort, protocol } of [...ports].sort(
    (a, b) => (a.publicPort ?? 0) - (b.publicPort ?? 0),
  )) {
    if (publicPort === null) continue;
    const suffix = protocol === 'tcp' ? '' : `/${protocol}`;
    shown.add(publicPort === privatePort ? `${publicPort}${suffix}` : `${publicPort}→${privatePort}${suffix}`);
  }
  return [...shown];
}

export function Ports({ ports }: { ports: readonly PortMapping[] }) {
  const shown = publishedPorts(ports);
  if (shown.length === 0) return null;
  const [first, ...others] = shown;
  return (
    <Mono className="truncate text-muted">
      {first}
      {others.length > 0 ? (
        <Hint text={others.join(', ')}>
          <span className="text-faint"> +{others.length}</span>
        </Hint>
      ) : null}
    </Mono>
  );
}
