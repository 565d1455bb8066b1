// From words to an exit code: 0 where the command did its work, 2 where something must be mended first.

import { PolicyFileError } from '../policy/load.ts'
import { nearest, PolicyError, show } from '../policy/problem.ts'
import type { Terminal } from './command.ts'
import { readCommandLine } from './command-line.ts'
import { commands } from './commands.ts'
import { Failure } from './failure.ts'
import { commandHelp, generalHelp } from './help.ts'
import { version } from './version.ts'

/** Runs one command line and gives its exit code. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = commands.find((each) => each.name === rest[0])
    terminal.out(command ? commandHelp(command) : generalHelp())
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    terminal.out(version())
    return 0
  }
  const command = commands.find((each) => each.name === name)
  if (!command) {
    const meant = nearest(
      name,
      commands.map((each) => each.name),
    )
    const kind = name.startsWith('-') ? 'option' : 'command'
    terminal.err(
      `sallyport: there is no ${kind} ${show(name)}; ${meant ? `did you mean "${meant}"?` : 'see "sallyport --help"'}`,
    )
    return 2
  }
  const end = rest.indexOf('--')
  const options = end < 0 ? rest : rest.slice(0, end)
  if (options.includes('--help') || options.includes('-h')) {
    terminal.out(commandHelp(command))
    return 0
  }
  try {
    return await command.run(readCommandLine(command, rest, terminal.environment), terminal)
  } catch (error) {
    if (!(error instanceof Failure || error instanceof PolicyError || error instanceof PolicyFileError)) {
      if (terminal.environment['SALLYPORT_DEBUG'] === '1') throw error
      const message = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
      terminal.err(`sallyport: ${message} (SALLYPORT_DEBUG=1 shows where)`)
      return 1
    }
    for (const line of error.message.split('\n')) terminal.err(`sallyport: ${line}`)
    return 2
  }
}
