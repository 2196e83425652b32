/**
 * The archive that is looked into: which of the form's it is, and how the engine gets at it.
 *
 * Not here: the form's rules for addresses, which it shares with checks.
 */
import type { ArchiveExplorer } from '../../lib/explore-types.ts';
import { folders } from '../folders.ts';
import { checkForm, EMPTY_FORM, type FieldFault, type Source } from '../form.ts';
import { form, sourceLabel } from '../store.ts';
import { explorerOf } from './client.ts';

export type Archive =
  /** `base`: where its files are, for links and commands: an address, or the name of a folder or a zip. `inside`: which folder of the zip. */
  | {
    readonly state: 'open'; readonly explorer: ArchiveExplorer; readonly name: string; readonly base: string; readonly inside?: string;
    readonly online: boolean; readonly source: Source;
  }
  | { readonly state: 'none' }
  | { readonly state: 'fault'; readonly name: string; readonly fault: FieldFault; readonly source: Source };

function given(source: Source): boolean {
  return source.kind === 'folder' || source.url.trim() !== '';
}

export function archiveAt(place: number): Archive {
  const { sources } = form.value;
  const source = sources[place] ?? sources[0];
  const wanted = source !== undefined && given(source) ? source : sources.find(given);
  if (wanted === undefined) return { state: 'none' };
  const name = sourceLabel(wanted);
  const decision = checkForm({ ...EMPTY_FORM, sources: [wanted] }, new URL(location.href), { folders: folders.value, files: new Map(), quorumSets: [] });
  if (!decision.ok) return { state: 'fault', name, source: wanted, fault: decision.faults['archive'] ?? { message: 'This archive cannot be read.' } };
  if (wanted.kind === 'url') return { state: 'open', explorer: explorerOf({ url: name }), name, base: name, online: true, source: wanted };
  const folder = folders.value.get(wanted.name);
  if (folder === undefined) return { state: 'none' };
  if (folder.zip !== undefined) {
    const explorer = explorerOf({ name: wanted.name, zip: folder.zip });
    return { state: 'open', explorer, name, base: wanted.name, inside: folder.inside?.root ?? '', online: false, source: wanted };
  }
  const explorer = folder.handle === undefined ? explorerOf({ name: wanted.name, files: folder.files ?? new Map() }) : explorerOf({ name: wanted.name, handle: folder.handle });
  return { state: 'open', explorer, name, base: wanted.name, online: false, source: wanted };
}

/** Bytes of a file as stored, without reading it; `null` where that cannot be known. */
export async function sizeOf(archive: Extract<Archive, { state: 'open' }>, path: string, signal: AbortSignal): Promise<number | null> {
  try {
    if (archive.source.kind === 'url') {
      const answer = await fetch(new URL(path, archive.base), { method: 'HEAD', credentials: 'omit', referrerPolicy: 'no-referrer', signal });
      const length = answer.headers.get('content-length');
      return answer.ok && length !== null ? Number(length) : null;
    }
    const folder = folders.value.get(archive.source.name);
    if (folder?.inside !== undefined) return folder.inside.sizeOf(path);
    if (folder?.files !== undefined) return folder.files.get(path)?.size ?? null;
    if (folder?.handle === undefined) return null;
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let at: FileSystemDirectoryHandle = folder.handle;
    for (const part of parts) at = await at.getDirectoryHandle(part);
    return (await (await at.getFileHandle(name)).getFile()).size;
  } catch {
    return null;
  }
}
