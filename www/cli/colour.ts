/**
 * Colours: the only place that knows their codes, and where they are wanted.
 *
 * Not here: what is painted. Every stream is judged by itself, because one may be a terminal and the other a file.
 */

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';
export type Paint = (style: Style, text: string) => string;

/** SGR codes (ECMA-48). */
const SGR: Readonly<Record<Style, number>> = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 };

export const plain: Paint = (_, text) => text;
export const coloured: Paint = (style, text) => `\u001b[${SGR[style]}m${text}\u001b[0m`;

/** When there are colours. `auto` is on a terminal, unless the environment says otherwise. */
export type ColourWhen = 'always' | 'auto' | 'never';

type Environment = Readonly<Record<string, string | undefined>>;

/** Set to something: an empty variable counts as none (no-color.org). */
function set(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

/** Whether it asks for colours: `0` and `false` ask for none. */
function asks(value: string): boolean {
  return value !== '0' && value !== 'false';
}

/**
 * Whether a stream gets colours. What was written on the command line wins over the environment; there `NO_COLOR` wins over
 * what forces colours, and either over `CLICOLOR=0`, over a terminal that knows no codes, and over whether it is a terminal.
 */
export function wantsColour(when: ColourWhen, isTerminal: boolean, env: Environment): boolean {
  if (when !== 'auto') return when === 'always';
  if (set(env, 'NO_COLOR') !== undefined) return false;
  const forced = set(env, 'FORCE_COLOR') ?? set(env, 'CLICOLOR_FORCE');
  if (forced !== undefined && asks(forced)) return true;
  if (set(env, 'FORCE_COLOR') !== undefined || env['CLICOLOR'] === '0' || env['TERM'] === 'dumb') return false;
  return isTerminal;
}
