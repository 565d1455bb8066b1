// Reads a command line and the environment against a command's declaration. The line wins over the environment; what
// nobody declared is refused with the nearest word that somebody did.

import { parseArgs } from 'node:util'
import { nearest, show } from '../policy/problem.ts'
import { type Command, type Invocation, type Option, variableOf } from './command.ts'
import { Failure } from './failure.ts'

/**
 * Reads the words after the command's name.
 *
 * @throws Failure for an unknown option, a missing or superfluous value, a superfluous operand
 */
export function readCommandLine(
  command: Command,
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Invocation {
  const options = new Map(command.options.map((option) => [option.name, option]))
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      command.options.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const given = new Map<string, string>()
  const lists = new Map<string, string[]>()
  const operands: string[] = []
  const mend = `see "sallyport ${command.name} --help"`
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = options.get(token.name)
    if (!option) throw unknownOption(token.rawName, command, mend)
    const value = optionValue(option, token.value, token.inlineValue === true, mend)
    given.set(option.name, value)
    if (option.many) lists.set(option.name, [...(lists.get(option.name) ?? []), value])
  }
  const allowed = command.operand === undefined ? 0 : command.operand.split(' ').length
  if (operands.length > allowed)
    throw new Failure(
      `${command.name} takes ${['no operand', 'one operand', 'two operands'][allowed]}, received ${show(operands[allowed])}; ${mend}`,
    )
  const fromEnvironment = new Map<string, string>()
  for (const option of command.options) {
    const value = option.noEnvironment ? undefined : environment[variableOf(option)]
    if (value !== undefined && value !== '') fromEnvironment.set(option.name, value)
  }
  return {
    text: (name) => given.get(name) ?? fromEnvironment.get(name) ?? options.get(name)?.fallback,
    list: (name) =>
      lists.get(name) ??
      fromEnvironment
        .get(name)
        ?.split('\n')
        .filter((line) => line.trim() !== '') ??
      [],
    flag: (name) => given.has(name),
    given: (name) => given.has(name) || fromEnvironment.has(name),
    nameOf: (name) => (!given.has(name) && fromEnvironment.has(name) ? variableOf({ name }) : `--${name}`),
    operands,
  }
}

function optionValue(option: Option, value: string | undefined, inline: boolean, mend: string): string {
  if (option.value === undefined) {
    if (inline) throw new Failure(`--${option.name} takes no value, received ${show(value)}; ${mend}`)
    return ''
  }
  // `--port --json`: the next option is no value; one that begins with "-" is written `--port=-x`.
  if (value === undefined || value === '' || (!inline && value.startsWith('-')))
    throw new Failure(`--${option.name} needs a value; write --${option.name} ${option.value}`)
  return value
}

function unknownOption(raw: string, command: Command, mend: string): Failure {
  const meant = nearest(
    raw.replace(/^-+/, ''),
    command.options.map(({ name }) => name),
  )
  return new Failure(
    `${command.name} has no option ${show(raw)}; ${meant ? `did you mean --${meant}?` : mend}`,
  )
}

/** A port number of an option. */
export function portOf(invocation: Invocation, name: string): number {
  const text = invocation.text(name)!
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535))
    throw new Failure(
      `${invocation.nameOf(name)}: expected a port from 0 to 65535, received ${show(text)}; write a number such as 8443`,
    )
  return port
}
