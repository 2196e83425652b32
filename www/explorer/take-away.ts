/**
 * What people take away from a check besides its report: the findings as a table, the map as a picture.
 *
 * Loaded when it is asked for. Not here: the report, the plan of a repair (the verifier makes it), and saving.
 */
import type { Finding, LedgerRange, Report } from '../lib/types.ts';
import type { CheckpointTable } from './checkpoints.ts';
import { MapPainter, layOut, readPalette } from './map-paint.ts';
import { grouped, shortName } from './format.ts';

const COLUMNS = ['severity', 'code', 'archive', 'path', 'checkpoint', 'ledger', 'bucket', 'offset', 'expected', 'actual', 'goodFrom', 'message', 'advice'] as const;

/** RFC 4180. A spreadsheet would compute what begins like a formula; an archive decides what some of these say. */
function cell(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value);
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function findingsCsv(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => COLUMNS.map((name) => cell(finding[name])).join(','));
  return `${[COLUMNS.join(','), ...rows].join('\r\n')}\r\n`;
}

const WIDTH = 1200;
const MARGIN = 32;
const HEAD = 76;
const FOOT = 44;

/** The whole map with its verdict, as a PNG; colours of the theme that `element` shows. */
export async function mapPicture(table: CheckpointTable, report: Report, sealed: readonly LedgerRange[], element: Element): Promise<Blob> {
  const map = document.createElement('canvas');
  const palette = readPalette(element);
  const layout = layOut({ start: 0, span: table.count }, WIDTH - 2 * MARGIN);
  new MapPainter().draw(map, table, layout, null, sealed, palette);
  const scale = Math.max(1, globalThis.devicePixelRatio);
  const height = HEAD + map.height / scale + FOOT;
  const picture = document.createElement('canvas');
  [picture.width, picture.height] = [WIDTH * scale, Math.round(height * scale)];
  const context = picture.getContext('2d');
  if (context === null) throw new Error('this browser draws no pictures');
  context.scale(scale, scale);
  context.fillStyle = palette.paper;
  context.fillRect(0, 0, WIDTH, height);
  context.drawImage(map, MARGIN - 3, HEAD, map.width / scale, map.height / scale);
  context.fillStyle = palette.ink;
  context.font = '600 20px system-ui, sans-serif';
  const range = report.range === null ? '' : ` · ledgers ${grouped(report.range.low)} to ${grouped(report.range.high)}`;
  context.fillText(`${report.verdict.toUpperCase()}${range}`, MARGIN, 34, WIDTH - 2 * MARGIN);
  context.font = '14px system-ui, sans-serif';
  context.fillText(report.archives.map(shortName).join(', '), MARGIN, 58, WIDTH - 2 * MARGIN);
  const { verified, faulty, unchecked, pending } = table.counts();
  const counts = `${grouped(verified)} checkpoints verified, ${grouped(faulty)} faulty, ${grouped(unchecked)} unchecked, ${grouped(pending)} not looked at`;
  context.fillText(`${counts} · ${report.startedAt.slice(0, 10)} · stellar-archive-verifier ${report.verifier.version}`, MARGIN, height - 18, WIDTH - 2 * MARGIN);
  return new Promise((resolve, reject) => {
    picture.toBlob((blob) => (blob === null ? reject(new Error('the picture is too large for this browser')) : resolve(blob)), 'image/png');
  });
}
