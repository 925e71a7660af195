import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { images } from './behaviours.ts';
import { type DemoContainer, type DemoVersion, demoStack } from './demo-stack.ts';
import type { TestEngine } from './engine-access.ts';
import type { Image } from './image.ts';
import { digestOf } from './layer.ts';
import { loadImage } from './load.ts';
import { pushImage } from './push.ts';
import type { TestRegistry } from './registry.ts';

interface Seed {
  engine: TestEngine;
  registry: TestRegistry;
  directory: string;
  signal: AbortSignal;
}

const project = 'shop';
const network = `${project}_default`;

/** Makes the images, runs the containers on the older ones, then pushes the newer ones. Throws when the signal says so. */
export async function seedDemo(seed: Seed): Promise<void> {
  const { engine } = seed;
  const projectDirectory = join(seed.directory, project);
  mkdirSync(projectDirectory, { recursive: true });
  writeFileSync(join(projectDirectory, 'compose.yaml'), composeFile(seed.registry));
  const labels = [`com.docker.compose.project=${project}`, 'com.docker.compose.network=default'];
  await engine.docker('network', 'create', ...labels.flatMap((label) => ['--label', label]), network);
  const sharesNetwork = ({ options }: DemoContainer) => options?.some((option) => option.startsWith('container:'));
  // Owners of a shared network come before those who share it.
  for (const round of [demoStack.filter((each) => !sharesNetwork(each)), demoStack.filter(sharesNetwork)]) {
    const waiting = [...round];
    const makeNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        seed.signal.throwIfAborted();
        await makeContainer(seed, next, projectDirectory);
      }
    };
    await allSettled(Array.from({ length: atOnce }, makeNext));
  }
}

/** How many containers are made at the same time: most of the work is the engine's, in several processes. */
const atOnce = 3;

/** Like Promise.all, but it waits for all also when one fails: nothing is at work when the clean-up begins. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Pushes the older images, runs the container on its one, and pushes the newer images. */
async function makeContainer(seed: Seed, container: DemoContainer, projectDirectory: string): Promise<void> {
  await pushVersions(seed, container, container.versions);
  await runContainer(seed, container, projectDirectory);
  await pushVersions(seed, container, container.newer);
}

async function pushVersions(
  { registry }: Seed,
  container: DemoContainer,
  versions: readonly DemoVersion[],
): Promise<void> {
  for (const version of versions) {
    const image = await buildVersion(container, version);
    for (const tag of version.tags) await pushImage(registry, container.repository, tag, image);
  }
}

function buildVersion(
  { name, repository, description }: DemoContainer,
  { version, age, env = [], broken }: DemoVersion,
): Promise<Image> {
  // Whole days, so that the same version has the same digest however long the first start takes.
  const created = new Date(Math.floor(Date.now() / 86_400_000 - age) * 86_400_000);
  return images.service({
    name,
    version,
    env: [`APP_VERSION=${version}`, ...env],
    created,
    labels: {
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.created': created.toISOString(),
      'org.opencontainers.image.source': `https://github.com/evenkeel-demo/${repository.replace('/', '-')}`,
      'org.opencontainers.image.revision': digestOf(`${repository} ${version}`).slice(
        'sha256:'.length,
        'sha256:'.length + 40,
      ),
      'org.opencontainers.image.licenses': 'MIT',
    },
    ...(broken === undefined ? {} : { broken }),
  });
}

async function runContainer(seed: Seed, container: DemoContainer, projectDirectory: string): Promise<void> {
  const { engine } = seed;
  const { name, service, labels = {}, options = [], stopped } = container;
  const compose = service === undefined ? {} : composeLabels(service, projectDirectory);
  const membership = service === undefined ? [] : ['--network', network, '--network-alias', service];
  const labelOptions = Object.entries({ ...labels, ...compose }).flatMap(([key, value]) => [
    '--label',
    `${key}=${value}`,
  ]);
  const reference = await referenceOf(seed, container);
  await engine.docker(
    ...(stopped ? ['create', '--name', name] : ['run', '-d', '--name', name]),
    ...['--restart', 'unless-stopped', ...membership, ...labelOptions, ...options, reference],
  );
}

/** The reference to run; a local image is given to the engine first. */
async function referenceOf({ engine, registry }: Seed, container: DemoContainer): Promise<string> {
  const { reference, repository, versions } = container;
  if ('tag' in reference && reference.digest === undefined) return `${registry.host}/${repository}:${reference.tag}`;
  const version = versions.find((each) => 'local' in reference || each.version === reference.digest);
  if (version === undefined) throw new Error(`${container.name} has no version to run.`);
  const image = await buildVersion(container, version);
  if ('tag' in reference) return `${registry.host}/${repository}:${reference.tag}@${image.digest}`;
  await loadImage(engine, image, reference.local);
  return reference.local;
}

/** What compose writes on the containers of a project. */
function composeLabels(service: string, projectDirectory: string): Record<string, string> {
  return {
    'com.docker.compose.project': project,
    'com.docker.compose.service': service,
    'com.docker.compose.container-number': '1',
    'com.docker.compose.oneoff': 'False',
    'com.docker.compose.config-hash': digestOf(`${project} ${service}`).slice('sha256:'.length),
    'com.docker.compose.project.working_dir': projectDirectory,
    'com.docker.compose.project.config_files': join(projectDirectory, 'compose.yaml'),
    'com.docker.compose.version': '2.29.0',
  };
}

/** The file that such a project would have been started from. */
function composeFile(registry: TestRegistry): string {
  const services = demoStack.flatMap(({ name, repository, reference, service }) =>
    service === undefined || !('tag' in reference)
      ? []
      : [
          `  ${service}:`,
          `    container_name: ${name}`,
          `    image: ${registry.host}/${repository}:${reference.tag}`,
          '    restart: unless-stopped',
        ],
  );
  return `name: ${project}\nservices:\n${services.join('\n')}\n`;
}
