/** Completion for zsh, by its own `_arguments`. Not here: what is completed (`model.ts`). */
import { NAME } from '../name.ts';
import { QUORUM_SET_NAMES } from '../option-table.ts';
import type { Completes } from '../option-table.ts';
import { completedCommands, generalOptions, topics } from './model.ts';
import type { CompletedCommand, CompletedOption } from './model.ts';

const F = `_${NAME}`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What completes a word of this kind, as the last part of a specification. */
function action(completes: Completes): string {
  switch (completes) {
    case 'archive':
    case 'destination':
      return `${F}_archives`;
    case 'archive-or-file':
      return `${F}_archives_or_files`;
    case 'command':
      return `(${topics().join(' ')})`;
    case 'file':
      return '_files';
    case 'quorum-set':
      return `${F}_quorum_sets`;
    default:
      return completes.length === 0 ? ' ' : `(${completes.join(' ')})`;
  }
}

function optionSpecs({ name, short, multiple, value, completes, says }: CompletedOption): string[] {
  const text = `[${says.replace(/[\\[\]]/g, '\\$&')}]`;
  const behind = value === undefined ? '' : `:${value.replaceAll(':', ' ')}:${action(completes)}`;
  const long = `--${name}${value === undefined ? '' : '='}`;
  const others = multiple ? '*' : short === undefined ? '' : `(-${short} --${name})`;
  return [...(short === undefined ? [] : [quoted(`${others}-${short}${text}${behind}`)]), quoted(`${others}${long}${text}${behind}`)];
}

function operandSpecs({ operands }: CompletedCommand): string[] {
  const [first] = operands;
  // Of several with a last one of its own, both complete in the same way.
  if (first?.many === true) return [quoted(`*:archive:${action(first.completes)}`)];
  return operands.map(({ completes }, index) => quoted(`${index + 1}: :${action(completes)}`));
}

function commandCase(command: CompletedCommand): string {
  const specs = [...command.options.flatMap(optionSpecs), ...operandSpecs(command)];
  return `    ${command.name})\n      _arguments -S \\\n${specs.map((spec) => `        ${spec}`).join(' \\\n')}\n      ;;`;
}

export function zshCompletion(): string {
  const commands = completedCommands();
  return `#compdef ${NAME}
# zsh completion for ${NAME}. Made by: ${NAME} completion zsh
# To use it: write it to a file _${NAME} in a folder of $fpath, before compinit.

# The names of the config file: those of today.
${F}_names() {
  local -a names
  names=(\${(f)"$(_call_program names \${(q)program} config $1 2>/dev/null)"})
  (( $#names )) && compadd -X '%B'$2'%b' -a names
}

${F}_archives() {
  local found=1
  ${F}_names archives 'archives of the config file' && found=0
  _path_files "$@" -/ && found=0
  return found
}

${F}_archives_or_files() {
  local found=1
  ${F}_names archives 'archives of the config file' && found=0
  _files "$@" && found=0
  return found
}

${F}_quorum_sets() {
  local found=1
  compadd -X '%Bpresets%b' ${QUORUM_SET_NAMES.join(' ')} && found=0
  ${F}_names quorum-sets 'quorum sets of the config file' && found=0
  _files && found=0
  return found
}

${F}() {
  local program=\${~words[1]} curcontext=$curcontext state
  local -a line commands
  local -A opt_args

  _arguments -C -S \\
${generalOptions().flatMap(optionSpecs).map((spec) => `    ${spec}`).join(' \\\n')} \\
    '1:command:->command' '*::word:->word' && return

  if [[ $state == command ]]; then
    commands=(
${commands.map(({ name, says }) => `      ${quoted(`${name}:${says.replaceAll(':', '\\:')}`)}`).join('\n')}
    )
    _describe -t commands command commands
    return
  fi
  case $line[1] in
${commands.map(commandCase).join('\n')}
  esac
}

# Loaded as a function of $fpath it completes at once; sourced it says what it is for.
if [[ $funcstack[1] == ${F} ]]; then ${F} "$@"; else compdef ${F} ${NAME}; fi
`;
}
