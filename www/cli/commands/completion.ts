/** `completion <bash|zsh|fish>`: a script for a shell. Not here: the scripts (`completion/`). */
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { usage } from '../options.ts';
import { OK } from './command.ts';
import type { Command } from './command.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
type Shell = keyof typeof SHELLS;

const KNOWN = `There is one for ${Object.keys(SHELLS).join(', ')}: completion bash, for example.`;

function isShell(word: string): word is Shell {
  return Object.hasOwn(SHELLS, word);
}

export const completion: Command = {
  prepare({ positionals }) {
    const [word = '', ...more] = positionals;
    if (word === '') throw usage('completion needs the name of a shell', KNOWN);
    if (more.length > 0) throw usage(`completion is for one shell, and ${JSON.stringify(more[0])} is one too many`, 'Run it once for each.');
    // As $SHELL has it.
    const name = word.replace(/^.*\//, '');
    if (!isShell(name)) throw usage(`there is no completion for ${JSON.stringify(word)}`, KNOWN);
    return async (session) => {
      const script = SHELLS[name]();
      if (session.json) session.result({ type: 'completion', shell: name, script });
      else session.print(script.trimEnd());
      return OK;
    };
  },
};
