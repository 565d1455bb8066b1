// `sallyport attest`: signs what a verification proved, converts it for compliance tools, or checks what others signed.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { resolvePolicy } from '../guard/resolve.ts'
import { digest } from '../policy/digest.ts'
import { findPolicy, loadPolicy } from '../policy/load.ts'
import { show } from '../policy/problem.ts'
import '../posture/page/index.ts'
import { checkAttestation } from '../posture/attest/check.ts'
import { cycloneDxOf } from '../posture/attest/cyclonedx.ts'
import { seal } from '../posture/attest/dsse.ts'
import { oscalOf } from '../posture/attest/oscal.ts'
import { readRecord } from '../posture/attest/read.ts'
import {
  DETAIL,
  MOST_DAYS,
  PAYLOAD_TYPE,
  type Statement,
  statementBytes,
  statementOf,
} from '../posture/attest/statement.ts'
import type { Verification } from '../posture/verify/result.ts'
import { checkingKey, signingKey } from './attest-keys.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { version } from './version.ts'

const FORMATS = ['dsse', 'cyclonedx', 'oscal'] as const
const DAY_MS = 86_400_000

/** Runs the command: 0 where it is written or every check holds, 1 where a check fails. */
export async function attest(invocation: Invocation, terminal: Terminal): Promise<number> {
  if (invocation.text('check') !== undefined) return check(invocation, terminal)
  const given = invocation.text('format')!
  const format = FORMATS.find((each) => each === given)
  if (format === undefined)
    throw new Failure(
      `${invocation.nameOf('format')}: expected ${FORMATS.join(', ')}, received ${show(given)}`,
    )
  const validMs = daysOf(invocation) * DAY_MS
  const record = await recordOf(invocation, terminal)
  await expectPolicy(record, invocation, terminal)
  const statement = statementOf(record, { version: version(), validMs })
  const document =
    format === 'dsse'
      ? seal(PAYLOAD_TYPE, statementBytes(statement), await signingKey(invocation, terminal))
      : format === 'cyclonedx'
        ? cycloneDxOf(statement)
        : oscalOf(statement)
  await write(JSON.stringify(document, null, 2), invocation, terminal)
  if (record.findings.length > 0)
    terminal.err(
      `not everything held: ${record.passed} of ${record.of} probes; the controls with findings are not among what is attested, and a check fails`,
    )
  return 0
}

async function check(invocation: Invocation, terminal: Terminal): Promise<number> {
  const name = invocation.text('check')!
  const text = await readNamed('check', invocation, terminal)
  const key = await checkingKey(invocation, terminal)
  const policy = await policyDigest(invocation, terminal)
  const origin = originOf(invocation)
  const { statement, failures } = checkAttestation(text, key, {
    now: Date.now(),
    ...(policy === undefined ? {} : { policyDigest: policy.digest }),
    ...(origin === undefined ? {} : { origin }),
  })
  for (const failure of failures) terminal.err(`${name}: ${failure}`)
  if (failures.length > 0) return 1
  terminal.out(inWords(statement!, policy?.shown, origin))
  return 0
}

function inWords(
  { subject, predicate }: Statement,
  policy: string | undefined,
  origin: string | undefined,
): string {
  const detail = predicate[DETAIL]
  const [target] = subject
  return [
    'The signature is by this key, and every check holds.',
    `  origin    ${target!.name}${origin === undefined ? ' (not checked; give --origin)' : ''}`,
    `  policy    sha256:${target!.digest.sha256}${policy === undefined ? ' (not checked; give --policy)' : `, which is ${policy}`}`,
    `  verified  ${predicate.timeCreated}, until ${detail.expires}`,
    `  probes    ${detail.passed} of ${detail.of} hold (${detail.profile}, ${detail.source})`,
    `  controls  ${detail.controls
      .filter(({ of }) => of > 0)
      .map(({ id }) => id)
      .join(', ')}`,
  ].join('\n')
}

async function recordOf(invocation: Invocation, terminal: Terminal): Promise<Verification> {
  const name = invocation.text('record')
  if (name === undefined)
    throw new Failure(
      `${invocation.nameOf('record')}: a statement is made of a verification; run sallyport verify URL --record FILE, and name the file`,
    )
  const record = readRecord(await readNamed('record', invocation, terminal))
  if (record === undefined)
    throw new Failure(
      `${invocation.nameOf('record')} ${name}: is no record of a verification; write it with sallyport verify URL --record ${name}`,
    )
  // Nobody can tell how old recorded answers are, or who answered.
  if (record.source !== 'live')
    throw new Failure(
      `${invocation.nameOf('record')} ${name}: was made of recorded answers; verify the deployment itself, and attest that`,
    )
  return record
}

// Evidence of another policy than the one at hand is a mistake that nobody would see.
async function expectPolicy(record: Verification, invocation: Invocation, terminal: Terminal): Promise<void> {
  const policy = await policyDigest(invocation, terminal)
  if (policy !== undefined && policy.digest !== record.policyDigest)
    throw new Failure(
      `${invocation.nameOf('record')} ${invocation.text('record')}: is about policy ${record.policyDigest}, but ${policy.shown} is ${policy.digest}; verify again`,
    )
}

async function policyDigest(
  invocation: Invocation,
  { directory }: Terminal,
): Promise<{ readonly digest: string; readonly shown: string } | undefined> {
  const named = invocation.text('policy') ?? (await findPolicy(directory))
  if (named === undefined) return undefined
  const { policy, file } = await loadPolicy(named, directory)
  return {
    digest: await digest(resolvePolicy(policy).document),
    shown: relative(directory, file) || file,
  }
}

function daysOf(invocation: Invocation): number {
  const given = invocation.text('valid')!
  const days = Number(/^(\d{1,3})d$/.exec(given)?.[1] ?? 0)
  if (days < 1 || days > MOST_DAYS)
    throw new Failure(`${invocation.nameOf('valid')}: expected 1d to ${MOST_DAYS}d, received ${show(given)}`)
  return days
}

function originOf(invocation: Invocation): string | undefined {
  const given = invocation.text('origin')
  if (given === undefined) return undefined
  const url = URL.parse(given)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Failure(
      `${invocation.nameOf('origin')}: expected an origin such as https://api.example.com, received ${show(given)}`,
    )
  return url.origin
}

async function readNamed(
  option: 'record' | 'check',
  invocation: Invocation,
  terminal: Terminal,
): Promise<string> {
  const name = invocation.text(option)!
  try {
    return await readFile(resolve(terminal.directory, name), 'utf8')
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf(option)} ${name}: can't be read (${(error as NodeJS.ErrnoException).code}); name a file that is there`,
      { cause: error },
    )
  }
}

async function write(text: string, invocation: Invocation, terminal: Terminal): Promise<void> {
  const name = invocation.text('out')
  if (name === undefined) {
    terminal.out(text)
    return
  }
  const file = resolve(terminal.directory, name)
  try {
    await writeFile(`${file}.new`, `${text}\n`)
    await rename(`${file}.new`, file)
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf('out')} ${name}: can't be written (${(error as NodeJS.ErrnoException).code}); name a file in a folder that is there`,
      { cause: error },
    )
  }
}
