/** Completion for bash, 3.2 (of macOS) and later. Not here: what is completed (`model.ts`). */
import { NAME } from '../name.ts';
import { QUORUM_SET_NAMES } from '../option-table.ts';
import type { Completes } from '../option-table.ts';
import { completedCommands, generalOptions, topics, valueOptions } from './model.ts';
import type { CompletedOption } from './model.ts';

const F = `_${NAME.replaceAll('-', '_')}`;

/** The call that completes a word of this kind. */
function call(completes: Completes): string {
  switch (completes) {
    case 'archive':
    case 'destination':
      return `${F}_files -d; ${F}_names archives`;
    case 'archive-or-file':
      return `${F}_files -f; ${F}_names archives`;
    case 'command':
      return `${F}_words '${topics().join(' ')}'`;
    case 'file':
      return `${F}_files -f`;
    case 'quorum-set':
      return `${F}_words '${QUORUM_SET_NAMES.join(' ')}'; ${F}_names quorum-sets; ${F}_files -f`;
    default:
      return completes.length === 0 ? ':' : `${F}_words '${completes.join(' ')}'`;
  }
}

function spellings({ name, short }: CompletedOption): string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
}

export function bashCompletion(): string {
  const commands = completedCommands();
  const operands = commands.flatMap(({ name, operands: all }) => all.map((operand, index) => {
    const place = operand.many === true || (all.length > 1 && all[0]?.many === true) ? '*' : String(index);
    return `    ${name}:${place}) ${call(operand.completes)} ;;`;
  }));
  return `# bash completion for ${NAME}. Made by: ${NAME} completion bash
# To use it: source <(${NAME} completion bash)

${F}_words() {
  local IFS=$' \\t\\n'
  COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

${F}_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY+=($(compgen "$1" -- "$cur"))
}

# The names of the config file: those of today.
${F}_names() {
  ${F}_words "$("\${COMP_WORDS[0]/#\\~/$HOME}" config "$1" 2>/dev/null)"
}

${F}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} option='' command='' operand=0 skip='' plain='' word i
  COMPREPLY=()

  # What stands before, without the values of options. bash splits at = and :, so --low=5 and https://host are three words each.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' || $word == ':' ]]; then skip=1; continue; fi
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ -n $plain || $word != -* ]]; then
      if [[ -z $command ]]; then command=$word; else operand=$((operand + 1)); fi
      continue
    fi
    case $word in
      --) plain=1 ;;
      ${valueOptions().flatMap(spellings).join('|')}) skip=1 ;;
    esac
  done

  if [[ $cur == '=' ]]; then option=\${COMP_WORDS[COMP_CWORD - 1]} cur=''
  elif ((COMP_CWORD > 2)) && [[ \${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then option=\${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ -n $skip ]]; then option=\${COMP_WORDS[COMP_CWORD - 1]}
  fi
  case $option in
    '') ;;
${valueOptions().map((one) => `    ${spellings(one).join('|')}) ${call(one.completes)}; return ;;`).join('\n')}
    *) return ;;
  esac

  if [[ -z $plain && $cur == -* ]]; then
    case $command in
      '') ${F}_words '${generalOptions().flatMap(spellings).join(' ')}' ;;
${commands.map(({ name, options }) => `      ${name}) ${F}_words '${options.flatMap(spellings).join(' ')}' ;;`).join('\n')}
    esac
    return
  fi

  if [[ -z $command ]]; then
    ${F}_words '${commands.map(({ name }) => name).join(' ')}'
    return
  fi
  case $command:$operand in
${[...new Set(operands)].join('\n')}
  esac
}

complete -F ${F} ${NAME}
`;
}
