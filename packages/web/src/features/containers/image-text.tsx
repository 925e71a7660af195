import { shortDigest, splitImage } from '../../lib/format.ts';

/** A reference with its tag made plain: the name may be cut, the tag never is. */
export function ImageText({ image }: { image: string }) {
  const { name, tag, digest } = splitImage(image);
  return (
    <span className="flex min-w-0 font-mono text-xs" title={image}>
      <span className="truncate text-muted">{name}</span>
      {tag ? <span className="shrink-0 text-text">:{tag}</span> : null}
      {digest ? <span className="shrink-0 text-faint">@{shortDigest(digest)}</span> : null}
    </span>
  );
}
