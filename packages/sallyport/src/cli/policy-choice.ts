// Which policy a gateway runs: the file named, the one of the working directory, else one that is built in.

import { relative } from 'node:path'
import type { PolicyDocument } from '../guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import { digest } from '../policy/digest.ts'
import { findPolicy, loadPolicy } from '../policy/load.ts'
import { PolicyError, sentence } from '../policy/problem.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'

/** A policy that a gateway will run. */
export interface PolicyChoice {
  readonly policy: PolicyDocument
  readonly resolved: ResolvedPolicy
  readonly digest: string
  /** The file, or the words for the built-in policy. */
  readonly source: string
  /** Its absolute path; `undefined` for the built-in policy. */
  readonly file?: string
}

/** Chooses and resolves; a mistake names the file. */
export async function choosePolicy(
  invocation: Invocation,
  { directory }: Terminal,
  builtIn: { readonly policy: PolicyDocument; readonly source: string },
): Promise<PolicyChoice> {
  const named = invocation.text('policy') ?? (await findPolicy(directory))
  if (named === undefined) return resolved(builtIn.policy, builtIn.source)
  const { policy, file } = await loadPolicy(named, directory)
  return { ...(await resolved(policy, relative(directory, file) || file)), file }
}

async function resolved(policy: PolicyDocument, source: string): Promise<PolicyChoice> {
  try {
    const resolvedPolicy = resolvePolicy(policy)
    return { policy, resolved: resolvedPolicy, digest: await digest(resolvedPolicy.document), source }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new Failure(error.problems.map((problem) => `${source}: ${sentence(problem)}`).join('\n'))
  }
}

/** The same policy, but that TLS ends at the gateway. */
export function withTlsHere({ policy, source }: PolicyChoice): Promise<PolicyChoice> {
  return resolved({ extends: [policy], transport: { tls: 'here' } }, source)
}

/** Where TLS ends by this policy. */
export function endsTlsHere({ resolved: { cells } }: PolicyChoice): boolean {
  const { transport } = cells.find((cell) => cell.origin === 'default')!.settings
  return (transport as { tls?: string }).tls === 'here'
}
