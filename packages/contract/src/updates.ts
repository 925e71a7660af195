import { z } from 'zod';
import { ListQuery, Moment } from './page.ts';

/** The ten states of update detection. An error is never shown as up to date. */
export const updateStates = [
  'up-to-date',
  'digest-update',
  'tag-update',
  'pulled-not-applied',
  'index-only-change',
  'pinned',
  'pinned-tag-moved',
  'local',
  'gone',
  'unknown',
] as const;
export const UpdateState = z.enum(updateStates);
export type UpdateState = z.infer<typeof UpdateState>;

/** Levels from the smallest to the largest; a policy names the highest that it takes. */
export const updateLevels = ['digest', 'prerelease', 'revision', 'patch', 'minor', 'major'] as const;
export const UpdateLevel = z.enum(updateLevels);
export type UpdateLevel = z.infer<typeof UpdateLevel>;

export const ConfigChange = z.object({
  field: z
    .string()
    .describe('`env.PATH`, `ports`, `user`, `entrypoint`, `cmd`, `volumes`, `healthcheck`, `workdir`, `labels.…`'),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export type ConfigChange = z.infer<typeof ConfigChange>;

/** An image newer than the running one, and what is known of it before it is applied. */
export const Candidate = z.object({
  id: z.string().describe('`<tag>@<digest>`: names exactly this image'),
  tag: z.string(),
  digest: z.string().describe('Digest of the tag: of the index where there is one'),
  platformDigest: z.string().nullable().describe('Digest of the manifest for the platform of the running image'),
  imageId: z.string().nullable().describe('Config digest: the id that the image gets on an engine'),
  level: UpdateLevel,
  version: z.string().nullable().describe('`org.opencontainers.image.version` of the new image'),
  createdAt: Moment.nullable(),
  firstSeenAt: Moment,
  sizeBytes: z.number().nullable().describe('Compressed size of all layers'),
  sizeDeltaBytes: z
    .number()
    .nullable()
    .optional()
    .describe(
      'How much larger the compressed layers are than those of the running image; null where these are not known',
    ),
  downloadBytes: z.number().nullable().describe('Compressed size of the layers that the running image lacks'),
  newLayers: z.int().nullable(),
  sharedLayers: z.int().nullable(),
  configChanges: z.array(ConfigChange),
  unread: z
    .string()
    .nullable()
    .optional()
    .describe('Why the configuration of the image could not be read, a sentence; its changes are then not known'),
  source: z.string().nullable().describe('`org.opencontainers.image.source`, http(s) only'),
  blocked: z
    .object({ code: z.enum(['too-new', 'quarantined', 'platform-missing', 'level']), reason: z.string() })
    .nullable()
    .describe('Why it is not proposed yet'),
});
export type Candidate = z.infer<typeof Candidate>;

/** What is known about updates of one container. */
export const Update = z.object({
  key: z.string().describe('`<host>/<container id>`'),
  host: z.string(),
  container: z.string().describe('Container id'),
  name: z.string(),
  stack: z.string().nullable(),
  image: z.string().describe('As configured'),
  reference: z.string().nullable().describe('Normalised `registry/repository:tag`, null when it cannot be known'),
  state: UpdateState,
  reason: z.string().nullable().describe('Why the state is what it is, a sentence'),
  watched: z.boolean().describe('False where a label or setting excludes the container'),
  checking: z.boolean(),
  checkedAt: Moment.nullable(),
  lastGoodAt: Moment.nullable().describe('When the registry last gave an answer'),
  lastGoodState: UpdateState.nullable().describe('What that answer was; shown beside `unknown`'),
  running: z.object({
    imageId: z.string(),
    digest: z.string().nullable(),
    tag: z.string().nullable(),
    version: z.string().nullable(),
    createdAt: Moment.nullable(),
    platform: z.string().nullable(),
  }),
  candidates: z.array(Candidate).describe('Best first; empty unless something is newer'),
});
export type Update = z.infer<typeof Update>;

export const UpdateListQuery = ListQuery.extend({
  host: z.string().max(64).optional(),
  state: UpdateState.optional(),
  pending: z.stringbool().optional().describe('Only those with something to apply'),
});

export const ContainerRef = z.strictObject({ host: z.string().min(1).max(64), container: z.string().min(1).max(255) });
export type ContainerRef = z.infer<typeof ContainerRef>;

export const CheckBody = z.strictObject({
  containers: z.array(ContainerRef).min(1).max(5000).optional().describe('All, when absent'),
  tags: z
    .boolean()
    .optional()
    .describe('Look for newer tags too. Default: as the label or setting of each container says'),
});
export type CheckBody = z.infer<typeof CheckBody>;
