import type { Finding } from '@evenkeel/contract';
import type { ContainerInspect } from '../platform/engine/engine-types.ts';
import { finding, nameOf, taggable } from './run.ts';

const label = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  oneOff: 'com.docker.compose.oneoff',
  image: 'com.docker.compose.image',
  replace: 'com.docker.compose.replace',
  dependsOn: 'com.docker.compose.depends_on',
} as const;

/** The service of a Compose project that a container belongs to. */
export interface ComposeService {
  readonly project: string;
  readonly service: string;
  /** Made by `compose run`: no replica of the service. */
  readonly oneOff: boolean;
}

/** Undefined where the container was not made by Compose. */
export function composeService(container: ContainerInspect): ComposeService | undefined {
  const labels = container.Config.Labels ?? {};
  const [project, service] = [labels[label.project], labels[label.service]];
  if (project === undefined || service === undefined) return undefined;
  return { project, service, oneOff: labels[label.oneOff]?.toLowerCase() === 'true' };
}

/**
 * Labels of a replacement. Compose re-creates a container whose image label differs from the image that the tag names,
 * so that label follows the image, but only where Compose set it; `replace` names the container that was replaced.
 */
export function replacementLabels(
  labels: Readonly<Record<string, string>>,
  newImageId: string,
  finalName: string,
): Record<string, string> {
  if (labels[label.project] === undefined) return { ...labels };
  return {
    ...labels,
    ...(labels[label.image] === undefined ? {} : { [label.image]: newImageId }),
    [label.replace]: finalName,
  };
}

/** An update to another tag lasts only until Compose looks again, which knows the tag of its file. */
export function composeTagWarning(container: ContainerInspect, image: string): Finding[] {
  const service = composeService(container);
  const [old, next] = [tagOf(container.Config.Image ?? ''), tagOf(image)];
  if (service === undefined || old === undefined || next === undefined || old === next) return [];
  const name = nameOf(container);
  return [
    finding(
      'compose-tag',
      `${name} belongs to the Compose service ${service.service} of ${service.project}. As long as the compose file has the tag ${old}, the next docker compose up brings it back.`,
      `Write into the compose file: image: ${image}`,
    ),
  ];
}

function tagOf(image: string): string | undefined {
  return taggable(image.split('@')[0] ?? image)?.tag;
}

/** An entry of `depends_on`: the service, the condition that its start must reach, whether it takes the dependant along. */
export interface ServiceDependency {
  readonly service: string;
  readonly condition: string;
  readonly restart: boolean;
}

/** Reads `db:service_healthy:false,cache:service_started:true`; condition and restart may be missing. */
export function composeDependencies(container: ContainerInspect): ServiceDependency[] {
  const text = container.Config.Labels?.[label.dependsOn] ?? '';
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [service = '', condition = 'service_started', restart = 'false'] = entry.split(':');
      return { service, condition, restart: restart === 'true' };
    });
}
