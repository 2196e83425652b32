/** Completion for fish, 3.0 and later. Not here: what is completed (`model.ts`). */
import { NAME } from '../name.ts';
import { QUORUM_SET_NAMES } from '../option-table.ts';
import type { Completes } from '../option-table.ts';
import { completedCommands, generalOptions, topics, valueOptions } from './model.ts';
import type { CompletedCommand, CompletedOption } from './model.ts';

const F = `__${NAME.replaceAll('-', '_')}`;

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** The flags that complete a word of this kind; a value without choices is nobody's file. */
function flags(completes: Completes): string {
  switch (completes) {
    case 'archive':
    case 'destination':
      return `-f -a ${quoted(`(${F}_names archives; __fish_complete_directories (commandline -ct))`)}`;
    case 'archive-or-file':
      return `-F -a ${quoted(`(${F}_names archives)`)}`;
    case 'command':
      return `-f -a ${quoted(topics().join(' '))}`;
    case 'file':
      return '-F';
    case 'quorum-set':
      return `-F -a ${quoted(`${QUORUM_SET_NAMES.join(' ')} (${F}_names quorum-sets)`)}`;
    default:
      return completes.length === 0 ? '-f' : `-f -a ${quoted(completes.join(' '))}`;
  }
}

function option(when: string, { name, short, value, completes, says }: CompletedOption): string {
  const behind = value === undefined ? '-f' : `-r ${flags(completes)}`;
  return `complete -c ${NAME} -n ${quoted(when)} ${short === undefined ? '' : `-s ${short} `}-l ${name} ${behind} -d ${quoted(says)}`;
}

function operands({ name, operands: all }: CompletedCommand): string[] {
  const repeats = all[0]?.many === true;
  return (repeats ? all.slice(0, 1) : all).map(({ completes }, index) => `complete -c ${NAME} -n ${quoted(`${F}_at ${name}${repeats ? '' : ` ${index}`}`)} ${flags(completes)}`);
}

export function fishCompletion(): string {
  const commands = completedCommands();
  const values = valueOptions().flatMap(({ name, short }) => [...(short === undefined ? [] : [`-${short}`]), `--${name}`]);
  return `# fish completion for ${NAME}. Made by: ${NAME} completion fish
# To use it: write it to ~/.config/fish/completions/${NAME}.fish

# The words that are no options and not their values.
function ${F}_words
    set -l skip
    for word in (commandline -opc)[2..-1]
        if set -q skip[1]
            set -e skip
        else if contains -- $word ${values.join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Whether the command is $argv[1], and as many words as $argv[2] stand behind it, if that is given.
function ${F}_at
    set -l words (${F}_words)
    test "$words[1]" = "$argv[1]"; or return 1
    test (count $argv) -lt 2; or test (count $words) -eq (math $argv[2] + 1)
end

function ${F}_no_command
    test (count (${F}_words)) -eq 0
end

# The names of the config file: those of today.
function ${F}_names
    set -l program (string replace -r '^~' $HOME -- (commandline -opc)[1])
    command $program config $argv[1] 2>/dev/null
end

complete -c ${NAME} -f
${generalOptions().map((one) => option(`${F}_no_command`, one)).join('\n')}
${commands.map(({ name, says }) => `complete -c ${NAME} -n ${F}_no_command -f -a ${name} -d ${quoted(says)}`).join('\n')}

${commands.map((command) => [...command.options.map((one) => option(`${F}_at ${command.name}`, one)), ...operands(command)].join('\n')).join('\n\n')}
`;
}
