import type { JSX } from 'preact';
import { shortName } from '../format.ts';
import { inside } from '../good-file.ts';

/** A file as each of the archives has it. */
export function FileLinks({ archives, path }: { readonly archives: readonly string[]; readonly path: string }): JSX.Element {
  const [only] = archives;
  if (only !== undefined && archives.length === 1) return <FileLink archive={only} path={path} />;
  return (
    <span class="path">
      {path}
      {archives.map((archive, place) => {
        const url = inside(archive, path);
        return url !== null && <a key={archive} class="copy" href={url.href} title={shortName(archive)} target="_blank" rel="noreferrer noopener">{place + 1}</a>;
      })}
    </span>
  );
}

/** A file of the archive. Linked only where the result stays inside the archive's own origin. */
export function FileLink({ archive, path }: { readonly archive: string; readonly path: string }): JSX.Element {
  const url = inside(archive, path);
  return url !== null ? (
    <a class="path" href={url.href} target="_blank" rel="noreferrer noopener">{path}</a>
  ) : (
    <span class="path">{path}</span>
  );
}
