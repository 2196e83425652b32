/**
 * Where the config file lies: the first of the places that somebody named, or the one that the platform has for such files.
 *
 * Not here: reading it.
 */
import { isAbsolute, join } from 'node:path';
import { NAME } from '../name.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const VARIABLE = 'STELLAR_ARCHIVE_VERIFIER_CONFIG';

export interface Place {
  /** What names it. */
  readonly from: '--config' | typeof VARIABLE | 'the usual place';
  /** `null` where nothing names one. */
  readonly path: string | null;
}

export interface Platform {
  readonly name: string;
  readonly home: string;
}

/** The folder of config files; `null` where nothing says which it is. */
function folder(env: Environment, { name, home }: Platform): string | null {
  if (name === 'win32') return env['APPDATA'] || null;
  const xdg = env['XDG_CONFIG_HOME'];
  // The specification wants relative ones ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return xdg;
  if (home === '') return null;
  return name === 'darwin' ? join(home, 'Library', 'Application Support') : join(home, '.config');
}

/** Every place in the order in which they count. */
export function places(option: string | undefined, env: Environment, platform: Platform): readonly Place[] {
  const usual = folder(env, platform);
  return [
    { from: '--config', path: option ?? null },
    { from: VARIABLE, path: env[VARIABLE] || null },
    { from: 'the usual place', path: usual === null ? null : join(usual, NAME, 'config.toml') },
  ];
}
