import type { JSX } from 'preact';

/** A file of the archive. Linked only where the result stays inside the archive's own origin. */
export function FileLink({ archive, path }: { readonly archive: string; readonly path: string }): JSX.Element {
  const root = archive.endsWith('/') ? archive : `${archive}/`;
  const url = URL.canParse(path, root) ? new URL(path, root) : null;
  const inside = url !== null && /^https?:$/.test(url.protocol) && url.origin === new URL(root).origin;
  return inside ? (
    <a class="path" href={url.href} target="_blank" rel="noreferrer noopener">{path}</a>
  ) : (
    <span class="path">{path}</span>
  );
}
