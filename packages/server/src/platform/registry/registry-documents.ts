import { z } from 'zod';
import type { RegistryImageConfig, RegistryManifest } from './registry-client.ts';

/** What we read of registries' documents (OCI image spec 1.1, Docker image manifest v2.2). Lenient: unknown fields pass. */
const Platform = z
  .object({ os: z.string().default(''), architecture: z.string().default(''), variant: z.string().optional() })
  .transform(({ os, architecture, variant }) => ({ os, architecture, ...(variant ? { variant } : {}) }));
const DescriptorDocument = z
  .object({
    mediaType: z.string().default(''),
    digest: z.string().regex(/^[a-z0-9+._-]+:[0-9a-f]{32,}$/),
    size: z.number().default(0),
    platform: Platform.nullish(),
  })
  .transform(({ platform, ...rest }) => ({ ...rest, ...(platform ? { platform } : {}) }));
const IndexDocument = z.object({ mediaType: z.string().optional(), manifests: z.array(DescriptorDocument) });
const ImageDocument = z.object({
  mediaType: z.string().optional(),
  config: DescriptorDocument,
  layers: z.array(DescriptorDocument).default([]),
});
const nanoseconds = z.number().optional();
const strings = z.array(z.string()).nullish();
const map = z.record(z.string(), z.object({}).loose()).nullish();
const ConfigDocument = z.object({
  architecture: z.string().default(''),
  os: z.string().default(''),
  variant: z.string().nullish(),
  created: z.string().nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()).nullish() }).nullish(),
  config: z
    .object({
      Env: strings,
      Cmd: strings,
      Entrypoint: strings,
      ExposedPorts: map,
      Volumes: map,
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      Healthcheck: z
        .object({
          Test: strings,
          Interval: nanoseconds,
          Timeout: nanoseconds,
          StartPeriod: nanoseconds,
          StartInterval: nanoseconds,
          Retries: z.number().optional(),
        })
        .nullish(),
      StopSignal: z.string().nullish(),
    })
    .nullish(),
});
/** `null` is how some registries write an empty list; an answer without the key is none. */
export const TagPage = z.object({ tags: z.array(z.string()).nullable() });
export type TagPage = z.infer<typeof TagPage>;
export const TokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

/** Throws where the text is neither an image manifest nor an index. */
export function parseManifest(text: string, contentType: string): RegistryManifest {
  const json: unknown = JSON.parse(text);
  const index = IndexDocument.safeParse(json);
  if (index.success) {
    return { kind: 'index', mediaType: index.data.mediaType ?? contentType, manifests: index.data.manifests };
  }
  const image = ImageDocument.parse(json);
  const { config, layers } = image;
  return { kind: 'image', mediaType: image.mediaType ?? contentType, config, layers };
}

export function parseImageConfig(text: string): RegistryImageConfig {
  const { architecture, os, variant, created, rootfs, config } = ConfigDocument.parse(JSON.parse(text));
  const present = Object.entries(config ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return {
    architecture,
    os,
    ...(variant ? { variant } : {}),
    ...(created ? { created } : {}),
    diffIds: rootfs?.diff_ids ?? [],
    config: Object.fromEntries(present) as RegistryImageConfig['config'],
  };
}
