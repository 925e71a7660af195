import { buildImage, type Image, type ImageSpec } from './image.ts';

/** Any part of the image can be set beside the behaviour; the behaviour's command stays. */
type More = Omit<ImageSpec, 'cmd'>;

const isHealthy = 'test -e /run/testbed/healthy';

/** Images with a behaviour. All react to SIGTERM within milliseconds. Health checks run every second. */
export const images = {
  /** Answers "version N" over HTTP on the port (80). */
  listens: ({ port = 80, ...more }: More & { version: string; port?: number }): Promise<Image> =>
    buildImage({ expose: [String(port)], ...more, cmd: ['listens', more.version, String(port)] }),

  /** Answers like `listens` and has a health check that passes. */
  healthy: (more: More & { version: string }): Promise<Image> =>
    images.listens({ healthcheck: { test: 'wget -q -O /dev/null http://127.0.0.1/' }, ...more }),

  /** Starting for `seconds` (2), then healthy. */
  healthyLate: ({ seconds = 2, ...more }: More & { seconds?: number } = {}): Promise<Image> =>
    buildImage({
      healthcheck: { test: isHealthy, startPeriod: 60, retries: 3 },
      ...more,
      cmd: ['healthy-late', String(seconds)],
    }),

  /** Healthy for `seconds` (3), then unhealthy. */
  turnsUnhealthy: ({ seconds = 3, ...more }: More & { seconds?: number } = {}): Promise<Image> =>
    buildImage({ healthcheck: { test: isHealthy, retries: 1 }, ...more, cmd: ['turns-unhealthy', String(seconds)] }),

  /** Runs, but its health check fails from the first time on. */
  neverHealthy: (more: More = {}): Promise<Image> =>
    buildImage({
      healthcheck: { test: 'echo "the database does not answer"; exit 1', retries: 1 },
      ...more,
      cmd: ['sleeper'],
    }),

  /** Ends at once, or after `seconds`, with the code (1). */
  exitsAtOnce: ({ code = 1, seconds = 0, ...more }: More & { code?: number; seconds?: number } = {}): Promise<Image> =>
    buildImage({ ...more, cmd: ['exits', String(code), String(seconds)] }),

  /** Its entrypoint is not in the image, so the engine refuses to start it (400). */
  lacksEntrypoint: (more: More = {}): Promise<Image> =>
    buildImage({ ...more, entrypoint: ['/no/such/program'], cmd: [] }),

  /** Prints `lines` (10) at once, alternating between standard output and error, then one every `every` seconds (0: none). */
  logsLines: ({ lines = 10, every = 0, ...more }: More & { lines?: number; every?: number } = {}): Promise<Image> =>
    buildImage({ ...more, cmd: ['logs-lines', String(lines), String(every)] }),

  /** A service of the demo: answers over HTTP on 80, is healthy, and logs in several levels. With `broken` it never is. */
  service: ({
    name,
    every = 5,
    broken = '',
    ...more
  }: More & { name: string; version: string; every?: number; broken?: string }): Promise<Image> =>
    buildImage({
      expose: ['80'],
      healthcheck: { test: 'wget -q -O /dev/null http://127.0.0.1/', interval: 3, retries: 2, startPeriod: 1 },
      ...more,
      cmd: ['service', name, more.version, '80', String(every), broken],
    }),

  /** Does nothing until it is stopped. */
  sleeper: (more: More = {}): Promise<Image> => buildImage({ ...more, cmd: ['sleeper'] }),

  /**
   * The two versions of the recreate tests: ENV, LABEL, ENTRYPOINT, CMD, EXPOSE, WORKDIR, HEALTHCHECK, VOLUME, USER-free
   * defaults all differ. Both answer "version N" on port 80 + N - 1.
   */
  fidelity: (version: 1 | 2, more: ImageSpec = {}): Promise<Image> => {
    const port = version === 1 ? '80' : '81';
    return buildImage({
      version: `${version}.0.0`,
      env: [`A=${version}`, `VERSION=${version}`, `ONLY_V${version}=yes`],
      labels: { v: String(version), [`only.v${version}`]: 'yes' },
      entrypoint: [`entry-${version}`],
      cmd: ['serve', port],
      expose: [port],
      workdir: version === 1 ? '/srv/one' : '/srv/two',
      volumes: version === 1 ? ['/data', '/old'] : ['/data', '/new'],
      healthcheck: {
        test: `wget -q -O /dev/null http://127.0.0.1:${port}/`,
        timeout: version === 1 ? 4 : 5,
        retries: version === 1 ? 3 : 4,
      },
      files: [
        { path: 'data', directory: true },
        { path: 'data/from-image', content: `version ${version}\n` },
        ...['srv', 'srv/one', 'srv/two', version === 1 ? 'old' : 'new'].map((path) => ({ path, directory: true })),
      ],
      ...more,
    });
  },
};
