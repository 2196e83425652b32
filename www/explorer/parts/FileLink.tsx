import type { JSX } from 'preact';
import { shortName } from '../format.ts';

function linkInside(archive: string, path: string): URL | null {
  const root = archive.endsWith('/') ? archive : `${archive}/`;
  const url = URL.canParse(path, root) ? new URL(path, root) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === new URL(root).origin ? url : null;
}

/** A file as each of the archives has it. */
export function FileLinks({ archives, path }: { readonly archives: readonly string[]; readonly path: string }): JSX.Element {
  const [only] = archives;
  if (only !== undefined && archives.length === 1) return <FileLink archive={only} path={path} />;
  return (
    <span class="path">
      {path}
      {archives.map((archive, place) => {
        const url = linkInside(archive, path);
        return url !== null && <a key={archive} class="copy" href={url.href} title={shortName(archive)} target="_blank" rel="noreferrer noopener">{place + 1}</a>;
      })}
    </span>
  );
}

/** A file of the archive. Linked only where the result stays inside the archive's own origin. */
export function FileLink({ archive, path }: { readonly archive: string; readonly path: string }): JSX.Element {
  const url = linkInside(archive, path);
  return url !== null ? (
    <a class="path" href={url.href} target="_blank" rel="noreferrer noopener">{path}</a>
  ) : (
    <span class="path">{path}</span>
  );
}
