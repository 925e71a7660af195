import type { Finding, Strategy } from '@evenkeel/contract';
import type { Containers } from '../containers/index.ts';
import type { HostPicture, Hosts } from '../hosts/index.ts';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { Fault } from '../platform/fault.ts';
import type { Registries } from '../registries/index.ts';
import type { SettingsSource } from '../settings/index.ts';
import { candidateImage } from './candidate-image.ts';
import { composeTagWarning } from './compose-labels.ts';
import { type Dependant, dependantsOf } from './dependants.ts';
import { carriesEngine } from './engine-path.ts';
import { type Environment, observeEnvironment } from './environment.ts';
import { inspectNamed } from './look.ts';
import { losses } from './losses.ts';
import { dependantMember, memberOf } from './observe-members.ts';
import { impossibleProbes } from './probe.ts';
import { finding, type JournalMember, nameOf, type Wish } from './run.ts';
import { type Home, handoverRefusals } from './spec-handover.ts';
import { lostPartRefusals, refusalsFor } from './spec-refusals.ts';
import { startFirstObstacles } from './spec-start-first.ts';
import { gateOf, strategyOf } from './wishes.ts';

export interface ObserveParts {
  readonly hosts: Hosts;
  readonly containers: Containers;
  readonly registries: Registries;
  readonly settings: SettingsSource;
  readonly home?: Home;
}

/** Everything that a plan is made of, as it is at this moment. */
export interface Situation {
  readonly container: ContainerInspect;
  readonly strategy: Strategy;
  readonly strategyReason: string | null;
  /** The updated one first, then its dependants in the order in which they start. */
  readonly members: readonly JournalMember[];
  readonly dependants: readonly Dependant[];
  readonly losses: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly refusals: readonly Finding[];
}

/**
 * Looks at the container, its image, the new image and everything that depends on it. Changes nothing.
 * Throws `not_found` when the container is gone, and what engine and registry throw.
 */
export async function observe(parts: ObserveParts, wish: Wish, signal?: AbortSignal): Promise<Situation> {
  const { hosts, containers, registries, settings } = parts;
  const engine = hosts.engine(wish.host);
  const picture = hosts.picture(wish.host);
  if (picture.stale)
    throw new Fault(
      'engine_unreachable',
      `The containers of ${wish.host} are not all known yet, or its engine does not answer: what depends on ${wish.name} cannot be told.`,
    );
  const container = await inspectNamed(engine, wish.name, signal);
  if (container === undefined)
    throw new Fault('not_found', `There is no container ${wish.name} on ${wish.host} any more.`);
  const [environment, oldImage, newImage] = await Promise.all([
    observeEnvironment(engine),
    engine.images.inspect(container.Image, signal),
    candidateImage(engine, registries, wish.target, signal),
  ]);
  const group = dependantsOf(container, [...picture.containers.values()]);
  const own = container.Id === containers.self;
  const refusals = [
    ...refusalsFor(container, oldImage, newImage, {
      self: parts.home === undefined ? containers.self : undefined,
      existing: environment.existing,
      networks: environment.networks,
    }),
    ...group.refusals,
  ];
  const changes = await engine.containers.changes(container.Id);
  const settingsGate = settings.current().gateSeconds;
  const main = await memberOf(engine, environment, container, {
    role: 'update',
    relation: null,
    image: wish.target.image,
    oldImage,
    newImage,
    gate: gateOf(container, wish.gate, settingsGate),
    changes,
    name: wish.name,
  });
  const members = [own ? { ...main.member, self: true } : main.member];
  const lost = [...losses(changes, container, { copied: main.member.injected }), ...(main.spec?.losses ?? [])];
  const warnings = [...main.warnings, ...unseenDependants(picture, container)];
  if (wish.kind === 'update') warnings.push(...composeTagWarning(container, wish.target.image));
  for (const dependant of group.members) {
    const own = await dependantMember(engine, environment, dependant, container, settingsGate);
    if (own === undefined) {
      refusals.push(
        finding(
          'dependant-image-missing',
          `${dependant.name} must go along, but its image is not on the engine any more.`,
          'Pull its image again, or create it anew.',
        ),
      );
      continue;
    }
    members.push(own.member);
    if (own.member.role !== 'recreate') continue;
    const { name, inspect, injected } = own.member;
    const theirs = (found: Finding): Finding => ({ ...found, text: `${name}, which goes along: ${found.text}` });
    lost.push(...[...losses(own.changes, inspect, { copied: injected }), ...(own.spec?.losses ?? [])].map(theirs));
    warnings.push(...own.warnings.map(theirs));
  }
  for (const [index, member] of members.entries())
    if (group.completing.has(member.inspect.Id))
      members[index] = { ...member, gate: { ...member.gate, untilDone: true } };
  if (own && parts.home !== undefined) {
    const endpoint = hosts.collection.get(wish.host)?.endpoint ?? '';
    const dependants = group.members.map(({ name }) => name);
    const { injected } = main.member;
    refusals.push(...handoverRefusals(container, { home: parts.home, endpoint, dependants, injected }));
  }
  refusals.push(...groupRefusals(parts, wish, members, environment));
  for (const { inspect, gate, wasRunning } of members)
    if (wasRunning && gate.untilDone !== true)
      refusals.push(...(await impossibleProbes(engine, containers.self, inspect, gate)));
  const { strategy, reason } = strategyFor(wish, container, group.members, main.member, own);
  return {
    container,
    strategy,
    strategyReason: reason,
    members,
    dependants: group.members,
    losses: lost,
    warnings,
    refusals,
  };
}

/** Whether it hangs on this one only an inspect would tell. One broken container must not stand against every update of its host. */
function unseenDependants({ doubtful, containers }: HostPicture, container: ContainerInspect): Finding[] {
  const names = [...doubtful].flatMap((id) => (id === container.Id ? [] : (containers.get(id)?.Name.slice(1) ?? [])));
  if (names.length === 0) return [];
  const text = `The engine cannot show ${names.join(', ')} at the moment. What hangs on ${nameOf(container)} there is not taken along.`;
  return [
    finding('dependants-unseen', text, 'Look at that container first: docker inspect says what is wrong with it.'),
  ];
}

/** What stands against stopping one of the group: it could not start again, or it is what we work through. */
function groupRefusals(
  { hosts, containers }: ObserveParts,
  wish: Wish,
  members: readonly JournalMember[],
  { existing, networks }: Environment,
): Finding[] {
  const replaced = Object.fromEntries(
    members.filter(({ role }) => role !== 'restart').map(({ inspect }) => [inspect.Id, true]),
  );
  const endpoint = hosts.collection.get(wish.host)?.endpoint ?? '';
  const found: Finding[] = [];
  for (const [index, { name, inspect, relation, wasRunning }] of members.entries()) {
    if (index > 0) found.push(...lostPartRefusals(inspect, { existing, networks, replaced }));
    if (index > 0 && inspect.Id === containers.self)
      found.push(
        finding(
          'self-goes-along',
          `Evenkeel itself (${name}) would have to be stopped, because of ${relation ?? 'a dependency'}: nobody would finish the work.`,
          `Update ${wish.name} from outside, or take the dependency away.`,
        ),
      );
    if (wasRunning && carriesEngine(endpoint, inspect))
      found.push(
        finding(
          'engine-path',
          `Evenkeel reaches the engine through ${name} (${endpoint}): once it is stopped nobody could start it again.`,
          `Update ${wish.name} from outside: docker compose pull && docker compose up -d`,
        ),
      );
  }
  return found;
}

/** The wished strategy, or stop-first with the reason why the wished one is not possible. */
function strategyFor(
  wish: Wish,
  container: ContainerInspect,
  dependants: readonly Dependant[],
  main: JournalMember,
  own: boolean,
): { strategy: Strategy; reason: string | null } {
  const wished = strategyOf(container, wish.strategy);
  if (wished === 'recreate') return { strategy: 'recreate', reason: null };
  const obstacles = startFirstObstacles(container, { dependants: dependants.map(({ name }) => name) });
  if (own) obstacles.push('It is Evenkeel itself, and two of them cannot use one data folder.');
  if (!main.wasRunning) obstacles.push('It does not run, so there is nothing to keep running.');
  if (obstacles.length === 0) return { strategy: 'start-first', reason: null };
  return { strategy: 'recreate', reason: `Stop-first instead of start-first: ${obstacles.join(' ')}` };
}
