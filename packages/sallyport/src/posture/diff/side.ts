// Where one side of a difference comes from: a file, a file as it was at a revision of git, or the posture that a
// deployment publishes.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { PolicyDocument } from '../../guard/policy.ts'
import { findPolicy, loadPolicy, PolicyFileError } from '../../policy/load.ts'
import { asDataPath, readPosture } from '../published-posture.ts'

/** A policy and where it was found. */
export interface Side {
  readonly name: string
  readonly policy: PolicyDocument
}

/**
 * Reads one side.
 *
 * @param name a file, a URL of a deployment or of its posture, or a revision
 * @param file the policy of the other side, which is looked for at a revision
 */
export async function readSide(name: string, directory: string, file: string | undefined): Promise<Side> {
  if (/^https?:\/\//i.test(name)) return fromUrl(name)
  const path = resolve(directory, name)
  if (existsSync(path) && statSync(path).isFile())
    return { name, policy: (await loadPolicy(name, directory)).policy }
  return fromRevision(name, directory, file)
}

async function fromUrl(name: string): Promise<Side> {
  const url = new URL(name)
  const address = new URL(asDataPath(url.pathname + url.search), url)
  let text: string
  try {
    const response = await fetch(address, {
      redirect: 'error',
      headers: { Accept: 'application/json' },
      signal: AbortSignal.timeout(10_000),
    })
    if (response.status !== 200) throw new Error(`answered with ${response.status}`)
    text = await response.text()
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string; message?: string } }
    throw new PolicyFileError(
      name,
      `${name}: no posture can be read there (${cause?.code ?? cause?.message ?? message}); publish one with disclosure: { posture: "public" }`,
    )
  }
  return { name, policy: await readPosture(text, name) }
}

// The file and what it imports, as they were, laid out in a folder of their own as in the tree.
async function fromRevision(name: string, directory: string, file: string | undefined): Promise<Side> {
  const policyFile = file ?? (await findPolicy(directory))
  if (policyFile === undefined)
    throw new PolicyFileError(
      undefined,
      `${name}: is no file, and there is no policy here to look for at a revision; run it where sallyport.config.ts is`,
    )
  const git = (words: readonly string[], input?: string): Buffer => {
    try {
      return execFileSync('git', [...words], {
        cwd: directory,
        input,
        maxBuffer: 1 << 30,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ENOENT')
        throw new PolicyFileError(
          name,
          `${name}: is no file, and git is not installed; name a file, or install git`,
        )
      throw error
    }
  }
  let root: string
  try {
    root = git(['rev-parse', '--show-toplevel']).toString().trim()
    git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`])
  } catch (error) {
    if (error instanceof PolicyFileError) throw error
    throw new PolicyFileError(
      name,
      `${name}: is neither a file, a URL, nor a revision of git here; name a policy file, https://… or a branch such as main (git fetch brings those of a server)`,
    )
  }
  const inTree = relative(root, resolve(directory, policyFile)).replaceAll('\\', '/')
  const work = mkdtempSync(join(tmpdir(), 'sallyport-diff-'))
  try {
    // The file, and what it imports of its neighbours, wherever in the tree they are.
    const pending = [inTree]
    const laid = new Set<string>()
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      if (laid.has(path)) continue
      laid.add(path)
      const text = contentAt(git, name, path)
      if (text === undefined)
        throw new PolicyFileError(
          name,
          `${name}: has no ${path}${path === inTree ? '' : ', which its policy imports'}`,
        )
      const target = join(work, path)
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, text)
      pending.push(...importsOf(text.toString()).map((each) => join(dirname(path), each)))
    }
    // Packages are those of today: a policy imports this one, and revisions hold none.
    const modules = nearestModules(dirname(resolve(directory, policyFile)))
    if (modules !== undefined) symlinkSync(modules, join(work, 'node_modules'), 'dir')
    const { policy } = await loadPolicy(join(work, inTree), work)
    return { name: `${basename(inTree)} at ${name}`, policy: structuredClone(policy) }
  } catch (error) {
    if (error instanceof PolicyFileError && error.file !== name)
      throw new PolicyFileError(name, `${name}: ${error.message.replaceAll(work, '')}`)
    throw error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function contentAt(
  git: (words: readonly string[]) => Buffer,
  revision: string,
  path: string,
): Buffer | undefined {
  // What leads out of the tree is in no revision.
  if (path.startsWith('..')) return undefined
  try {
    return git(['show', '--end-of-options', `${revision}:${path}`])
  } catch (error) {
    if (error instanceof PolicyFileError) throw error
    return undefined
  }
}

// Relative ones: in `from`, `import` and `import()`, and files beside the module by `new URL(…, import.meta.url)`.
const IMPORT = /(?:\bfrom|\bimport|\bURL\()\s{0,20}\(?\s{0,20}(["'])(\.{1,2}\/[^"'\n]{1,500})\1/g

function importsOf(text: string): readonly string[] {
  return Array.from(text.matchAll(IMPORT), ([, , path]) => path!)
}

function nearestModules(from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const found = join(at, 'node_modules')
    if (existsSync(found)) return found
    if (dirname(at) === at) return undefined
  }
}
