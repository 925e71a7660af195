import type { ContainerInspect, ContainerSummary } from '../platform/engine/engine-types.ts';

/**
 * What can be said of a container that is listed and cannot be inspected: as it was last seen, with the name and state of the
 * list. One that was never seen has the image, labels, mounts and networks that the list tells, and nothing else.
 */
export function standIn(summary: ContainerSummary, last: ContainerInspect | undefined): ContainerInspect {
  const known = last ?? neverSeen(summary);
  const { State: status } = summary;
  return {
    ...known,
    Name: summary.Names[0] ?? known.Name,
    State: {
      ...known.State,
      Status: status,
      // As an inspect has it: a paused or restarting container counts as running.
      Running: status === 'running' || status === 'paused' || status === 'restarting',
      Paused: status === 'paused',
      Restarting: status === 'restarting',
      Dead: status === 'dead',
    },
  };
}

const never = '0001-01-01T00:00:00Z';

function neverSeen(summary: ContainerSummary): ContainerInspect {
  return {
    Id: summary.Id,
    Created: new Date(summary.Created * 1000).toISOString(),
    Path: '',
    Args: [],
    State: {
      Status: summary.State,
      Running: false,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      ExitCode: 0,
      Error: '',
      StartedAt: never,
      FinishedAt: never,
    },
    Image: summary.ImageID,
    Name: summary.Names[0] ?? `/${summary.Id.slice(0, 12)}`,
    RestartCount: 0,
    HostConfig: summary.HostConfig ?? {},
    Mounts: summary.Mounts ?? [],
    Config: { Image: summary.Image, Labels: summary.Labels },
    NetworkSettings: { Networks: summary.NetworkSettings?.Networks ?? {} },
  };
}
