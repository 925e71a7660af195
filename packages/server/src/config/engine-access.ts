import { join } from 'node:path';
import type { EngineTls } from '../platform/engine/connection.ts';
import type { Config } from './config.ts';
import { findEngine } from './find-engine.ts';

/** How the engine is reached, or why it is not. */
export interface EngineAccess {
  readonly endpoint: string;
  readonly tls?: EngineTls;
  /** Nothing is connected to: a sentence that names the setting and says what to do. */
  readonly refusal?: string;
  /** Said while nothing was found at the usual places. */
  readonly hint?: string;
  /** It was allowed to speak to an engine on another machine without encryption. */
  readonly plaintext: boolean;
}

/** The files of the machine. Reading one that is missing throws. */
export interface Files {
  readonly exists: (path: string) => boolean;
  readonly read: (path: string) => string;
}

type Source = 'EVENKEEL_ENGINE' | 'DOCKER_HOST';

/**
 * Decides where and how to connect. What cannot be followed is a refusal and not an error: the server starts, shows what it has, and
 * says what to change.
 */
export function engineAccess(config: Config, files: Files): EngineAccess {
  const { endpoint, source, tried } = findEngine(config, files.exists);
  if (endpoint === undefined)
    return {
      endpoint: 'unix:///var/run/docker.sock',
      hint: `Looked for a Docker Engine at ${tried.join(', ')}. Start Docker, or name its socket with EVENKEEL_ENGINE.`,
      plaintext: false,
    };
  if (source === 'the usual socket' || endpoint.startsWith('unix://')) return { endpoint, plaintext: false };
  return overNetwork(config, files, endpoint, source as Source);
}

function overNetwork(config: Config, files: Files, endpoint: string, source: Source): EngineAccess {
  const shown = { endpoint: withoutPassword(endpoint), plaintext: false };
  const notSpoken = schemeRefusal(shown.endpoint, source);
  if (notSpoken !== undefined) return { ...shown, refusal: notSpoken };
  const read = readTls(config, files, source);
  if ('refusal' in read) return { ...shown, refusal: read.refusal };
  if (read.tls !== undefined) return { ...shown, tls: read.tls };
  if (endpoint.startsWith('https://') || isLoopback(endpoint)) return { ...shown, endpoint };
  if (config.engineAllowPlaintext) return { ...shown, endpoint, plaintext: true };
  return {
    ...shown,
    refusal:
      `${source} is ${shown.endpoint}: without TLS, whoever shares the network could take over that host, so nothing is sent there. ` +
      `Set ${source === 'DOCKER_HOST' ? 'DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH' : 'EVENKEEL_ENGINE_CERT_PATH'} to the folder with ca.pem, cert.pem and key.pem. ` +
      'On a network that only trusted machines share, such as that of a socket proxy in the same Compose project, EVENKEEL_ENGINE_ALLOW_PLAINTEXT=true allows it.',
  };
}

/** `ssh` and the like, which Docker's own tools know and we do not. */
function schemeRefusal(endpoint: string, source: Source): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(endpoint)?.[1]?.toLowerCase();
  const target = endpoint.slice(`${scheme}://`.length);
  switch (scheme) {
    case 'tcp':
    case 'http':
    case 'https':
      if (URL.canParse(endpoint) && new URL(endpoint).hostname !== '') return undefined;
      return `${source} is "${endpoint}", which names no host. Write it as tcp://host:2376, or set EVENKEEL_ENGINE=unix:///var/run/docker.sock.`;
    case 'ssh':
      return `${source} is "${endpoint}", and Evenkeel does not speak SSH. Forward the socket with "ssh -N -L /tmp/docker.sock:/var/run/docker.sock ${target.replace(/\/.*$/, '')}" and set EVENKEEL_ENGINE=unix:///tmp/docker.sock.`;
    case 'fd':
      return `${source} is "${endpoint}", by which systemd hands a socket to the engine itself; nobody else can connect to it. Set EVENKEEL_ENGINE=unix:///var/run/docker.sock.`;
    case 'npipe':
      return `${source} is "${endpoint}", a pipe of Windows, which Evenkeel does not speak. Run it in a container into which the engine's socket is mounted, and set EVENKEEL_ENGINE=unix:///var/run/docker.sock.`;
    default:
      return `${source} is "${endpoint}", which is not an engine endpoint. Write unix:///var/run/docker.sock or tcp://host:2376, or set EVENKEEL_ENGINE, which comes first.`;
  }
}

/** Files named one by one win over those of the folder; without either, those that Docker itself would use for `DOCKER_HOST`. */
function readTls(
  { engineTls, dockerCertPath }: Config,
  files: Files,
  source: Source,
): { tls: EngineTls | undefined } | { refusal: string } {
  const ours = Object.values(engineTls).some((path) => path !== undefined);
  const dockers = source === 'DOCKER_HOST' ? dockerCertPath : undefined;
  const folder = ours ? engineTls.folder : dockers;
  if (!ours && folder === undefined) return { tls: undefined };
  const variable = ours ? 'EVENKEEL_ENGINE_CERT_PATH' : 'DOCKER_CERT_PATH';
  const found: { ca?: string; cert?: string; key?: string } = {};
  for (const part of ['ca', 'cert', 'key'] as const) {
    const named = engineTls[part];
    const path = named ?? (folder === undefined ? undefined : join(folder, `${part}.pem`));
    if (path === undefined || (named === undefined && !files.exists(path))) continue;
    try {
      found[part] = files.read(path);
    } catch (error) {
      const said = named === undefined ? variable : `EVENKEEL_ENGINE_TLS_${part.toUpperCase()}`;
      const reason = error instanceof Error ? error.message : String(error);
      return {
        refusal: `${said} names ${path}, which cannot be read: ${reason}. Correct it and start Evenkeel again.`,
      };
    }
  }
  if (found.ca === undefined && found.cert === undefined && found.key === undefined)
    return {
      refusal: `${variable} is ${folder}, where there is no ca.pem, cert.pem or key.pem. Correct it and start Evenkeel again.`,
    };
  if ((found.cert === undefined) !== (found.key === undefined)) {
    const [has, lacks] = found.cert === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
    return {
      refusal: `There is a ${has} to show to the engine and no ${lacks} with it. Give both (cert.pem and key.pem in ${variable}, or EVENKEEL_ENGINE_TLS_CERT and EVENKEEL_ENGINE_TLS_KEY) and start Evenkeel again.`,
    };
  }
  return { tls: found };
}

/** Only what cannot be another machine, however it is resolved. */
function isLoopback(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function withoutPassword(endpoint: string): string {
  return endpoint.replace(/^([a-z]+:\/\/[^/@:]*):[^/@]*@/i, '$1:••••@');
}
