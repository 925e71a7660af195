import { describeGate } from './gate-terms.ts';
import { type JournalMember, type JournalRun, reached, type Step, taggable, workNames } from './run.ts';
import { namedNetworks } from './spec-networks.ts';
import * as steps from './steps.ts';

/** A container as it is now. */
export interface Seen {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  readonly policy: string;
  readonly networks: readonly string[];
}

/** What the engine has of one member now. */
export interface SeenMember {
  /** By its id, or the one created again from the journal. */
  readonly old: Seen | undefined;
  readonly new: Seen | undefined;
  readonly holder: Seen | undefined;
  /** Whoever has the member's name. */
  readonly nameOwner: Seen | undefined;
  /** The image id that the configured reference names. */
  readonly reference: string | undefined;
  /** The helper that the work was handed over to, where it was. */
  readonly helper?: Seen | undefined;
}

/**
 * What is to be done for an unfinished run. `steps` empty: nothing more can be done; it is finished unless `blocked` says why
 * it is not. `lost`: members that somebody else took away, which are not brought back.
 */
export interface Recovery {
  readonly direction: 'on' | 'commit' | 'back';
  readonly steps: readonly Step[];
  readonly blocked: string | undefined;
  readonly lost: readonly string[];
}

/**
 * Journal and present state → the steps that lead to exactly one right container (section 6.1, last column). Called again after its
 * steps were done, until there are none: each step changes what the next call sees. Pure.
 */
export function recover(
  run: JournalRun,
  seen: readonly SeenMember[],
  { tried = new Set(), disturbed, claimed = new Set(), self }: RecoveryContext,
): Recovery {
  const pairs = run.members.map((member, index) => ({
    member,
    now: seen[index] ?? nothing,
    mayStart: member.wasRunning && !tried.has(once.start(member.name)),
    ours: disturbed || reached(run, member.autoRemove ? 'STOPPING' : 'QUIESCING'),
  }));
  const standing = pairs.every(({ member, now }) => (member.role === 'restart' ? now.old : now.new) !== undefined);
  if (reached(run, 'COMMIT') && standing) return commit(run, pairs);
  const own = pairs.find(({ member }) => member.self === true);
  // We are the new container: that we run, and that the helper let us, is the proof. Going back would stop ourselves.
  if (own !== undefined && self !== undefined && self === own.member.progress.newId) return commit(run, pairs);
  if (own !== undefined) return goBack(run, pairs, { tried, claimed });
  const raised = run.strategy === 'recreate' && reached(run, 'STARTING');
  if (run.failure === null && raised && standing) return goOn(run, pairs);
  return goBack(run, pairs, { tried, claimed });
}

export interface RecoveryContext {
  /** What was tried already on this way, as `once` says it: a container that ends again by itself is not started for ever. */
  readonly tried?: ReadonlySet<string>;
  /** The engine was away, or we were: what ended meanwhile may have ended by that. */
  readonly disturbed: boolean;
  /** `reference image-id` of what other runs brought in: a tag that they need is not taken back. */
  readonly claimed?: ReadonlySet<string>;
  /** Id of the container in which we run. */
  readonly self?: string | undefined;
}

/** Names of what is tried once on the way back or while clearing up. */
export const once = {
  start: (member: string) => `start ${member}`,
  tag: (reference: string) => `tag ${reference}`,
};

interface Pair {
  /** It was running, and has not been started on this way yet. */
  readonly mayStart: boolean;
  /** The run itself may have stopped it or taken it away; otherwise it ended by itself, or a person ended it. */
  readonly ours: boolean;
  readonly member: JournalMember;
  readonly now: SeenMember;
}

const nothing: SeenMember = {
  old: undefined,
  new: undefined,
  holder: undefined,
  nameOwner: undefined,
  reference: undefined,
};

function goOn(run: JournalRun, pairs: readonly Pair[]): Recovery {
  const found: Step[] = [];
  for (const { member, now } of pairs) {
    if (!member.wasRunning) continue;
    const which = member.role === 'restart' ? 'old' : 'new';
    const container = member.role === 'restart' ? now.old : now.new;
    if (container?.running !== true) {
      const cause = 'an interruption came before it was seen running';
      found.push(steps.start({ run: run.id, phase: 'STARTING', member }, which, cause));
    }
    const terms = describeGate(member.gate, member.inspect.Config.Healthcheck);
    found.push(steps.gate({ run: run.id, phase: 'VERIFYING', member }, which, terms));
  }
  return { direction: 'on', steps: found, blocked: undefined, lost: [] };
}

function commit(run: JournalRun, pairs: readonly Pair[]): Recovery {
  const found: Step[] = [];
  for (const { member, now, mayStart } of pairs) {
    if (member.role === 'restart') continue;
    const site = { run: run.id, phase: 'COMMIT' as const, member };
    if (now.helper !== undefined) found.push(steps.dismiss(site, 'the new one holds and goes on by itself'));
    if (mayStart && now.new?.running === false)
      found.push(steps.start(site, 'new', 'it holds the place of the old one'));
    // Renamed or started by somebody else, it is no longer ours to remove.
    const parked = now.old?.name === workNames(member.name, run.id).prev && !now.old.running;
    if (parked) found.push(steps.remove(site, 'old', false, 'the new one holds; volumes stay'));
    if (now.holder !== undefined) found.push(steps.remove(site, 'holder', false, 'it is needed no longer'));
  }
  return { direction: 'commit', steps: found, blocked: undefined, lost: [] };
}

function goBack(
  run: JournalRun,
  pairs: readonly Pair[],
  undone: { tried: ReadonlySet<string>; claimed: ReadonlySet<string> },
): Recovery {
  const found: Step[] = [];
  const lost: string[] = [];
  let blocked: string | undefined;
  for (const { member, now } of pairs) {
    // First of all: two that change the same containers would get in each other's way.
    const site = { run: run.id, phase: 'ROLLBACK' as const, member };
    if (now.helper !== undefined) found.push(steps.dismiss(site, 'the old one goes on by itself'));
  }
  for (const pair of pairs.toReversed()) found.push(...clearNew(run, pair));
  const ownerCameAnew = pairs.some(
    ({ member, now }) => member.role === 'update' && (now.old === undefined || now.old.id !== member.inspect.Id),
  );
  let complete = true;
  for (const { member, now, mayStart, ours } of pairs) {
    const site = { run: run.id, phase: 'ROLLBACK' as const, member };
    const foreign = foreignOwner(now);
    const stale = ownerCameAnew && reached(run, 'STOPPING') && member.role === 'recreate';
    if (stale && now.old?.id === member.inspect.Id) {
      if (now.old.running) found.push(steps.stop(site, 'old', 'it hangs on a container that is gone'));
      found.push(steps.remove(site, 'old', false, 'it hangs on a container that is gone; the journal has all of it'));
      complete = false;
      break;
    }
    if (now.old !== undefined) {
      const restored = restoreOld(run, member, now.old, { mayStart: mayStart && ours, foreign: foreign !== undefined });
      found.push(...restored.steps);
      blocked ??= restored.blocked;
      continue;
    }
    if (
      member.role === 'restart' ||
      foreign !== undefined ||
      !ours ||
      !(member.autoRemove || reached(run, 'STOPPING'))
    ) {
      lost.push(member.name);
      continue;
    }
    found.push(steps.create(site, 'old', 'it is gone; the journal has all of it'));
    complete = false;
    break;
  }
  if (complete) {
    for (const { member, now } of pairs) found.push(...tidy(run, member, now, undone));
  }
  return { direction: 'back', steps: found, blocked, lost };
}

/** Removes what the run made. `v=1` takes only volumes that are new to it: re-attached ones are not anonymous to the engine. */
function clearNew(run: JournalRun, { member, now }: Pair): Step[] {
  if (now.new === undefined) return [];
  const site = { run: run.id, phase: 'ROLLBACK' as const, member };
  const found: Step[] = [];
  if (now.new.running) found.push(steps.stop(site, 'new', 'the old one takes its place back'));
  found.push(steps.remove(site, 'new', true, 'the run goes back'));
  return found;
}

function restoreOld(
  run: JournalRun,
  member: JournalMember,
  old: Seen,
  { mayStart, foreign }: { mayStart: boolean; foreign: boolean },
): { steps: Step[]; blocked: string | undefined } {
  const site = { run: run.id, phase: 'ROLLBACK' as const, member };
  const found: Step[] = [];
  for (const { network, cause } of networksBefore(run, member, old)) {
    if (!old.networks.includes(network)) found.push(steps.connect(site, 'old', network, cause));
  }
  if (old.name === workNames(member.name, run.id).prev) {
    if (foreign) {
      return {
        steps: found,
        blocked: `The name ${member.name} has been taken by a container that is not of this run. Rename or remove that one; the old ${member.name} is kept as ${old.name} until then.`,
      };
    }
    found.push(steps.rename(site, 'old', member.name, 'it gets its name back'));
  }
  if (reached(run, 'QUIESCING') && old.policy === 'no' && member.policy.Name !== 'no' && !member.autoRemove)
    found.push(steps.setPolicy(site, member.policy, false));
  const leave = run.failure?.leaveStopped.includes(member.name) ?? false;
  if (mayStart && !old.running && !leave) found.push(steps.start(site, 'old', 'it was running before the run'));
  return { steps: found, blocked: undefined };
}

/** The networks that the run may have taken from the old container, or that its new creation could not give it at once. */
function networksBefore(run: JournalRun, member: JournalMember, old: Seen): { network: string; cause?: string }[] {
  if (old.id !== member.inspect.Id)
    return [...(member.progress.spec?.connects ?? [])].map(({ network }) => ({ network }));
  if (run.strategy !== 'start-first' || !reached(run, 'STOPPING')) return [];
  return namedNetworks(member.inspect).map((network) => ({ network, cause: 'it comes back to where it was' }));
}

/** After everybody is back: the tag that was moved, and the holder of the volumes. */
function tidy(
  run: JournalRun,
  member: JournalMember,
  now: SeenMember,
  { tried, claimed }: { tried: ReadonlySet<string>; claimed: ReadonlySet<string> },
): Step[] {
  const site = { run: run.id, phase: 'ROLLBACK' as const, member };
  const found: Step[] = [];
  const ours = now.reference === member.progress.newImage?.Id || now.reference === member.oldImage.Id;
  const before = member.referenceBefore;
  const moved = before !== null && now.reference !== before && ours && taggable(member.image) !== undefined;
  if (moved && !tried.has(once.tag(member.image)) && !claimed.has(`${member.image} ${now.reference}`))
    found.push(steps.pointReference(site, before, member.image, 'the tag goes back to what it named'));
  if (now.holder !== undefined) found.push(steps.remove(site, 'holder', false, 'the old one has its volumes again'));
  return found;
}

function foreignOwner(now: SeenMember): Seen | undefined {
  const owner = now.nameOwner;
  return owner === undefined || owner.id === now.old?.id || owner.id === now.new?.id ? undefined : owner;
}
