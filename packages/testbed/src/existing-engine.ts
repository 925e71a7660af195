import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngineAccess, type TestEngine } from './engine-access.ts';
import { existingEngineSlot } from './slot.ts';
import { TestbedUnavailable } from './unavailable.ts';
import { isOurName } from './unique-name.ts';

/**
 * Uses an engine that somebody else runs. It is never killed or restarted, and `stop` removes only containers, networks
 * and volumes whose exact names this process issued with `uniqueName`.
 */
export function connectExistingEngine(url: string, apiVersion: string | undefined): TestEngine {
  if (!url.startsWith('unix://')) {
    throw new TestbedUnavailable(
      `EVENKEEL_TEST_ENGINE must be a Unix socket such as unix:///var/run/docker.sock; it is "${url}".`,
    );
  }
  const configDirectory = mkdtempSync(join(tmpdir(), 'evenkeel-cli-'));
  const access = createEngineAccess(url.slice('unix://'.length), configDirectory, apiVersion);
  const refuse = () => {
    throw new TestbedUnavailable(
      'The engine named by EVENKEEL_TEST_ENGINE is not ours: it is not killed, paused or restarted.',
    );
  };
  const refuseLater = async () => refuse();

  return {
    ...access,
    private: false,
    slot: existingEngineSlot,
    kill: refuseLater,
    killEverything: refuseLater,
    terminate: refuseLater,
    start: refuseLater,
    restart: refuseLater,
    pause: refuseLater,
    resume: refuse,
    async stop() {
      const containers = (await access.request('GET', '/containers/json?all=1')).body as {
        Id: string;
        Names: string[];
      }[];
      for (const { Id, Names } of containers) {
        if (Names.some((name) => isOurName(name.slice(1))))
          await access.request('DELETE', `/containers/${Id}?force=1&v=1`);
      }
      const networks = (await access.request('GET', '/networks')).body as { Id: string; Name: string }[];
      for (const { Id, Name } of networks) if (isOurName(Name)) await access.request('DELETE', `/networks/${Id}`);
      const volumes = (await access.request('GET', '/volumes')).body as { Volumes: { Name: string }[] | null };
      for (const { Name } of volumes.Volumes ?? [])
        if (isOurName(Name)) await access.request('DELETE', `/volumes/${Name}`);
      rmSync(configDirectory, { recursive: true, force: true });
    },
  };
}
