import type { Hosts } from '../hosts/index.ts';
import type { Clock } from '../platform/clock.ts';
import { isUnreachable } from './wait-for-engine.ts';

/** A container was stopped through its engine while it was being checked: by a person, or by an engine that shuts down. */
export class StoppedFromOutside extends Error {
  constructor(name: string) {
    super(`${name} was stopped by somebody while it was being checked.`);
    this.name = 'StoppedFromOutside';
  }
}

const lookAgainMs = 200;
/** An engine that shuts down signals all of its containers at the same time; their events follow within it. */
const togetherMs = 1000;
/** dockerd gives its containers 15 s to end, or their own stop time-out, before it goes away. */
const longestShutdownMs = 30_000;

/**
 * Whether the engine goes away after it stopped the container. False as soon as another container of the host runs on
 * unsignalled, for then a person stopped this one alone; also when the engine is still there half a minute later.
 */
export async function engineShutsDown(
  { hosts, clock }: { hosts: Hosts; clock: Clock },
  host: string,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const since = (hosts.signalledAt(host, id) ?? clock.now()) - togetherMs;
  const begun = clock.now();
  while (clock.now() < begun + longestShutdownMs) {
    if (hosts.picture(host).stale) return true;
    try {
      await hosts.engine(host).ping(signal);
    } catch (error) {
      if (isUnreachable(error)) return true;
      throw error;
    }
    const spared = [...hosts.picture(host).containers.values()].some(
      ({ Id, State }) => Id !== id && State.Running && (hosts.signalledAt(host, Id) ?? 0) < since,
    );
    if (spared && clock.now() > begun + togetherMs) return false;
    await clock.sleep(lookAgainMs, signal);
  }
  return false;
}
