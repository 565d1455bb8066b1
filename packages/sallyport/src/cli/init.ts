// `sallyport init`: a first policy, with the comments that a newcomer needs. It never overwrites.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { findPolicy } from '../policy/load.ts'
import { nearest, show } from '../policy/problem.ts'
import { PRESET_NAMES, type PresetName } from '../presets/names.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'

/** Where the published JSON Schema lies, seen from the file. */
const SCHEMA = './node_modules/sallyport/schema/policy.schema.json'

/** Runs the command. */
export async function init(invocation: Invocation, terminal: Terminal): Promise<number> {
  const preset = invocation.text('preset')!
  if (!(PRESET_NAMES as readonly string[]).includes(preset)) {
    const meant = nearest(preset, PRESET_NAMES)
    throw new Failure(
      `${invocation.nameOf('preset')}: expected one of ${PRESET_NAMES.join(', ')}, received ${show(preset)}; ${meant ? `did you mean ${meant}?` : 'write one of them'}`,
    )
  }
  const existing = await findPolicy(terminal.directory)
  const name = invocation.flag('json') ? 'sallyport.config.json' : 'sallyport.config.ts'
  if (existing !== undefined) throw exists(existing)
  const text = invocation.flag('json')
    ? jsonPolicy(preset as PresetName)
    : typescriptPolicy(preset as PresetName)
  const file = resolve(terminal.directory, name)
  try {
    // `wx` fails where the file has come in the meantime, a dangling link included.
    await writeFile(file, text, { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw exists(file)
    throw new Failure(`${name} can't be written here (${code}); make the directory writable`, {
      cause: error,
    })
  }
  terminal.out(`wrote ${name}; next: sallyport check`)
  return 0
}

function exists(file: string): Failure {
  return new Failure(`${file.split(/[\\/]/).at(-1)} is already here and stays as it is; remove it first`)
}

/** The policy in TypeScript. */
export function typescriptPolicy(preset: PresetName): string {
  return `// The security policy of this API: plain data. "sallyport check" says what it does and what is wrong with it.

import { definePolicy } from 'sallyport'

export default definePolicy({
  name: 'My API',

  // What lies below: ${PRESET_NAMES.join(', ')}. What stands here is laid over it, field by field.
  extends: '${preset}',

  // Where TLS ends: 'here', at this process, or 'in-front', at the balancer before it.
  transport: { tls: 'in-front' },

  // Most specific wins; "/x/*" covers "/x" and every depth. What no route covers is private.
  routes: {
    '/v1/status': { data: 'public', credentials: 'none' },
    // '/v1/account/*': { data: 'private' },
    // '/v1/events': { data: 'stream', credentials: 'bearer' },
    // '/assets/*': { data: 'asset', credentials: 'none' },
  },
})
`
}

/** The policy in JSON. */
export function jsonPolicy(preset: PresetName): string {
  const policy = {
    $schema: SCHEMA,
    name: 'My API',
    extends: preset,
    transport: { tls: 'in-front' },
    routes: { '/v1/status': { data: 'public', credentials: 'none' } },
  }
  return `${JSON.stringify(policy, null, 2)}\n`
}
