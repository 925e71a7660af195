/** One version of a demo image. */
export interface DemoVersion {
  version: string;
  /** Days before today that it was built. */
  age: number;
  /** Tags that point at it. */
  tags: readonly string[];
  env?: readonly string[];
  /** Why this version never becomes healthy. */
  broken?: string;
}

/** One container of the demo. */
export interface DemoContainer {
  name: string;
  repository: string;
  description: string;
  /** The version it runs, and those that came before and are only tags. */
  versions: readonly DemoVersion[];
  /** Tag that the container was created with; `digest` pins it to that version too, `local` never saw a registry. */
  reference: { tag: string; digest?: string } | { local: string };
  /** Versions that are pushed after the container was created: what there is to update to. */
  newer: readonly DemoVersion[];
  /** Compose service of the stack "shop". */
  service?: string;
  labels?: Readonly<Record<string, string>>;
  /** Options of `docker run`. */
  options?: readonly string[];
  /** Left stopped. */
  stopped?: boolean;
}

/** Takes new tags up to this level. */
const tagsUpTo = (level: 'patch' | 'minor' | 'major') => ({ 'evenkeel.tags': 'true', 'evenkeel.level': level });

/** The containers in the order in which they are created; what each one is there to show stands above it. */
export const demoStack: readonly DemoContainer[] = [
  // Up to date.
  {
    name: 'shop-db',
    repository: 'shop/db',
    description: 'Orders and customers of the shop',
    versions: [
      { version: '16.3.0', age: 120, tags: ['16.3.0'] },
      { version: '16.4.0', age: 33, tags: ['16.4.0', '16'], env: ['DB_MAX_CONNECTIONS=100'] },
    ],
    reference: { tag: '16.4.0' },
    newer: [],
    service: 'db',
    labels: tagsUpTo('minor'),
    options: ['-v', 'shop-orders:/var/data'],
  },
  // The tag's digest moved.
  {
    name: 'shop-api',
    repository: 'shop/api',
    description: 'Prices, stock and the basket',
    versions: [{ version: '2.3.0', age: 21, tags: ['2.3.0', 'stable'], env: ['API_CACHE_SECONDS=60'] }],
    reference: { tag: 'stable' },
    newer: [{ version: '2.3.1', age: 2, tags: ['2.3.1', 'stable'], env: ['API_CACHE_SECONDS=30', 'API_GZIP=on'] }],
    service: 'api',
    options: ['-e', 'DATABASE_HOST=db'],
  },
  // A patch.
  {
    name: 'shop-web',
    repository: 'shop/web',
    description: 'The pages of the shop',
    versions: [
      { version: '1.4.0', age: 74, tags: ['1.4.0'] },
      { version: '1.4.1', age: 40, tags: ['1.4.1'] },
      { version: '1.4.2', age: 18, tags: ['1.4.2', '1.4'] },
    ],
    reference: { tag: '1.4.2' },
    newer: [{ version: '1.4.3', age: 3, tags: ['1.4.3', '1.4'] }],
    service: 'web',
    labels: tagsUpTo('patch'),
    options: ['-p', '127.0.0.1::80', '-e', 'API_URL=http://api'],
  },
  // A minor version.
  {
    name: 'mail',
    repository: 'tools/mail',
    description: 'Mail server of the house',
    versions: [{ version: '2.1.0', age: 95, tags: ['2.1.0'] }],
    reference: { tag: '2.1.0' },
    newer: [
      { version: '2.1.1', age: 60, tags: ['2.1.1'] },
      { version: '2.2.0', age: 6, tags: ['2.2.0', '2'], env: ['MAIL_DKIM=on'] },
    ],
    labels: tagsUpTo('minor'),
    options: ['-v', 'mail-spool:/var/spool/mail'],
  },
  // A major version.
  {
    name: 'wiki',
    repository: 'tools/wiki',
    description: 'What we know, written down',
    versions: [{ version: '3.8.1', age: 140, tags: ['3.8.1', '3'] }],
    reference: { tag: '3.8.1' },
    newer: [{ version: '4.0.0', age: 9, tags: ['4.0.0', '4'], env: ['WIKI_EDITOR=blocks'] }],
    labels: tagsUpTo('major'),
    options: ['-p', '127.0.0.1::80', '-v', 'wiki-pages:/pages'],
  },
  // The new image never becomes healthy: its update is rolled back.
  {
    name: 'photos',
    repository: 'media/photos',
    description: 'Pictures and albums',
    versions: [{ version: '0.9.4', age: 28, tags: ['0.9.4', 'latest'] }],
    reference: { tag: 'latest' },
    newer: [
      {
        version: '0.10.0',
        age: 1,
        tags: ['0.10.0', 'latest'],
        broken: 'cannot migrate the library: column "taken_at" is missing',
      },
    ],
    options: ['-v', 'photo-library:/library'],
  },
  // Others live in its network.
  {
    name: 'vpn',
    repository: 'net/vpn',
    description: 'The way out',
    versions: [{ version: '1.20.0', age: 50, tags: ['1.20.0', '1'] }],
    reference: { tag: '1' },
    newer: [{ version: '1.21.0', age: 4, tags: ['1.21.0', '1'] }],
  },
  // Shares the network of another container and is recreated with it.
  {
    name: 'downloads',
    repository: 'media/downloads',
    description: 'Fetches what was asked for',
    versions: [{ version: '5.0.2', age: 15, tags: ['5.0.2'] }],
    reference: { tag: '5.0.2' },
    newer: [],
    options: ['--network', 'container:vpn', '--no-healthcheck'],
  },
  // Pinned by digest.
  {
    name: 'dns',
    repository: 'net/dns',
    description: 'Names for the house',
    versions: [{ version: '1.11.1', age: 200, tags: ['1.11.1', '1.11'] }],
    reference: { digest: '1.11.1', tag: '1.11' },
    newer: [{ version: '1.11.4', age: 12, tags: ['1.11.4', '1.11'] }],
  },
  // Built here, known to no registry.
  {
    name: 'notes',
    repository: 'notes',
    description: 'Built on this machine',
    versions: [{ version: '0.1.0', age: 5, tags: [] }],
    reference: { local: 'notes:dev' },
    newer: [],
  },
  // Stopped; an update replaces it and leaves it stopped.
  {
    name: 'reports',
    repository: 'tools/reports',
    description: 'Monthly figures, run by hand',
    versions: [{ version: '2026.10', age: 25, tags: ['2026.10', 'current'] }],
    reference: { tag: 'current' },
    newer: [{ version: '2026.11', age: 2, tags: ['2026.11', 'current'] }],
    stopped: true,
  },
];
