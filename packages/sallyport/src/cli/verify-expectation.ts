// What a deployment is held against: the policy file, or, where there is none, the posture that it publishes itself.

import type { KeyObject } from 'node:crypto'
import { relative } from 'node:path'
import { POSTURE_JSON_PATH } from '../controls/disclosure/setting.ts'
import { type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import { digest } from '../policy/digest.ts'
import { findPolicy, loadPolicy } from '../policy/load.ts'
import { PolicyError, sentence } from '../policy/problem.ts'
import { checkAttestation } from '../posture/attest/check.ts'
import { asDataPath, MAX_POSTURE_BYTES, readPosture } from '../posture/published-posture.ts'
import { noAnswer } from '../posture/wire/no-answer.ts'
import { send } from '../posture/wire/send.ts'
import { originOf, parseTarget, replicaName, type WireTarget } from '../posture/wire/target.ts'
import { checkingKey } from './attest-keys.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'

/** Where a signed statement of a verification is published, beside the posture. */
const ATTESTATION_PATH = '/.well-known/api-posture.dsse.json'

/** What is expected, and from where it comes. */
export interface Expectation {
  readonly resolved: ResolvedPolicy
  /** The file or the URL, as reports name it. */
  readonly policyFile: string
  /** What a reader must know of it. */
  readonly notes: readonly string[]
}

/** Reads the expectation of a verification. @throws Failure where there is none, or it is not attested as it must be */
export async function expectationOf(
  invocation: Invocation,
  terminal: Terminal,
  target: WireTarget | undefined,
): Promise<Expectation> {
  const posture = invocation.text('posture')
  const named = invocation.text('policy')
  if (posture !== undefined && named !== undefined && invocation.nameOf('policy') === '--policy')
    throw new Failure('--posture: the policy is named already, by --policy; name one of them')
  if (posture !== undefined)
    return published(targetOf(posture, 'posture', target), posture, invocation, terminal)
  const file = named ?? (await findPolicy(terminal.directory))
  // Answers from a file come from nobody who could be asked.
  const isRecorded = invocation.text('har') !== undefined || invocation.text('captured') !== undefined
  if (file === undefined && target !== undefined && !isRecorded)
    return published(
      { target, path: POSTURE_JSON_PATH },
      originOf(target) + POSTURE_JSON_PATH,
      invocation,
      terminal,
    )
  for (const option of ['key', 'attestation'] as const)
    if (invocation.given(option))
      throw new Failure(
        `--${option}: says who vouches for a published posture, and the policy here is your own; leave it out, or name the posture with --posture URL`,
      )
  const { policy, file: path } = await loadPolicy(file, terminal.directory)
  const policyFile = relative(terminal.directory, path) || path
  return { resolved: resolved(policy, policyFile), policyFile, notes: [] }
}

type Place = ReturnType<typeof parseTarget>

// The authority that is trusted for the deployment is trusted for what it publishes.
function targetOf(url: string, option: string, trusted: WireTarget | undefined): Place {
  try {
    const { target, path } = parseTarget(url)
    const { ca, insecure } = trusted ?? {}
    return {
      target: {
        ...target,
        ...(ca === undefined ? {} : { ca }),
        ...(insecure === undefined ? {} : { insecure }),
      },
      path: option === 'posture' ? asDataPath(path) : path === '/' ? ATTESTATION_PATH : path,
    }
  } catch (error) {
    throw new Failure(`--${option}: ${(error as Error).message}`, { cause: error })
  }
}

async function published(
  place: Place,
  name: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<Expectation> {
  const text = await textAt(
    place,
    name,
    'name the policy with --policy FILE, or publish it with disclosure: { posture: "public" }',
  )
  const policy = await readPosture(text, name)
  const found = resolved(policy, name)
  const policyDigest = await digest(found.document)
  if (!invocation.given('key')) {
    if (invocation.given('attestation'))
      throw new Failure('--attestation: is checked against the key of who signed it; name it with --key FILE')
    return {
      resolved: found,
      policyFile: name,
      notes: [
        `the policy was read from ${name}: the server vouches for itself, so this proves that it does what it publishes, and not that this is what you expect; compare ${policyDigest} with yours, or let --key FILE say who attested it`,
      ],
    }
  }
  const attested = await attestedBy(await checkingKey(invocation, terminal), policyDigest, place, invocation)
  return { resolved: found, policyFile: name, notes: [`the policy was read from ${name}, and ${attested}`] }
}

async function attestedBy(
  key: KeyObject,
  policyDigest: string,
  { target }: Place,
  invocation: Invocation,
): Promise<string> {
  const given = invocation.text('attestation')
  const name = given ?? originOf(target) + ATTESTATION_PATH
  const place =
    given === undefined ? { target, path: ATTESTATION_PATH } : targetOf(given, 'attestation', target)
  const text = await textAt(
    place,
    name,
    'publish what sallyport attest writes there, or name it with --attestation URL',
  )
  const { statement, failures } = checkAttestation(text, key, {
    now: Date.now(),
    policyDigest,
    origin: originOf(target),
  })
  if (statement === undefined || failures.length > 0)
    throw new Failure(
      failures.map((each) => `${name}: ${each}`).join('\n') ||
        `${name}: says nothing; sign it again with sallyport attest`,
    )
  return `the holder of ${invocation.text('key')} attested it at ${statement.predicate.timeCreated}`
}

async function textAt({ target, path }: Place, name: string, mend: string): Promise<string> {
  const result = await send(
    target,
    { method: 'GET', path, headers: [['Accept', 'application/json']] },
    { limits: { maxBodyBytes: MAX_POSTURE_BYTES } },
  )
  if (result.kind === 'failure')
    throw new Failure(
      result.tls === undefined
        ? noAnswer(replicaName(target), result)
        : `${name}: the certificate is not trusted (${result.code}); name its authority with --ca FILE, or look all the same with --insecure`,
    )
  if (result.status !== 200) throw new Failure(`${name}: answered with ${result.status}; ${mend}`)
  if (result.bodyState !== 'whole')
    throw new Failure(`${name}: is larger than any such file, or has no end; ${mend}`)
  return result.body
}

function resolved(policy: Parameters<typeof resolvePolicy>[0], name: string): ResolvedPolicy {
  try {
    return resolvePolicy(policy)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new Failure(error.problems.map((each) => `${name}: ${sentence(each)}`).join('\n'))
  }
}
