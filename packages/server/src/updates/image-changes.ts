import type { ConfigChange } from '@evenkeel/contract';

/** Durations in nanoseconds, as the Engine API and the OCI configuration have them; 0 and absent mean the engine's default. */
export interface HealthDefaults {
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** The defaults that an image brings, as engines and registries both write them. */
export interface ImageDefaults {
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly User?: string | null;
  readonly WorkingDir?: string | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Healthcheck?: HealthDefaults | null;
  readonly StopSignal?: string | null;
}

export interface LayerDelta {
  readonly downloadBytes: number;
  readonly newLayers: number;
  readonly sharedLayers: number;
}

const mostChanges = 100;
const longestValue = 500;
const longestName = 200;
const longestKept = 2000;
const mostKept = 1000;
/** Labels that differ in every build and say nothing about how the image behaves. */
const noise = /^(?:org\.opencontainers\.image\.|org\.label-schema\.|build[_.-]?(?:date|version)$|maintainer$)/i;

/** What is kept of the defaults of an image that somebody else wrote: not more than anybody means seriously. */
export function boundDefaults(defaults: ImageDefaults): ImageDefaults {
  return bound(defaults) as ImageDefaults;
}

function bound(value: unknown): unknown {
  if (typeof value === 'string') return cut(value, longestKept);
  if (Array.isArray(value)) return value.slice(0, mostKept).map(bound);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).slice(0, mostKept);
  return Object.fromEntries(entries.map(([name, part]) => [cut(name, longestKept), bound(part)]));
}

/** What differs between the defaults of two images, field by field, in a fixed order. */
export function configChanges(running: ImageDefaults, candidate: ImageDefaults): ConfigChange[] {
  const from = boundDefaults(running);
  const to = boundDefaults(candidate);
  const changes: ConfigChange[] = [];
  const note = (field: string, before: string | null, after: string | null) => {
    if (before === after || changes.length >= mostChanges) return;
    changes.push({ field: cut(field, longestName), from: cutValue(before), to: cutValue(after) });
  };
  note('entrypoint', words(from.Entrypoint), words(to.Entrypoint));
  note('cmd', words(from.Cmd), words(to.Cmd));
  note('user', from.User || null, to.User || null);
  note('workdir', from.WorkingDir || null, to.WorkingDir || null);
  note('ports', names(from.ExposedPorts), names(to.ExposedPorts));
  note('volumes', names(from.Volumes), names(to.Volumes));
  note('healthcheck', words(from.Healthcheck?.Test), words(to.Healthcheck?.Test));
  noteHealthTimes(note, from.Healthcheck, to.Healthcheck);
  note('stopsignal', from.StopSignal || null, to.StopSignal || null);
  const before = environment(from.Env);
  const after = environment(to.Env);
  for (const name of keys(before, after)) note(`env.${name}`, before.get(name) ?? null, after.get(name) ?? null);
  const oldLabels = new Map(Object.entries(from.Labels ?? {}));
  const newLabels = new Map(Object.entries(to.Labels ?? {}));
  for (const name of keys(oldLabels, newLabels)) {
    if (!noise.test(name)) note(`labels.${name}`, oldLabels.get(name) ?? null, newLabels.get(name) ?? null);
  }
  return changes;
}

/** Where one of them has no check at all, that alone says enough. */
function noteHealthTimes(
  note: (field: string, before: string | null, after: string | null) => void,
  from: HealthDefaults | null | undefined,
  to: HealthDefaults | null | undefined,
): void {
  if (!from?.Test?.length || !to?.Test?.length) return;
  const seconds = (value: number | undefined) => (value ? `${value / 1e9}s` : null);
  note('healthcheck.interval', seconds(from.Interval), seconds(to.Interval));
  note('healthcheck.timeout', seconds(from.Timeout), seconds(to.Timeout));
  note('healthcheck.start-period', seconds(from.StartPeriod), seconds(to.StartPeriod));
  note('healthcheck.start-interval', seconds(from.StartInterval), seconds(to.StartInterval));
  note('healthcheck.retries', from.Retries ? `${from.Retries}` : null, to.Retries ? `${to.Retries}` : null);
}

/**
 * What has to be fetched. An engine re-uses layers from the bottom up, as long as they are the same; `diffIds` are those of
 * the uncompressed layers. Undefined where the two lists of the new image do not fit together.
 */
export function layerDelta(
  running: readonly string[],
  diffIds: readonly string[],
  sizes: readonly number[],
): LayerDelta | undefined {
  if (diffIds.length !== sizes.length) return undefined;
  let shared = 0;
  while (shared < diffIds.length && diffIds[shared] === running[shared]) shared += 1;
  return {
    downloadBytes: sizeOf(sizes.slice(shared)) ?? 0,
    newLayers: sizes.length - shared,
    sharedLayers: shared,
  };
}

/** Compressed size of all layers in bytes; null where none is known. */
export function sizeOf(sizes: readonly number[]): number | null {
  return sizes.length === 0 ? null : sizes.reduce((total, size) => total + size, 0);
}

/** Both values are cut at the same place: two long ones that differ further on look alike, but are said to differ. */
function cutValue(text: string | null): string | null {
  return text === null ? null : cut(text, longestValue);
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

function words(list: readonly string[] | null | undefined): string | null {
  return list && list.length > 0
    ? list.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')
    : null;
}

function names(map: Readonly<Record<string, object>> | null | undefined): string | null {
  const list = Object.keys(map ?? {}).sort();
  return list.length === 0 ? null : list.join(', ');
}

function environment(list: readonly string[] | null | undefined): Map<string, string> {
  return new Map(
    (list ?? []).map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function keys(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].sort();
}
