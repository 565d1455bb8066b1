// `sallyport adopt`: a policy from what runs already, that changes nothing, and the steps from there.

import { readFile, writeFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readJson } from '../policy/json.ts'
import { findPolicy } from '../policy/load.ts'
import { show } from '../policy/problem.ts'
import { type Adoption, type AdoptSource, adopt } from '../posture/adopt/adopt.ts'
import { observeOptions } from '../posture/adopt/options.ts'
import { optionsInSource } from '../posture/adopt/source.ts'
import { adoptedTypescript, adoptionText } from '../posture/adopt/text.ts'
import { readHar } from '../posture/verify/captured.ts'
import { CouldNotVerify } from '../posture/verify/result.ts'
import { parseTarget } from '../posture/wire/target.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { readSample } from './verify-samples.ts'
import { version } from './version.ts'

/** Runs the command: 0 where the policy changes nothing, 1 where it would, 2 where nothing could be read. */
export async function adoptCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [name] = invocation.operands
  if (name === undefined)
    throw new Failure(
      'adopt needs what to adopt: the URL of an API, a HAR file, or a file with the options of helmet, cors or express-rate-limit',
    )
  const out = invocation.text('out')!
  // Found out before anything is asked for.
  if (out !== '-') await mayWrite(out, terminal)
  let adoption: Adoption
  try {
    adoption = await adopt(await sourceOf(name, invocation, terminal))
  } catch (error) {
    if (!(error instanceof CouldNotVerify)) throw error
    throw new Failure(/^https?:/i.test(name) ? error.message : `${name}: ${error.message}`, { cause: error })
  } finally {
    terminal.progress?.('')
  }
  const policy =
    extname(out) === '.json' ? `${JSON.stringify(adoption.policy, null, 2)}\n` : adoptedTypescript(adoption)
  if (out === '-') terminal.out(policy.trimEnd())
  else {
    await write(out, policy, terminal)
    terminal.out(invocation.flag('json') ? JSON.stringify(adoption, null, 2) : adoptionText(adoption))
    terminal.err(`wrote ${out}`)
  }
  return (adoption.proof?.changes.length ?? 0) === 0 ? 0 : 1
}

async function sourceOf(name: string, invocation: Invocation, terminal: Terminal): Promise<AdoptSource> {
  if (/^https?:\/\//i.test(name)) return live(name, invocation, terminal)
  const file = resolve(terminal.directory, name)
  switch (extname(name)) {
    case '.har':
      return har(name, await read(file, name))
    case '.json': {
      const result = readJson(await read(file, name))
      if ('fault' in result)
        throw new Failure(`${name}:${result.fault.line}:${result.fault.column}: ${result.fault.message}`)
      return options(name, result.value)
    }
    case '.ts':
    case '.mts':
    case '.js':
    case '.mjs':
    case '.cjs': {
      // The source of an application is read where it calls the middleware; only a module of options alone is run.
      const source = optionsInSource(await read(file, name))
      return source ? options(name, source.options, source.notes) : options(name, await exportsOf(file, name))
    }
    default:
      throw new Failure(
        `${name}: expected a URL with http:// or https://, a .har file, or options in .json, .js or .ts`,
      )
  }
}

async function live(url: string, invocation: Invocation, terminal: Terminal): Promise<AdoptSource> {
  let parsed: ReturnType<typeof parseTarget>
  try {
    parsed = parseTarget(url)
  } catch (error) {
    throw new Failure((error as Error).message, { cause: error })
  }
  const ca = invocation.text('ca')
  const { progress } = terminal
  return {
    kind: 'live',
    origins: invocation.list('origin').map((text) => originIn(text, invocation)),
    target: {
      ...parsed.target,
      ...(ca === undefined ? {} : { ca: await read(resolve(terminal.directory, ca), ca) }),
      ...(invocation.flag('insecure') ? { insecure: true } : {}),
    },
    options: {
      samples: [
        ...(parsed.path === '/' ? [] : [{ class: '200', path: parsed.path } as const]),
        ...invocation.list('path').map((text) => readSample(text, invocation.nameOf('path'))),
      ],
      userAgent: `sallyport-adopt/${version()}`,
      ...(progress ? { onProgress: (done, of) => progress(`${done} of ${of} requests`) } : {}),
    },
  }
}

function originIn(text: string, invocation: Invocation): string {
  const url = URL.parse(text)
  if (url === null || url.origin !== text)
    throw new Failure(
      `${invocation.nameOf('origin')}: expected an origin such as https://app.example.com, received ${show(text)}`,
    )
  return text
}

function har(name: string, text: string): AdoptSource {
  try {
    return { kind: 'har', captured: readHar(text) }
  } catch (error) {
    throw new Failure(`${name}: ${(error as Error).message}`, { cause: error })
  }
}

// What functions and patterns say can't be read from outside; the reader of options tells which.
async function exportsOf(file: string, name: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown }
    const { default: main, ...named } = module
    return typeof main === 'object' && main !== null ? { ...named, ...main } : named
  } catch (error) {
    throw new Failure(`${name}: can't be loaded: ${String((error as Error).message).split('\n', 1)[0]}`, {
      cause: error,
    })
  }
}

function options(name: string, exported: unknown, notes: readonly string[] = []): AdoptSource {
  const observed = observeOptions(exported)
  if (observed === undefined)
    throw new Failure(
      notes.length > 0
        ? `${name}: ${notes.join('; ')}; export them as { helmet: { … }, cors: { … }, rateLimit: { … } }`
        : `${name}: holds no options that are known; export { helmet: { … }, cors: { … }, rateLimit: { … } }, or those of one of them`,
    )
  return { kind: 'options', observed: { ...observed, notes: [...notes, ...observed.notes] } }
}

async function read(file: string, name: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Failure(
      `${name}: can't be read (${(error as NodeJS.ErrnoException).code}); name a file that is there`,
      {
        cause: error,
      },
    )
  }
}

async function mayWrite(out: string, { directory }: Terminal): Promise<void> {
  const existing = await findPolicy(directory)
  const isPolicy = /^(?:\.\/)?sallyport\.config\.\w+$/.test(out)
  if (isPolicy && existing !== undefined) throw stays(existing.split(/[\\/]/).at(-1)!)
  if (!['.ts', '.mts', '.json'].includes(extname(out)))
    throw new Failure(
      `--out ${out}: expected a file that ends in .ts or .json, or --out=- for the standard output`,
    )
}

async function write(out: string, text: string, { directory }: Terminal): Promise<void> {
  try {
    // `wx` fails where the file is there, a dangling link included.
    await writeFile(resolve(directory, out), text, { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw stays(out)
    throw new Failure(`--out ${out}: can't be written (${code}); name a file in a folder that is there`, {
      cause: error,
    })
  }
}

function stays(name: string): Failure {
  return new Failure(
    `${name} is already here and stays as it is; remove it first, or name another with --out`,
  )
}
