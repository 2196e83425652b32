/**
 * `log <ARCHIVE>…`: one line a checkpoint.
 *
 * Not here: what is in the lines.
 */
import { checkpointLog } from '../../lib/node.ts';
import type { LogLine, Status } from '../../lib/types.ts';
import { openArchives } from '../archive.ts';
import { checkpointFrequency, concurrency, defined, ledgers, maxRetries, order, timeoutMs } from '../options.ts';
import { errorsText, findingsText } from '../report-text.ts';
import { clean, hex, time } from '../text.ts';
import type { Paint, Style } from '../colour.ts';
import { COULD_NOT_COMPLETE, FAULTS, OK, archives } from './command.ts';
import type { Command } from './command.ts';

const MARKS: Readonly<Record<Status, { readonly mark: string; readonly style: Style }>> = {
  verified: { mark: '✓', style: 'green' },
  faulty: { mark: '✗', style: 'red' },
  unchecked: { mark: '–', style: 'yellow' },
};

function ledgersText({ first, last }: LogLine): string {
  return `${first}–${last}`;
}

/** `width` is that of the ledgers' column. */
function lineText(line: LogLine, width: number, paint: Paint): string {
  const { mark, style } = MARKS[line.status];
  const fields = [
    `${paint(style, mark)} ${paint('yellow', hex(line.checkpoint))}`,
    ledgersText(line).padEnd(width),
    ...(line.closeTime === null ? [] : [time(line.closeTime)]),
    ...(line.protocol === null ? [] : [`protocol ${line.protocol}`]),
    ...(line.hash === null ? [] : [clean(line.hash)]),
  ];
  const message = line.message === undefined || line.message === '' ? '' : `\n    ${clean(line.message)}`;
  return `${fields.join('  ').trimEnd()}${message}`;
}

export const log: Command = {
  prepare(words) {
    const { values } = words;
    const names = archives('log', words);
    const options = {
      ...ledgers(values),
      ...defined({
        order: order(values), concurrency: concurrency(values), maxRetries: maxRetries(values), timeoutMs: timeoutMs(values),
        checkpointFrequency: checkpointFrequency(values),
      }),
    };
    return async (session) => {
      const sources = await openArchives(names);
      const { paint } = session;
      let width = 0;
      let unchecked = 0;
      let faulty = 0;
      const { checkpoints, findings, errors, notes } = await checkpointLog(sources, { ...options, signal: session.signal }, (line) => {
        if (line.status === 'unchecked') unchecked += 1;
        else if (line.status === 'faulty') faulty += 1;
        width = Math.max(width, ledgersText(line).length);
        session.print(session.json ? JSON.stringify({ type: 'checkpoint', ...line }) : lineText(line, width, paint));
      });
      const several = names.length > 1;
      if (session.json) {
        for (const finding of findings) session.print(JSON.stringify({ type: 'finding', finding }));
        session.result({ type: 'done', checkpoints, findings: findings.length, errors, notes });
      } else {
        const blocks = [...(findings.length === 0 ? [] : [findingsText(findings, paint, '--json has them all', several)]), ...errorsText(errors, several), ...notes.map(({ message }) => clean(message))];
        if (blocks.length > 0) session.print(`${checkpoints === 0 ? '' : '\n'}${blocks.join('\n\n')}`);
      }
      if (faulty > 0 || findings.some(({ severity }) => severity === 'error')) return FAULTS;
      // What one archive did not give and another did is no loss.
      const less = notes.some(({ code }) => code === 'range-clamped' || code === 'range-empty');
      return unchecked > 0 || less || (checkpoints === 0 && errors.length > 0) ? COULD_NOT_COMPLETE : OK;
    };
  },
};
