/** The archives beside those of a check: which of those that the page knows are of the same network. Nothing is asked here. */
import type { Report } from '../lib/types.ts';
import { engine, form, localArchives, sourceLabel } from './store.ts';

/** So many are asked, at most. */
const ARCHIVES = 6;

/** Reports leave the slash at the end out. */
export const bare = (archive: string): string => archive.replace(/\/$/, '');

/** Archives that say they are of the report's network and took no part in its check: those of the form, of this server, of the presets. */
export function othersOf(report: Report): readonly string[] {
  const network = report.network?.passphrase;
  const taken = new Set(report.archives.map(bare));
  const presets = engine.value.state === 'ready' ? engine.value.engine.presets : [];
  const known = [
    ...form.value.sources.flatMap((source) => (source.kind === 'url' && source.url.trim() !== '' ? [sourceLabel(source)] : [])),
    ...localArchives.value.filter((local) => local.network === network).map(({ url }) => new URL(url, location.href).href),
    ...presets.filter(({ passphrase }) => passphrase === network).flatMap(({ archives }) => archives.map(({ url }) => url)),
  ];
  const others = known.filter((archive, place) => !taken.has(bare(archive)) && known.findIndex((other) => bare(other) === bare(archive)) === place);
  return network === undefined || network === null ? [] : others.slice(0, ARCHIVES);
}
