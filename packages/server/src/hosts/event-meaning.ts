import type { Clock } from '../platform/clock.ts';
import type { EngineEvent, EngineInfo } from '../platform/engine/engine-types.ts';

/** Events that change nothing that an inspect would show, and come with every health check. */
const silentActions = /^(exec_|attach|detach|resize|top|export|copy|archive-path|extract-to-dir)/;
/** What changes which images the engine has, or how they are called. Podman says `remove` and `loadFromArchive`. */
const imageActions = new Set([
  ...['pull', 'tag', 'untag', 'delete', 'load', 'import', 'prune', 'create', 'remove', 'loadFromArchive'],
]);

/** The container that an event is about; undefined where an inspect would show nothing new. */
export function containerOf({ Type, Action, Actor }: EngineEvent): string | undefined {
  if (Type === 'container') return silentActions.test(Action) ? undefined : Actor.ID;
  if (Type === 'network' && (Action === 'connect' || Action === 'disconnect')) return Actor.Attributes['container'];
  return undefined;
}

/** True when the engine's images may be others after it. */
export function changesImages({ Type, Action }: EngineEvent): boolean {
  return Type === 'image' && imageActions.has(Action);
}

/** Events from just before the listing on, in the engine's own time: nothing falls between the two. */
export function eventsSince(info: EngineInfo, clock: Clock): string {
  const engineTime = Date.parse(info.SystemTime ?? '');
  const from = (Number.isNaN(engineTime) ? clock.now() : engineTime) - 1000;
  return (from / 1000).toFixed(3);
}
