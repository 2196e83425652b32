/**
 * The command line: `stellar-archive-verifier verify <ARCHIVE>…` and its siblings.
 *
 * Not here: rules about archives, which are in the WebAssembly; the commands themselves (`commands/`), and the words
 * people read (`help.ts`, `report-text.ts`).
 */
import process from 'node:process';
import { toVerifierError } from '../lib/errors.ts';
import { init, versions } from '../lib/node.ts';
import { parseRequest } from './arguments.ts';
import { COULD_NOT_COMPLETE, OK } from './commands/command.ts';
import { isCommandName } from './commands/index.ts';
import { GENERAL_HELP, HELP, NAME } from './help.ts';
import { Session } from './session.ts';
import { inWordsOfOptions } from './trust.ts';

/** Whether `words` ask for JSON, also where they make no sense otherwise. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

async function main(words: readonly string[], session: Session): Promise<number> {
  session.watchOutput();
  if (words.length === 0) {
    process.stderr.write(GENERAL_HELP);
    return COULD_NOT_COMPLETE;
  }
  session.command = words.find(isCommandName);
  const request = parseRequest(words);
  switch (request.kind) {
    case 'help':
      process.stdout.write(request.topic === undefined ? GENERAL_HELP : HELP[request.topic]);
      return OK;
    case 'version': {
      await init();
      const { version, xdr } = versions();
      process.stdout.write(`${NAME} ${version} (XDR ${xdr})\n`);
      return OK;
    }
    case 'action':
      session.json = request.json;
      session.quiet = request.quiet;
      session.watchSignals(COULD_NOT_COMPLETE);
      return request.act(session);
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
