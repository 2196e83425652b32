/** The manual: the commands about the program itself. Not here: what the commands do. */
import { EVERYWHERE } from './environment.ts';
import type { Page } from './page.ts';
import { EVERYWHERE_OPTIONS } from './words.ts';

export const config: Page = {
  brief: '[archives | quorum-sets]',
  title: 'the config file: where it was looked for, and what it says',
  forms: ['[options]', 'archives', 'quorum-sets'],
  operands: [{ completes: ['archives', 'quorum-sets'] }],
  about: [
    'Shows which config file the commands go by and what is in it; with a word, only the names in it, one a line.',
    'The file is TOML, and need not exist. It gives names to archives and quorum sets, which can be written wherever an archive or a quorum set can, and defaults to options:',
    [
      '    [archives]',
      '    main = "https://history.example.org/main"                 # a URL or a folder',
      '    all = ["/srv/main", "https://history.example.org/main"]   # several copies of one history',
      '',
      '    [archives.own]                                            # with what else is known of it',
      '    at = "/srv/own"                                           # or a list',
      '    network = "My Private Network ; June 2026"                # as --network',
      '    quorum-set = "node"                                       # as --quorum-set',
      '',
      '    [quorum-sets]',
      '    node = "/etc/stellar/stellar-core.cfg"                    # a file or a preset',
      '',
      '    [options]                                                 # these four and bandwidth-limit',
      '    concurrency = 8',
      '    max-retries = 5',
      '    timeout-secs = 30',
      '    color = "never"',
    ].join('\n'),
    'Folders and files are relative to the folder of the config file. A name has letters, digits, - and _, so that no URL and no path can be mistaken for one. Where there is a folder (for quorum sets, a file) of that name, it is meant and not the name, as it would be without a config file: a line on stderr says so. What is written on the command line always wins over the file.',
    'It is looked for in this order: --config FILE, the variable STELLAR_ARCHIVE_VERIFIER_CONFIG, then stellar-archive-verifier/config.toml in the folder of config files: $XDG_CONFIG_HOME, or else ~/.config, on macOS ~/Library/Application Support, on Windows %APPDATA%. Only the first that is named is read; what --config or the variable names must exist.',
  ],
  groups: [{ title: 'Options', options: [['json', 'one JSON object with all of it']] }, EVERYWHERE_OPTIONS],
  exit: [[0, 'there is no config file, or nothing is wrong with it'], [2, 'it cannot be read, or says what makes no sense: which line, and what to do']],
  environment: [...EVERYWHERE, 'XDG_CONFIG_HOME', 'APPDATA'],
  examples: [
    { says: 'Which file is it, and what does it say?', lines: ['$0 config'] },
    {
      says: 'A first config file, and an archive by its name:',
      lines: [
        "printf '[archives]\\nsample = \"./archive\"\\n' > config.toml",
        '$0 verify sample --config config.toml',
      ],
    },
    { says: 'Without any config file, as scripts may want it:', lines: ['$0 verify ./archive --config /dev/null'] },
  ],
  seeAlso: ['verify', 'completion', 'help'],
};

export const completion: Page = {
  brief: '<bash | zsh | fish>',
  title: 'a script that completes commands, options and names in a shell',
  forms: ['<bash|zsh|fish> [options]'],
  operands: [{ completes: ['bash', 'zsh', 'fish'] }],
  about: [
    'Prints a script for a shell, which then completes commands, options, their values, files, and the names of archives and quorum sets in the config file (those it asks the program for, so they are always those of today).',
  ],
  groups: [{ title: 'Options', options: [['json', 'one JSON object with the script in it']] }, EVERYWHERE_OPTIONS],
  exit: [[0, 'the script is printed'], [2, 'there is none for that shell']],
  environment: EVERYWHERE,
  examples: [
    { says: 'bash, in this shell; put the line into ~/.bashrc for all:', lines: ['source <($0 completion bash)'] },
    { says: 'zsh: into a folder of $fpath, before compinit in ~/.zshrc:', lines: ['mkdir -p ~/.zfunc', '$0 completion zsh > ~/.zfunc/_$0'] },
    { says: 'fish:', lines: ['mkdir -p ~/.config/fish/completions', '$0 completion fish > ~/.config/fish/completions/$0.fish'] },
  ],
  seeAlso: ['config', 'help'],
};
