import type { RunPhase } from '@evenkeel/contract';
import type { Action, Member, RestartPolicy, Step, Which } from './run.ts';
import { rollbackReference, workNames } from './run.ts';

/** The words and engine calls of every kind of step, so that forward, rollback and recovery steps read the same. Pure. */
export interface StepSite {
  readonly run: string;
  readonly phase: RunPhase;
  readonly member: Pick<Member, 'name'>;
}

function step(site: StepSite, text: string, call: string | null, cause: string, action: Action): Step {
  return { phase: site.phase, member: site.member.name, text, call, cause, action };
}

/** What people call a member's container in a step. */
function label(site: StepSite, which: Which): string {
  const { name } = site.member;
  if (which === 'old') return `the old ${name}`;
  return which === 'new' ? `the new ${name}` : `the volume holder of ${name}`;
}

function segment(site: StepSite, which: Which): string {
  if (which === 'holder') return workNames(site.member.name, site.run).hold;
  return `{${which} ${site.member.name}}`;
}

export function keepImage(site: StepSite, imageId: string): Step {
  const reference = rollbackReference(site.member.name, site.run);
  const call = `POST /images/${shortImage(imageId)}/tag`;
  return step(site, `keep the old image as ${reference}`, call, 'a later rollback needs the image', {
    do: 'tag',
    imageId,
    reference,
  });
}

export function pointReference(site: StepSite, imageId: string | 'pulled', reference: string, cause: string): Step {
  const image = imageId === 'pulled' ? 'the pulled image' : shortImage(imageId);
  const call = `POST /images/${imageId === 'pulled' ? '{pulled}' : shortImage(imageId)}/tag`;
  return step(site, `let ${reference} name ${image}`, call, cause, { do: 'tag', imageId, reference });
}

export function pull(site: StepSite, what: Omit<Extract<Action, { do: 'pull' }>, 'do'>): Step {
  const call = `POST /images/create?fromImage=${what.reference}`;
  return step(site, `pull ${what.reference}`, call, 'the new image; a tag that moves meanwhile cannot slip in', {
    do: 'pull',
    ...what,
  });
}

export function create(site: StepSite, which: Which, cause: string): Step {
  const names = workNames(site.member.name, site.run);
  const name = { old: names.prev, new: names.next, holder: names.hold }[which];
  return step(site, `create ${label(site, which)} as ${name}`, `POST /containers/create?name=${name}`, cause, {
    do: 'create',
    which,
  });
}

export function connect(
  site: StepSite,
  which: 'old' | 'new',
  network: string,
  cause = 'this engine takes one network at create',
): Step {
  const call = `POST /networks/${network}/connect`;
  return step(site, `connect ${label(site, which)} to ${network}`, call, cause, { do: 'connect', which, network });
}

export function disconnect(site: StepSite, network: string): Step {
  const call = `POST /networks/${network}/disconnect`;
  const cause = 'from here on its names lead to the new one alone, before it stops to answer';
  return step(site, `take ${label(site, 'old')} off ${network}`, call, cause, { do: 'disconnect', network });
}

export function copyFiles(site: StepSite, paths: readonly string[]): Step {
  const call = `PUT /containers/${segment(site, 'new')}/archive`;
  const cause = 'Compose put them into the writable layer';
  return step(site, `copy ${paths.join(', ')} into the new ${site.member.name}`, call, cause, { do: 'copy', paths });
}

export function verify(site: StepSite, which: 'old' | 'new'): Step {
  const call = `GET /containers/${segment(site, which)}/json`;
  const cause = 'nothing is stopped for a container that differs from the plan';
  return step(site, `compare ${label(site, which)} with the plan`, call, cause, { do: 'verify', which });
}

export function setPolicy(site: StepSite, policy: RestartPolicy, quiesce: boolean): Step {
  const call = `POST /containers/${segment(site, 'old')}/update`;
  const cause = quiesce
    ? 'a restarting engine must not revive it beside the new one'
    : 'it gets back what it had before the run';
  return step(site, `set the restart policy of ${label(site, 'old')} to ${policy.Name}`, call, cause, {
    do: 'policy',
    policy,
    quiesce,
  });
}

export function stop(site: StepSite, which: 'old' | 'new', cause: string, timeoutSeconds?: number | null): Step {
  const within = timeoutSeconds === undefined || timeoutSeconds === null ? '' : ` (at most ${timeoutSeconds} s)`;
  const call = `POST /containers/${segment(site, which)}/stop`;
  return step(site, `stop ${label(site, which)}${within}`, call, cause, { do: 'stop', which });
}

export function rename(site: StepSite, which: 'old' | 'new', to: string, cause: string): Step {
  const call = `POST /containers/${segment(site, which)}/rename?name=${to}`;
  return step(site, `rename ${label(site, which)} to ${to}`, call, cause, { do: 'rename', which, to });
}

export function start(site: StepSite, which: 'old' | 'new', cause: string): Step {
  const call = `POST /containers/${segment(site, which)}/start`;
  return step(site, `start ${label(site, which)}`, call, cause, { do: 'start', which });
}

export function gate(site: StepSite, which: 'old' | 'new', text: string): Step {
  return step(site, `wait until ${site.member.name} ${text}`, null, 'the old one stays until the new one holds', {
    do: 'gate',
    which,
  });
}

export function remove(site: StepSite, which: Which, volumes: boolean, cause: string): Step {
  const call = `DELETE /containers/${segment(site, which)}?v=${volumes ? 1 : 0}`;
  return step(site, `remove ${label(site, which)}`, call, cause, { do: 'remove', which, volumes });
}

export function handOver(site: StepSite): Step {
  const name = workNames(site.member.name, site.run).hand;
  const cause =
    'it is Evenkeel itself, which cannot stop itself and finish the work: this and what follows is done from there';
  return step(site, `hand over to the helper ${name}`, `POST /containers/create?name=${name}`, cause, {
    do: 'handover',
  });
}

export function dismiss(site: StepSite, cause: string): Step {
  const name = workNames(site.member.name, site.run).hand;
  return step(site, `remove the helper ${name}`, `DELETE /containers/${name}`, cause, { do: 'dismiss' });
}

export function shortImage(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
