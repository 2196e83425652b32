/** `config`: where the config file was looked for, and what it says. Not here: reading it (`config/`), which every command has done. */
import type { Loaded } from '../config/load.ts';
import { VARIABLE } from '../config/place.ts';
import { shown } from '../destination.ts';
import { similar, usage } from '../options.ts';
import { clean, table } from '../text.ts';
import { OK } from './command.ts';
import type { Command } from './command.ts';

const LISTS = ['archives', 'quorum-sets'] as const;
type List = (typeof LISTS)[number];

function isList(word: string): word is List {
  return LISTS.some((list) => list === word);
}

type PlaceStatus = 'absent' | 'not named' | 'not looked at' | 'read';

interface Looked {
  readonly from: string;
  readonly path: string | null;
  readonly status: PlaceStatus;
}

/** The first that is named counts; what follows is not even looked at. */
function looked({ places, file }: Loaded): readonly Looked[] {
  const first = places.findIndex(({ path }) => path !== null);
  return places.map(({ from, path }, index) => ({
    from, path, status: path === null ? 'not named' : index > first ? 'not looked at' : file === null ? 'absent' : 'read',
  }));
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [[title, ...table(rows, 3).split('\n').map((line) => `  ${line}`)].join('\n')];
}

function text(found: Loaded, places: readonly Looked[]): string {
  const { archives, quorumSets, options } = found.config;
  const says = [
    ...section('Archives', [...archives].flatMap(([name, { at, network, quorumSet }]) => [
      ...at.map((one, index) => [index === 0 ? name : '', clean(shown(one))]),
      ...(network === undefined ? [] : [['', `network ${clean(network)}`]]),
      ...(quorumSet === undefined ? [] : [['', `quorum set ${clean(quorumSet)}`]]),
    ])),
    ...section('Quorum sets', [...quorumSets].map(([name, path]) => [name, clean(path)])),
    ...section('Options, where the command line does not say otherwise', Object.entries(options).map(([name, value]) => [`--${name}`, clean(value)])),
  ];
  return [
    ...section('Looked for', places.map(({ from, path, status }) => [from, status, clean(path ?? '')])),
    ...(found.file === null ? ['There is no config file. help config shows what may be in one.'] : says.length === 0 ? ['The config file says nothing.'] : says),
  ].join('\n\n');
}

export const config: Command = {
  prepare({ positionals }) {
    const [word, ...more] = positionals;
    if (more.length > 0) throw usage(`config shows one list, and ${JSON.stringify(more[0])} is one too many`, `Write config, or config with one of ${LISTS.join(' and ')}.`);
    if (word !== undefined && !isList(word)) {
      const near = similar(word, LISTS);
      throw usage(`config has no list ${JSON.stringify(word)}`, near === undefined ? `There are ${LISTS.join(' and ')}; config alone shows all of it. To name another file: --config FILE, or ${VARIABLE}.` : `Did you mean ${near}?`);
    }
    return async (session) => {
      const found = session.loaded;
      const { archives, quorumSets, options } = found.config;
      if (word !== undefined && !session.json) {
        const names = [...(word === 'archives' ? archives : quorumSets).keys()];
        if (names.length > 0) session.print(names.join('\n'));
        return OK;
      }
      const places = looked(found);
      if (!session.json) session.print(text(found, places));
      else {
        session.result({
          type: 'config', file: found.file, places,
          archives: Object.fromEntries([...archives].map(([name, { at, network, quorumSet }]) => [name, { at: at.map(shown), network: network ?? null, quorumSet: quorumSet ?? null }])),
          quorumSets: Object.fromEntries(quorumSets), options,
        });
      }
      return OK;
    };
  },
};
