/** Short text for people. Times are epoch milliseconds or ISO 8601, sizes are bytes; `locale` is a BCP 47 tag. */

/** `3 d`, `5 h`, `12 min`, `40 s`: the largest whole unit. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

/** `1.2 s`, `340 ms`: for measured gaps and steps. */
export function formatMilliseconds(milliseconds: number, locale: string): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const digits = milliseconds < 10_000 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(milliseconds / 1000)} s`;
}

/** `3 days ago`, in the words of the locale. The clocks of server and browser may differ: what seems to come is now. */
export function formatAgo(moment: string, now: number, locale: string): string {
  const seconds = Math.min(0, Math.round((Date.parse(moment) - now) / 1000));
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  const size = Math.abs(seconds);
  if (size < 60) return format.format(seconds, 'second');
  if (size < 3600) return format.format(Math.trunc(seconds / 60), 'minute');
  if (size < 86_400) return format.format(Math.trunc(seconds / 3600), 'hour');
  if (size < 86_400 * 60) return format.format(Math.trunc(seconds / 86_400), 'day');
  if (size < 86_400 * 730) return format.format(Math.trunc(seconds / (86_400 * 30)), 'month');
  return format.format(Math.trunc(seconds / (86_400 * 365)), 'year');
}

/** Date and time to the second in the locale and the reader's time zone. */
export function formatMoment(moment: string, locale: string): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return moment;
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' }).format(date);
}

/** `12.3 MB`, powers of 1000 as registries count. */
export function formatBytes(bytes: number, locale: string): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value < 10 && unit > 0 ? 1 : 0;
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${units[unit] ?? ''}`;
}

/** The first twelve digits, without the algorithm. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** A text for reading, with every digest in it cut to its first twelve digits. */
export function shortenDigests(text: string): string {
  return text.replace(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, 'sha256:$1…');
}

/** Cuts a reference into what names the image and what names its version, for display. */
export function splitImage(image: string): { name: string; tag: string | null; digest: string | null } {
  const at = image.indexOf('@');
  const digest = at === -1 ? null : image.slice(at + 1);
  const rest = at === -1 ? image : image.slice(0, at);
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/') && !rest.startsWith('sha256:'))
    return { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
  return { name: rest, tag: null, digest };
}

/** The address when it is one that may stand in a link, else undefined: `javascript:` and its kin never become links. */
export function safeLink(address: string | null | undefined): string | undefined {
  if (!address || !/^https?:\/\//i.test(address)) return undefined;
  return URL.canParse(address) ? new URL(address).href : undefined;
}
