import type { ContainerInspect, CreateBody, HostConfig, ImageInspect } from '../platform/engine/engine-types.ts';
import { plainName } from './spec-api.ts';
import { replacementConfig } from './spec-config.ts';
import { isNothing } from './spec-equality.ts';
import { replacementHost } from './spec-host.ts';
import { cleanPath, replacementMounts, volumeMount } from './spec-mounts.ts';
import { replacementNetworks } from './spec-networks.ts';
import type { ReplacementSpec, SpecInput } from './spec-types.ts';

/**
 * The spec of the container that takes the place of another one, from a newer image or (for a dependant) from the same.
 * What equals the old image's default is not sent, so that the new image's default applies; everything else was the user's
 * and is sent. Pure: asks nothing, changes nothing.
 */
export function buildReplacement(input: SpecInput): ReplacementSpec {
  return build(input, { composeLabels: true });
}

/**
 * The spec that brings back the old container of a run after the engine destroyed it (`--rm`): same settings, same labels,
 * its volumes by name. Give `image` only where that name leads to the old image (after tagging it back): a container that
 * was created by id has lost its reference and cannot be updated any more. In both cases `inspect.Image` must be
 * `oldImage.Id` afterwards.
 */
export function buildRestoration(
  container: ContainerInspect,
  oldImage: ImageInspect,
  options: Omit<
    SpecInput,
    'container' | 'oldImage' | 'newImage' | 'image' | 'nameAlias' | 'finalName' | 'emptyVolumes'
  > & {
    readonly image?: string;
  },
): ReplacementSpec {
  const input: SpecInput = {
    ...options,
    container,
    oldImage,
    newImage: oldImage,
    image: options.image ?? oldImage.Id,
    emptyVolumes: new Set(),
    nameAlias: false,
    finalName: plainName(container.Name),
  };
  return build(input, { composeLabels: false });
}

/**
 * A container that is never started and only refers to every volume of a `--rm` container, so that the engine does not
 * destroy them with it. From the old image's id; the command only has to be there.
 */
export function buildHolder(container: ContainerInspect): CreateBody {
  const volumes = container.Mounts.filter((mount) => mount.Type === 'volume' && mount.Name !== undefined);
  const held = new Set(volumes.map((mount) => cleanPath(mount.Destination)));
  // A VOLUME of the image that the container covered by something else would become a new volume of the holder.
  const covered = Object.keys(container.Config.Volumes ?? {})
    .map(cleanPath)
    .filter((path) => !held.has(path));
  return {
    Image: container.Image,
    Entrypoint: ['hold'],
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: 'none',
      RestartPolicy: { Name: 'no' },
      Mounts: volumes.map(volumeMount),
      Tmpfs: Object.fromEntries(covered.map((path) => [path, ''])),
    },
  };
}

function build(input: SpecInput, options: { composeLabels: boolean }): ReplacementSpec {
  const { config, warnings } = replacementConfig(input, options);
  const host = replacementHost(input);
  const mounts = replacementMounts(input);
  const networks = replacementNetworks(input);
  const hostConfig: HostConfig = {
    ...host.host,
    ...mounts.mounts,
    ...(networks.networkMode === undefined ? {} : { NetworkMode: networks.networkMode }),
  };
  return {
    create: {
      ...config,
      HostConfig: hostConfig,
      ...(networks.endpoints === undefined ? {} : { NetworkingConfig: { EndpointsConfig: networks.endpoints } }),
    },
    platform: foreignPlatform(input.oldImage, input.daemonPlatform),
    connects: networks.connects,
    warnings: [...warnings, ...host.warnings, ...mounts.warnings, ...networks.warnings],
    losses: host.losses,
  };
}

/** `linux/arm/v7` where the image is not for the daemon's own platform: both pull and create have to be told. */
export function foreignPlatform(image: ImageInspect, daemonPlatform: string): string | undefined {
  const [os = '', architecture = '', variant = ''] = daemonPlatform.split('/');
  if (isNothing(image.Os) || isNothing(image.Architecture)) return undefined;
  const sameVariant = isNothing(image.Variant) || variant === '' || image.Variant === variant;
  if (image.Os === os && image.Architecture === architecture && sameVariant) return undefined;
  return [image.Os, image.Architecture, image.Variant].filter((part) => !isNothing(part)).join('/');
}
