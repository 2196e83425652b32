/** Commands that repeat a hash without this page: the bytes out of the archive, or from hexadecimal digits, into `sha256sum`. Pure. */
import type { Check, Excerpt } from '../../lib/explore-types.ts';
import { quoted } from '../form.ts';

/** Where the files of an archive are: `base` an address, or the path of a folder or a zip. */
export interface Place {
  readonly base: string;
  /** Which folder of the zip. */
  readonly inside?: string;
  readonly online: boolean;
}

/** The whole file as it was before gzip, on standard output. */
export function inflated({ base, inside, online }: Place, path: string): string {
  if (inside !== undefined) return `unzip -p ${quoted(`./${base}`)} ${quoted(inside + path)} | gzip -dc`;
  if (online) return `curl -s ${quoted(new URL(path, base.endsWith('/') ? base : `${base}/`).href)} | gzip -dc`;
  return `gzip -dc ${quoted(`${base.startsWith('/') ? base : `./${base}`}/${path}`)}`;
}

function excerpt(place: Place, { path, offset, length }: Excerpt): string {
  return `${inflated(place, path)} | tail -c +${offset + 1} | head -c ${length} | sha256sum`;
}

/** Pieces one after another: each file is fetched once, and put aside for as long as it takes. */
function pieces(place: Place, parts: readonly Excerpt[]): string {
  const paths = [...new Set(parts.map(({ path }) => path))];
  const fetched = paths.map((path, number) => `${inflated(place, path)} > "$d/${number}"`);
  const cut = parts.map(({ path, offset, length }) => `tail -c +${offset + 1} "$d/${paths.indexOf(path)}" | head -c ${length}`);
  return `d=$(mktemp -d); ${fetched.join('; ')}; { ${cut.join('; ')}; } | sha256sum; rm -r "$d"`;
}

/** `null` where the bytes are not given. */
export function commandOf(place: Place, check: Check): string | null {
  if (check.of !== null) return excerpt(place, check.of);
  if (check.parts !== undefined && check.parts.length > 0) return pieces(place, check.parts);
  return check.hex === null ? null : `echo ${check.hex} | xxd -r -p | sha256sum`;
}

export function bucketCommand(place: Place, path: string): string {
  return `${inflated(place, path)} | sha256sum`;
}
