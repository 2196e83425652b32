/** What the program is called. Not here: anything else. */
export const NAME = 'stellar-archive-verifier';
