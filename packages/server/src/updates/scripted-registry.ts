import { type RegistryClient, RegistryError, type RegistryManifest } from '../platform/registry/registry-client.ts';

/** For tests: a registry as its interface, that says what the test writes down and notes what it was asked. */
export interface ScriptedRegistry {
  readonly client: RegistryClient;
  /** `HEAD 1.0.0`, `GET <first letter of the digest>`, `tags`. */
  readonly asked: string[];
  /** What each tag names. `sick` and `broken` fail with that kind. */
  readonly tags: Record<string, string>;
  /** What the list of tags holds; undefined: 404. */
  list: readonly string[] | undefined;
  /** Documents by digest; every other digest is an image of its own for linux/amd64. */
  readonly manifests: Record<string, RegistryManifest>;
  /** Kind of failure by digest, for manifests and configurations. */
  readonly failing: Record<string, 'sick' | 'busy' | 'denied' | 'broken'>;
  coolDownUntil: number | null;
}

export function scriptedRegistry(
  tags: Record<string, string> = {},
  list: readonly string[] | undefined = [],
): ScriptedRegistry {
  const fail = (kind: 'sick' | 'busy' | 'denied' | 'broken') =>
    new RegistryError(kind, 'docker.io', `The registry docker.io is out of order (${kind}).`);
  const registry: ScriptedRegistry = {
    asked: [],
    tags,
    list,
    manifests: {},
    failing: {},
    coolDownUntil: null,
    client: {
      async resolve(_, tag) {
        registry.asked.push(`HEAD ${tag}`);
        const digest = registry.tags[tag];
        if (digest === 'sick' || digest === 'denied' || digest === 'broken') throw fail(digest);
        return digest;
      },
      async manifest(_, digest) {
        registry.asked.push(`GET ${digest.slice(7, 8)}`);
        const failure = registry.failing[digest];
        if (failure !== undefined) throw fail(failure);
        return registry.manifests[digest] ?? plainImage(digest);
      },
      async imageConfig(_, digest) {
        const failure = registry.failing[digest];
        if (failure !== undefined) throw fail(failure);
        return { os: 'linux', architecture: 'amd64', diffIds: ['layer'], config: {} };
      },
      async tags() {
        registry.asked.push('tags');
        return registry.list === undefined ? undefined : [...registry.list];
      },
      health: () => ({
        state: 'ok',
        reason: null,
        coolDownUntil: registry.coolDownUntil,
        rateLimitRemaining: null,
        requests: 0,
      }),
      counters: () => [],
      test: async () => ({ ok: true, detail: '' }),
      close: async () => {},
    },
  };
  return registry;
}

/** The configuration of the image behind the digest, and with it the id that a classic engine gives it. */
export function configOf(digest: string): string {
  return digest.replace('sha256:', 'sha256:0').slice(0, -1);
}

export function plainImage(digest: string, type = 'application/vnd.oci.image.config.v1+json'): RegistryManifest {
  const config = { mediaType: type, digest: configOf(digest), size: 1 };
  return { kind: 'image', mediaType: '', config, layers: [{ mediaType: '', digest, size: 10 }] };
}

/** An index with a child for each platform. */
export function indexOf(children: Readonly<Record<string, string>>): RegistryManifest {
  const manifests = Object.entries(children).map(([platform, digest]) => {
    const [os = '', architecture = ''] = platform.split('/');
    return { mediaType: '', digest, size: 1, platform: { os, architecture } };
  });
  return { kind: 'index', mediaType: '', manifests };
}
