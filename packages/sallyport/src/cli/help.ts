// The help, written from the declarations of the commands.

import { type Command, type Option, variableOf } from './command.ts'
import { commands } from './commands.ts'

/** `sallyport --help`. */
export function generalHelp(): string {
  return [
    'The security layer of an HTTP API, from one policy.',
    '',
    'Usage: sallyport COMMAND [options]',
    '',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    ...columns([
      ['--help', 'this page; after a command, its own'],
      ['--version', 'the version'],
    ]),
  ].join('\n')
}

/** `sallyport check --help`. */
export function commandHelp(command: Command): string {
  const operand = command.operand === undefined ? '' : ` [${command.operand}]`
  const byEnvironment = command.options.filter((option) => !option.noEnvironment)
  return [
    `Usage: sallyport ${command.name}${operand} [options]`,
    '',
    ...wrap(command.detail, 100),
    '',
    ...columns([...command.options.map(optionLine), ['--help', 'this page']]),
    ...(byEnvironment.length === 0
      ? []
      : ['', ...wrap(`The environment sets them too: ${byEnvironment.map(variableOf).join(', ')}.`, 100)]),
  ].join('\n')
}

function optionLine(option: Option): readonly [string, string] {
  const fallback = option.fallback === undefined ? '' : ` (${option.fallback})`
  const many = option.many ? '; may be given several times' : ''
  return [`--${option.name}${option.value ? ` ${option.value}` : ''}`, option.doc + many + fallback]
}

/** Lines of two or more columns, each as wide as its widest entry. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((text, index) => Math.max(known[index] ?? 0, text.length)),
    [],
  )
  return rows.map((row) => `  ${row.map((text, index) => text.padEnd(widths[index]!)).join('  ')}`.trimEnd())
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
