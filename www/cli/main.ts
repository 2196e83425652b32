/**
 * The command line: `stellar-archive-verifier verify <ARCHIVE>…` and its siblings.
 *
 * Not here: rules about archives, which are in the WebAssembly; the commands themselves (`commands/`), and the words
 * people read (`help.ts`, `report-text.ts`).
 */
import process from 'node:process';
import { toVerifierError } from '../lib/errors.ts';
import { init, versions } from '../lib/node.ts';
import { parseRequest, wantedColour, wantsJson } from './arguments.ts';
import { COULD_NOT_COMPLETE, OK } from './commands/command.ts';
import type { Words } from './commands/command.ts';
import { COMMANDS } from './commands/index.ts';
import { loadConfig } from './config/load.ts';
import { Names } from './config/names.ts';
import { PAGES, isCommandName } from './manual/index.ts';
import type { CommandName } from './manual/index.ts';
import { commandHelp, generalHelp } from './manual/layout.ts';
import { NAME } from './name.ts';
import { colour } from './options.ts';
import { Session } from './session.ts';
import { inWordsOfOptions } from './trust.ts';

/** Carries out a command: by its words, and by what a config file adds to them. */
async function act(name: CommandName, written: Words, session: Session): Promise<number> {
  session.json = written.values.json === true;
  session.quiet = written.values.quiet === true;
  session.watchSignals(COULD_NOT_COMPLETE);
  session.loaded = await loadConfig(written.values.config);
  const { file, config } = session.loaded;
  const { remarks, ...words } = await new Names(config, file ?? '').applied(PAGES[name], written);
  session.colour = colour(words.values);
  for (const remark of remarks) session.say(remark);
  return COMMANDS[name].prepare(words)(session);
}

async function main(words: readonly string[], session: Session): Promise<number> {
  session.watchOutput();
  session.colour = wantedColour(words);
  if (words.length === 0) {
    process.stderr.write(generalHelp(session.layout(process.stderr)));
    return COULD_NOT_COMPLETE;
  }
  session.command = words.find(isCommandName);
  const request = parseRequest(words);
  switch (request.kind) {
    case 'help':
      process.stdout.write(request.topic === undefined ? generalHelp(session.layout(process.stdout)) : commandHelp(request.topic, session.layout(process.stdout)));
      return OK;
    case 'version': {
      await init();
      const { version, xdr } = versions();
      process.stdout.write(`${NAME} ${version} (XDR ${xdr})\n`);
      return OK;
    }
    case 'action':
      return act(request.command, request.words, session);
  }
}

// `exitCode`, not `exit()`: what is still on its way to a pipe must arrive.
const words = process.argv.slice(2);
const session = new Session();
main(words, session).then(
  (status) => {
    process.exitCode = status;
  },
  (thrown: unknown) => {
    const error = inWordsOfOptions(toVerifierError(thrown));
    process.exitCode = COULD_NOT_COMPLETE;
    if (session.isUnheard && error.code === 'ABORTED') return;
    // Words that make no sense may still ask for JSON.
    session.json ||= wantsJson(words);
    session.fail(error);
  },
);
