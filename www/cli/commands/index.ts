/** The commands by name. Not here: what they do, and what is said of them (`manual/`). */
import type { CommandName } from '../manual/index.ts';
import { audit } from './audit.ts';
import { checkHeader } from './check-header.ts';
import type { Command } from './command.ts';
import { compare } from './compare.ts';
import { completion } from './completion.ts';
import { config } from './config.ts';
import { dump } from './dump.ts';
import { log } from './log.ts';
import { mirror } from './mirror.ts';
import { newHist } from './new-hist.ts';
import { prove } from './prove.ts';
import { publish } from './publish.ts';
import { quorumSets } from './quorum-sets.ts';
import { repair } from './repair.ts';
import { status } from './status.ts';
import { verifyCheckpoints } from './verify-checkpoints.ts';
import { verifyProof } from './verify-proof.ts';
import { verify } from './verify.ts';

export const COMMANDS: Readonly<Record<CommandName, Command>> = {
  verify, status, compare, 'check-header': checkHeader, log, dump, 'quorum-sets': quorumSets, 'verify-checkpoints': verifyCheckpoints, prove,
  'verify-proof': verifyProof, mirror, repair, 'new-hist': newHist, publish, audit, config, completion,
};
