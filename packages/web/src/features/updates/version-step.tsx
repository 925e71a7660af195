import { ArrowRight } from 'lucide-react';
import { shortDigest } from '../../lib/format.ts';

interface Side {
  tag: string | null;
  version?: string | null;
  digest: string | null;
}

/** From → to: by tag or version where these differ, by digest where only the image moved. */
export function VersionStep({ from, to }: { from: Side; to: Side }) {
  const sameTag = from.tag === to.tag;
  const versions = sameTag && from.version && to.version && from.version !== to.version;
  const left = versions ? from.version : from.tag;
  const right = versions ? to.version : to.tag;
  const useDigest = sameTag && !versions;
  return (
    <span className="inline-flex max-w-full min-w-0 flex-wrap items-center gap-x-1.5 font-mono text-xs">
      <span className="min-w-0 truncate text-muted">
        {left ?? ''}
        {useDigest && from.digest ? <span className="text-faint"> {shortDigest(from.digest)}</span> : null}
        {left === null && !from.digest ? '–' : null}
      </span>
      <ArrowRight size={12} aria-label="→" className="shrink-0 text-faint" />
      <span className="min-w-0 truncate text-text">
        {useDigest && to.digest ? shortDigest(to.digest) : (right ?? '–')}
      </span>
    </span>
  );
}
