import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { composeDependencies, composeService } from './compose-labels.ts';
import { namespaceOwner, plainName } from './spec-api.ts';
import { parseLink } from './spec-host.ts';
import { stateRefusals } from './spec-refusals.ts';

export type Relation = 'network namespace' | 'process namespace' | 'IPC namespace' | 'volumes' | 'link' | 'depends on';

/** What has to be reached before the dependant may start, in the words of Compose. */
export type Condition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

/** One dependant hangs on one container, directly. */
export interface Dependency {
  /** Id and name of the container that it hangs on. */
  readonly on: { readonly id: string; readonly name: string };
  readonly relation: Relation;
  readonly condition: Condition;
  /** What happens to the dependant when that container is replaced. */
  readonly whenReplaced: Treatment;
  /** What happens to it when that container is only stopped and started. */
  readonly whenRestarted: Treatment | undefined;
}

/**
 * `recreate`: replaced by one from its own image, because it refers to an id. `stop-start`: stopped before the owner and
 * started after it. `restart`: the same, asked for by `restart: true` of `depends_on`.
 */
export type Treatment = 'recreate' | 'restart' | 'stop-start';

export interface Dependant {
  readonly container: ContainerInspect;
  readonly name: string;
  /** For people: `network namespace of vpn, depends on db`. */
  readonly relation: string;
  readonly action: Treatment;
  /** Only those on the owner and on other members. */
  readonly dependencies: readonly Dependency[];
}

export interface Dependants {
  /** In the order in which they start after the owner; they stop in the reverse one, before it. */
  readonly members: readonly Dependant[];
  /** Cycles, and members that cannot be taken along. Not empty: the run is refused. */
  readonly refusals: readonly Finding[];
  /** Ids of all containers whose successful end somebody waits for, in the group or not: they need not run on. */
  readonly completing: ReadonlySet<string>;
}

/** Names of containers, separated by commas, each with a condition if wanted: `db:service_healthy,cache`. */
export const dependsOnLabel = 'evenkeel.depends-on';

/** Everything that has to go along when `owner` is replaced, directly or through others (section 8). Pure. */
export function dependantsOf(owner: ContainerInspect, all: readonly ContainerInspect[]): Dependants {
  const others = all.filter((container) => container.Id !== owner.Id);
  const world = [owner, ...others];
  const edges = new Map(others.map((container) => [container.Id, dependenciesOf(container, world)]));
  const actions = spread(owner, others, edges);
  const inGroup = (id: string) => id === owner.Id || actions.has(id);
  const found = others
    .filter((container) => actions.has(container.Id))
    .map((container) => {
      const dependencies = (edges.get(container.Id) ?? []).filter(({ on }) => inGroup(on.id));
      const relation = [...new Set(dependencies.map((one) => describe(one)))].join(', ');
      const action = actions.get(container.Id) ?? 'stop-start';
      return { container, name: plainName(container.Name), relation, action, dependencies };
    });
  const { ordered, cycle } = inStartOrder(owner, found, dependenciesOf(owner, world));
  const refusals = found.flatMap(({ container }) => memberRefusals(container));
  const completing = new Set(
    [...edges.values()]
      .flat()
      .filter(({ condition }) => condition === 'service_completed_successfully')
      .map(({ on }) => on.id),
  );
  return { members: ordered, refusals: cycle === undefined ? refusals : [cycle, ...refusals], completing };
}

function describe({ relation, on }: Dependency): string {
  return relation === 'depends on' ? `depends on ${on.name}` : `${relation} of ${on.name}`;
}

function memberRefusals(container: ContainerInspect): Finding[] {
  return stateRefusals(container).map((finding) => ({
    ...finding,
    code: `dependant-${finding.code}`,
    text: `It must go along with the update: ${finding.text}`,
  }));
}

const strength: Readonly<Record<Treatment, number>> = { restart: 1, 'stop-start': 2, recreate: 3 };

/** Spreads the replacement of the owner over the edges until nothing changes: each member gets its strongest action. */
function spread(
  owner: ContainerInspect,
  others: readonly ContainerInspect[],
  edges: ReadonlyMap<string, readonly Dependency[]>,
): Map<string, Treatment> {
  const actions = new Map<string, Treatment>();
  const ownerRuns = isUp(owner);
  let changed = true;
  while (changed) {
    changed = false;
    for (const container of others) {
      for (const { on, relation, whenReplaced, whenRestarted } of edges.get(container.Id) ?? []) {
        const cause = on.id === owner.Id ? 'recreate' : actions.get(on.id);
        if (cause === undefined) continue;
        const wanted = cause === 'recreate' ? whenReplaced : whenRestarted;
        // A container at rest refers to an id, or to nothing; an owner at rest is not stopped and started.
        if (wanted === undefined || (wanted !== 'recreate' && !isUp(container))) continue;
        // The stop of a `--rm` one destroys it.
        const action = container.HostConfig.AutoRemove === true ? 'recreate' : wanted;
        if (relation === 'depends on' && on.id === owner.Id && !ownerRuns) continue;
        const present = actions.get(container.Id);
        if (present !== undefined && strength[present] >= strength[action]) continue;
        actions.set(container.Id, action);
        changed = true;
      }
    }
  }
  return actions;
}

function isUp({ State }: ContainerInspect): boolean {
  return State.Running || State.Restarting || State.Paused;
}

/** Everything that the container hangs on. */
function dependenciesOf(container: ContainerInspect, world: readonly ContainerInspect[]): Dependency[] {
  const others = world.filter(({ Id }) => Id !== container.Id);
  return [
    ...namespaceDependencies(container, others),
    ...volumeDependencies(container, others),
    ...linkDependencies(container, others),
    ...composeDependencyEdges(container, others),
    ...labelDependencies(container, others),
  ];
}

function edge(
  on: ContainerInspect,
  relation: Relation,
  whenReplaced: Treatment,
  whenRestarted: Treatment | undefined,
  condition: Condition = 'service_started',
): Dependency {
  return { on: { id: on.Id, name: plainName(on.Name) }, relation, condition, whenReplaced, whenRestarted };
}

/** Stored as an id. After a restart of the owner the dependant still sits in the old, dead namespace. */
function namespaceDependencies(container: ContainerInspect, others: readonly ContainerInspect[]): Dependency[] {
  const { NetworkMode, PidMode, IpcMode } = container.HostConfig;
  const modes = [
    ['network namespace', NetworkMode],
    ['process namespace', PidMode],
    ['IPC namespace', IpcMode],
  ] as const;
  return modes.flatMap(([relation, mode]) => {
    const owner = find(others, namespaceOwner(mode));
    return owner === undefined ? [] : [edge(owner, relation, 'recreate', 'stop-start')];
  });
}

/** Stored as typed. By name nothing dangles; the data is left in peace while its owner changes. */
function volumeDependencies(container: ContainerInspect, others: readonly ContainerInspect[]): Dependency[] {
  return (container.HostConfig.VolumesFrom ?? []).flatMap((entry) => {
    const source = entry.split(':')[0];
    const owner = find(others, source);
    if (owner === undefined) return [];
    const byName = source === plainName(owner.Name);
    return [edge(owner, 'volumes', byName ? 'stop-start' : 'recreate', undefined)];
  });
}

/** Legacy links hang on the object, not on the name; on networks of the user they follow the name and are no edge. */
function linkDependencies(container: ContainerInspect, others: readonly ContainerInspect[]): Dependency[] {
  return (container.HostConfig.Links ?? []).flatMap((entry) => {
    const owner = find(others, parseLink(entry).target);
    return owner === undefined ? [] : [edge(owner, 'link', 'recreate', 'stop-start')];
  });
}

function composeDependencyEdges(container: ContainerInspect, others: readonly ContainerInspect[]): Dependency[] {
  const own = composeService(container);
  if (own === undefined || own.oneOff) return [];
  return composeDependencies(container).flatMap(({ service, condition, restart }) => {
    const owners = others.filter((other) => {
      const theirs = composeService(other);
      return theirs?.project === own.project && theirs.service === service && !theirs.oneOff;
    });
    const action = restart ? 'restart' : 'stop-start';
    return owners.map((owner) => edge(owner, 'depends on', action, action, conditionOf(condition)));
  });
}

function labelDependencies(container: ContainerInspect, others: readonly ContainerInspect[]): Dependency[] {
  const entries = (container.Config.Labels?.[dependsOnLabel] ?? '').split(',');
  return entries.flatMap((entry) => {
    const [name = '', condition = ''] = entry.trim().split(':');
    const owner = others.find((other) => name !== '' && plainName(other.Name) === name);
    return owner === undefined ? [] : [edge(owner, 'depends on', 'stop-start', 'stop-start', conditionOf(condition))];
  });
}

function conditionOf(text: string): Condition {
  return text === 'service_healthy' || text === 'service_completed_successfully' ? text : 'service_started';
}

/** By id, beginning of an id, or name. */
function find(containers: readonly ContainerInspect[], wanted: string | undefined): ContainerInspect | undefined {
  if (wanted === undefined || wanted === '') return undefined;
  return (
    containers.find(({ Id, Name }) => Id === wanted || plainName(Name) === wanted) ??
    containers.find(({ Id }) => wanted.length >= 12 && Id.startsWith(wanted))
  );
}

/** Dependencies first, by name where it does not matter. What is left over when nothing can start stands in a cycle. */
function inStartOrder(
  owner: ContainerInspect,
  found: readonly Dependant[],
  ownDependencies: readonly Dependency[],
): { ordered: Dependant[]; cycle: Finding | undefined } {
  const ordered: Dependant[] = [];
  const started = new Set([owner.Id]);
  let left = [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
  while (left.length > 0) {
    const next = left.find(({ dependencies }) => dependencies.every(({ on }) => started.has(on.id)));
    if (next === undefined) return { ordered, cycle: cycleFinding(left.map(({ name }) => name)) };
    ordered.push(next);
    started.add(next.container.Id);
    left = left.filter((member) => member !== next);
  }
  const back = ownDependencies.filter(({ on }) => found.some(({ container }) => container.Id === on.id));
  if (back.length === 0) return { ordered, cycle: undefined };
  return { ordered, cycle: cycleFinding([plainName(owner.Name), ...back.map(({ on }) => on.name)]) };
}

function cycleFinding(names: readonly string[]): Finding {
  return {
    code: 'dependency-cycle',
    text: `${names.join(', ')} depend on each other in a circle, so there is no order in which they can start.`,
    remedy: `Take one of the dependencies away (depends_on, or the label ${dependsOnLabel}).`,
  };
}
