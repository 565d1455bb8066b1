// Finds and reads a policy file: TypeScript by Node's own type stripping, JavaScript, or JSON. What a module exports
// must be plain data; that is checked here, so that the error names the file.

import { readFile, stat } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { extname, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PolicyDocument } from '../guard/policy.ts'
import { readJson } from './json.ts'
import { plainCopy } from './plain.ts'
import { sentence } from './problem.ts'

/** The names that are looked for, in this order. */
const POLICY_FILES = ['ts', 'mts', 'js', 'mjs', 'json'].map((ending) => `sallyport.config.${ending}`)

// A policy of 10,000 routes is some 2 MB.
const MAX_BYTES = 16 * 1024 * 1024

/** A policy and the file it came from. */
export interface LoadedPolicy {
  readonly policy: PolicyDocument
  readonly file: string
}

/** Thrown where a policy file is missing, unreadable or not plain data; one line for each thing that is wrong. */
export class PolicyFileError extends Error {
  /** The file, as it was named; `undefined` where none was found. */
  readonly file: string | undefined
  constructor(file: string | undefined, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PolicyFileError'
    this.file = file
  }
}

/**
 * The policy file of a directory, or `undefined` where there is none. Two are an error, since one would be dead, and
 * so is a folder of that name.
 */
export async function findPolicy(directory: string): Promise<string | undefined> {
  const found: string[] = []
  const folders: string[] = []
  for (const name of POLICY_FILES) {
    const stats = await stat(resolve(directory, name)).catch(() => undefined)
    if (stats?.isFile()) found.push(name)
    if (stats?.isDirectory()) folders.push(name)
  }
  if (found.length > 1)
    throw new PolicyFileError(
      undefined,
      `there are ${found.join(' and ')} here; keep one of them, or name the one meant`,
    )
  // Whoever made it meant to have a policy; to run without one would be no answer to that.
  if (found.length === 0 && folders.length > 0)
    throw new PolicyFileError(
      folders[0],
      `${folders[0]}: this is a folder, and a policy is a file; rename or remove it`,
    )
  return found[0] === undefined ? undefined : resolve(directory, found[0])
}

/**
 * Reads the policy file at `path`, or the one of the working directory. The document's settings are not checked yet:
 * that is `resolvePolicy`'s.
 *
 * @throws PolicyFileError
 * @example
 * const { policy } = await loadPolicy()
 */
export async function loadPolicy(path?: string, directory: string = process.cwd()): Promise<LoadedPolicy> {
  const file = path === undefined ? await findPolicy(directory) : resolve(directory, path)
  if (file === undefined)
    throw new PolicyFileError(
      undefined,
      `no policy file here: looked for ${POLICY_FILES.join(', ')}; make one with "sallyport init"`,
    )
  const name = path ?? relative(directory, file)
  return { policy: (await loadPlainFile(file, name, POLICY_FILE)) as PolicyDocument, file }
}

/** What a file holds, for the words of its errors. */
export interface FileKind {
  /** `a policy`. */
  readonly noun: string
  /** What to do where the file is missing. */
  readonly whenMissing: string
  /** The line that exports it. */
  readonly example: string
}

/** Policy files. */
export const POLICY_FILE: FileKind = {
  noun: 'a policy',
  whenMissing: 'name another, or make one with "sallyport init"',
  example: 'export default definePolicy({ … })',
}

/**
 * Reads the plain data of a TypeScript, JavaScript or JSON file; its settings are not checked.
 *
 * @param file the absolute path
 * @param name the file as the reader knows it, for errors
 * @throws PolicyFileError
 */
export async function loadPlainFile(file: string, name: string, kind: FileKind): Promise<unknown> {
  const exported =
    extname(file) === '.json' ? await readJsonFile(file, name, kind) : await readModule(file, name, kind)
  const copy = plainCopy(exported)
  if (copy.problems.length > 0)
    throw new PolicyFileError(name, copy.problems.map((found) => `${name}: ${sentence(found)}`).join('\n'))
  return copy.value
}

async function readJsonFile(file: string, name: string, kind: FileKind): Promise<unknown> {
  const bytes = await readBytes(file, name, kind)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new PolicyFileError(name, `${name}: not UTF-8; save it as UTF-8`)
  }
  const result = readJson(text)
  if ('value' in result) return result.value
  const { line, column, message } = result.fault
  throw new PolicyFileError(name, `${name}:${line}:${column}: ${message}`)
}

async function readModule(file: string, name: string, kind: FileKind): Promise<unknown> {
  if (!['.ts', '.mts', '.js', '.mjs'].includes(extname(file)))
    throw new PolicyFileError(
      name,
      `${name}: ${kind.noun} file ends in .ts, .mts, .js, .mjs or .json; rename it`,
    )
  // Read first: a missing or forbidden file gets the same words as a JSON file.
  await readBytes(file, name, kind)
  const hooks = registerHooks({ resolve: resolveOurselves })
  let module: { readonly default?: unknown; readonly policy?: unknown }
  try {
    module = (await import(pathToFileURL(file).href)) as typeof module
  } catch (error) {
    throw new PolicyFileError(name, `${name}: can't be loaded: ${firstLine(error)}`, { cause: error })
  } finally {
    hooks.deregister()
  }
  const exported = module.default ?? module.policy
  if (exported === undefined)
    throw new PolicyFileError(
      name,
      `${name}: exports no ${kind.noun.replace(/^an? /, '')}; write "${kind.example}"`,
    )
  return exported
}

// `import { definePolicy } from 'sallyport'` also works where the package is not installed beside the file, as under
// npx: then the running package answers for its own name, by its own export map.
type ResolveHook = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>
const resolveOurselves: ResolveHook = (specifier, context, next) => {
  try {
    return next(specifier, context)
  } catch (error) {
    if (specifier !== 'sallyport') throw error
    return next(specifier, { ...context, parentURL: import.meta.url })
  }
}

async function readBytes(file: string, name: string, kind: FileKind): Promise<Uint8Array> {
  try {
    const found = await stat(file)
    // A directory has no text, and a pipe might never end.
    if (!found.isFile()) throw new PolicyFileError(name, `${name}: this is no file; name the file in it`)
    if (found.size > MAX_BYTES)
      throw new PolicyFileError(name, `${name}: ${found.size} bytes; ${kind.noun} file may have ${MAX_BYTES}`)
    return await readFile(file)
  } catch (error) {
    if (error instanceof PolicyFileError) throw error
    throw new PolicyFileError(name, `${name}: ${reason(error, kind)}`, { cause: error })
  }
}

function reason(error: unknown, { whenMissing }: FileKind): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `there is no such file; ${whenMissing}`
    case 'EACCES':
    case 'EPERM':
      return 'no permission to read it; change its mode or its owner'
    default:
      return `can't be read: ${firstLine(error)}`
  }
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.trim().split('\n')[0]!.slice(0, 300)
}
