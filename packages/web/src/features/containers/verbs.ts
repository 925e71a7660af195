import type { Container } from '@evenkeel/contract';
import i18next from 'i18next';
import type { Api } from '../../lib/api.ts';
import { notify } from '../../ui/toasts.tsx';

export type Verb = 'start' | 'stop' | 'restart';

const done = { start: 'containers.started', stop: 'containers.stopped', restart: 'containers.restarted' } as const;

/** Whether the verb makes sense in this state. */
export function canDo(verb: Verb, container: Container): boolean {
  if (container.stale || container.state === 'removing') return false;
  const up = container.state === 'running' || container.state === 'paused' || container.state === 'restarting';
  if (verb === 'start') return !up;
  if (container.self && verb === 'stop') return false;
  return up;
}

function callOf(api: Api, verb: Verb, { host, id }: Container): Promise<unknown> {
  const params = { host, container: id };
  if (verb === 'start') return api.call('startContainer', { params });
  if (verb === 'stop') return api.call('stopContainer', { params, body: {} });
  return api.call('restartContainer', { params, body: {} });
}

/** Does it for each container and says what came of it; a refusal names the container and the reason. */
export async function runVerb(api: Api, verb: Verb, containers: readonly Container[]): Promise<void> {
  const results = await Promise.allSettled(containers.map((container) => callOf(api, verb, container)));
  let count = 0;
  for (const [index, result] of results.entries()) {
    const name = containers[index]?.name ?? '';
    if (result.status === 'fulfilled') count += 1;
    else
      notify({
        kind: 'failed',
        title: `${name}: ${i18next.t('errors.title')}`,
        detail: String(result.reason?.message ?? result.reason),
      });
  }
  const only = containers.length === 1 ? containers[0] : undefined;
  if (count > 0)
    notify({
      kind: 'done',
      title: only ? i18next.t(done[verb], { name: only.name }) : i18next.t('containers.many', { count }),
    });
}
