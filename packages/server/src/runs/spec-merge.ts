import type { ContainerConfig, Healthcheck } from '../platform/engine/engine-types.ts';
import { isNothing } from './spec-equality.ts';

/**
 * What the engine makes of a create body and the image's defaults (moby `daemon/commit.go`, `merge`). The expectation of a
 * comparison: a default that leaked from the old image shows as a difference.
 */
export function mergedConfig(sent: ContainerConfig, image: ContainerConfig): ContainerConfig {
  return {
    ...sent,
    User: firstSet(sent.User, image.User),
    WorkingDir: firstSet(sent.WorkingDir, image.WorkingDir),
    StopSignal: firstSet(sent.StopSignal, image.StopSignal),
    Env: mergedEnv(sent.Env ?? [], image.Env ?? []),
    Labels: { ...image.Labels, ...sent.Labels },
    ExposedPorts: { ...image.ExposedPorts, ...sent.ExposedPorts },
    ...mergedCommand(sent, image),
    Healthcheck: mergedHealthcheck(sent.Healthcheck, image.Healthcheck),
  };
}

function firstSet(own: string | undefined, inherited: string | undefined): string {
  return own === undefined || own === '' ? (inherited ?? '') : own;
}

/** The image's variables that the user did not name, behind the user's. A name alone counts as named. */
function mergedEnv(own: readonly string[], inherited: readonly string[]): string[] {
  const named = new Set(own.map(variableOf));
  return [...own, ...inherited.filter((entry) => !named.has(variableOf(entry)))];
}

function variableOf(entry: string): string {
  return entry.split('=', 1)[0] ?? '';
}

function mergedCommand(
  sent: ContainerConfig,
  image: ContainerConfig,
): { Entrypoint: readonly string[]; Cmd: readonly string[] } {
  const cmd = sent.Cmd ?? [];
  if ((sent.Entrypoint ?? []).length > 0) return { Entrypoint: sent.Entrypoint ?? [], Cmd: cmd };
  return {
    Entrypoint: sent.Entrypoint === null || sent.Entrypoint === undefined ? (image.Entrypoint ?? []) : [],
    Cmd: cmd.length > 0 ? cmd : (image.Cmd ?? []),
  };
}

function mergedHealthcheck(
  own: Healthcheck | null | undefined,
  inherited: Healthcheck | null | undefined,
): Healthcheck | null {
  if (own === null || own === undefined) return inherited ?? null;
  const set = Object.fromEntries(Object.entries(own).filter(([, value]) => !isNothing(value)));
  return { ...inherited, ...set };
}
