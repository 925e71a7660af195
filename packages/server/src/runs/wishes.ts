import { Gate, type Strategy } from '@evenkeel/contract';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';

/** `evenkeel.strategy`: `recreate` or `start-first`. What was asked for in the request wins. */
export function strategyOf(container: ContainerInspect, asked: Strategy | null): Strategy {
  if (asked !== null) return asked;
  return labelOf(container, 'evenkeel.strategy') === 'start-first' ? 'start-first' : 'recreate';
}

/**
 * The gate: what was asked for, else the labels, else the setting.
 *
 * `evenkeel.gate.seconds=30`, `evenkeel.gate.http=8080/health` (port, path, `8080/health=204` with the status),
 * `evenkeel.gate.tcp=5432`, `evenkeel.gate.timeout=120`. A label that does not read so is left out.
 */
export function gateOf(container: ContainerInspect, asked: Gate | null, defaultSeconds: number): Gate {
  const seconds = numberLabel(container, 'evenkeel.gate.seconds');
  const timeoutSeconds = numberLabel(container, 'evenkeel.gate.timeout');
  const port = numberLabel(container, 'evenkeel.gate.tcp');
  const http = httpLabel(labelOf(container, 'evenkeel.gate.http'));
  const parts: Record<string, unknown> = {
    seconds,
    timeoutSeconds,
    tcp: port === undefined ? undefined : { port },
    http,
  };
  const fromLabels: Record<string, unknown> = { seconds: defaultSeconds };
  for (const [name, value] of Object.entries(parts)) {
    if (value !== undefined && Gate.safeParse({ [name]: value }).success) fromLabels[name] = value;
  }
  return Gate.parse({ ...fromLabels, ...asked });
}

function httpLabel(text: string | undefined): object | undefined {
  const match = /^(\d+)(\/[^=]*)?(?:=(\d{3}))?$/.exec(text ?? '');
  if (match === null) return undefined;
  const [, port, path = '/', status] = match;
  return { port: Number(port), path, ...(status === undefined ? {} : { status: Number(status) }) };
}

function numberLabel(container: ContainerInspect, name: string): number | undefined {
  const text = labelOf(container, name);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function labelOf(container: ContainerInspect, name: string): string | undefined {
  return container.Config.Labels?.[name]?.trim();
}
