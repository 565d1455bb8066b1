// `sallyport verify`: holds a live deployment, or answers recorded from one, against the policy.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import type { Place } from '../guard/control.ts'
import type { ResolvedPolicy } from '../guard/resolve.ts'
import { show } from '../policy/problem.ts'
import { type Captured, captureOf, readCapture, readHar, verifyCaptured } from '../posture/verify/captured.ts'
import { readCredential } from '../posture/verify/credential.ts'
import { verificationJunit } from '../posture/verify/junit.ts'
import { CouldNotVerify, type Profile, type Verification } from '../posture/verify/result.ts'
import { verificationSarif } from '../posture/verify/sarif.ts'
import { verificationText } from '../posture/verify/text.ts'
import { type VerifyOptions, verify as verifyLive } from '../posture/verify/verify.ts'
import { originOf, parseTarget, replicaAt, replicasOf, type WireTarget } from '../posture/wire/target.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { expectationOf } from './verify-expectation.ts'
import { expectRoles, readOwned } from './verify-owned.ts'
import { readSample, readSamples } from './verify-samples.ts'
import { watchVerification } from './verify-watch.ts'
import { version } from './version.ts'

const PROFILES = ['quick', 'full'] as const
const PLACES = ['gateway', 'node', 'fetch'] as const

/** Runs the command: 0 where everything holds, 1 with findings, 2 where nothing could be verified. */
export async function verifyCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [url] = invocation.operands
  const target = url === undefined ? undefined : await targetOf(url, invocation, terminal)
  const { resolved, policyFile, notes } = await expectationOf(invocation, terminal, target?.target)
  const run = await runner(invocation, terminal, resolved, target)
  const report = (result: Verification) =>
    writeReports(invocation, terminal, { ...result, notes: [...notes, ...result.notes] }, policyFile)
  if (invocation.text('watch') !== undefined) return watchVerification(invocation, terminal, run, report)
  try {
    const result = await run()
    await report(result)
    return result.findings.length === 0 ? 0 : 1
  } catch (error) {
    throw error instanceof CouldNotVerify ? new Failure(error.message, { cause: error }) : error
  }
}

async function runner(
  invocation: Invocation,
  terminal: Terminal,
  policy: ResolvedPolicy,
  target: Target | undefined,
): Promise<() => Promise<Verification>> {
  const place =
    invocation.text('place') === undefined ? {} : { place: oneOf<Place>(invocation, 'place', PLACES) }
  const recorded = await recordedAnswers(invocation, terminal)
  if (recorded !== undefined) {
    const origin = target === undefined ? undefined : originOf(target.target)
    return () =>
      verifyCaptured(policy, recorded.captured, recorded.source, { ...place, ...(origin ? { origin } : {}) })
  }
  if (target === undefined)
    throw new Failure(
      'verify needs the deployment to look at; write sallyport verify https://api.example.com',
    )
  const options = await liveOptions(invocation, terminal, target)
  const progress = terminal.progress
  return async () => {
    const captured: Captured[] = []
    const captureFile = invocation.text('capture')
    try {
      return await verifyLive(policy, target.target, {
        ...options,
        ...place,
        ...(progress ? { onProgress: (done, of) => progress(`${done} of ${of} requests`) } : {}),
        ...(captureFile === undefined
          ? {}
          : {
              onExchange(exchanged) {
                const kept = captureOf(exchanged)
                if (kept) captured.push(kept)
              },
            }),
      })
    } finally {
      progress?.('')
      if (captureFile !== undefined)
        await save(
          terminal,
          invocation,
          'capture',
          JSON.stringify({ format: 'sallyport-capture/1', exchanges: captured }),
        )
    }
  }
}

async function liveOptions(
  invocation: Invocation,
  terminal: Terminal,
  parsed: Target,
): Promise<VerifyOptions> {
  const credentials = invocation.list('credential').map((text) => {
    try {
      return readCredential(text, terminal.environment)
    } catch (error) {
      throw new Failure(`${invocation.nameOf('credential')}: ${(error as Error).message}`)
    }
  })
  const named =
    invocation.text('samples') === undefined
      ? { samples: [], owned: [] }
      : readSamples(await read(terminal, invocation, 'samples'), invocation.text('samples')!)
  const samples = [
    ...(parsed.path === '/' ? [] : [{ class: '200', path: parsed.path } as const]),
    ...invocation.list('path').map((text) => readSample(text, invocation.nameOf('path'))),
    ...named.samples,
  ]
  const owned = [
    ...invocation.list('owned').map((text) => readOwned(text, invocation.nameOf('owned'))),
    ...named.owned,
  ]
  expectRoles(
    owned,
    credentials.map(({ role }) => role),
  )
  return {
    profile: oneOf<Profile>(invocation, 'profile', PROFILES),
    allowWrites: invocation.flag('allow-writes'),
    provokeLimits: invocation.flag('provoke-limits'),
    samples,
    credentials,
    owned,
    replicas: await replicas(invocation, parsed.target),
    userAgent: `sallyport-verify/${version()}`,
    ...numberOption(invocation, 'plain-port', 'plainPort', 65_535),
    ...numberOption(invocation, 'max-requests', 'maxRequests', 100_000),
    ...numberOption(invocation, 'rate', 'perSecond', 1_000),
  }
}

async function replicas(invocation: Invocation, target: WireTarget): Promise<readonly WireTarget[]> {
  const named = invocation.list('replica').map((text) => {
    try {
      return replicaAt(target, text)
    } catch (error) {
      throw new Failure(`${invocation.nameOf('replica')}: ${(error as Error).message}; write 10.0.0.1:8443`)
    }
  })
  if (!invocation.flag('all-addresses')) return named
  try {
    return [...named, ...(await replicasOf(target))]
  } catch (error) {
    throw new Failure(
      `${target.host}: the name is not known (${(error as NodeJS.ErrnoException).code}); check the URL`,
    )
  }
}

type Target = ReturnType<typeof parseTarget>

async function targetOf(url: string, invocation: Invocation, terminal: Terminal): Promise<Target> {
  let parsed: Target
  try {
    parsed = parseTarget(url)
  } catch (error) {
    throw new Failure((error as Error).message)
  }
  return {
    ...parsed,
    target: {
      ...parsed.target,
      ...(invocation.text('ca') === undefined ? {} : { ca: await read(terminal, invocation, 'ca') }),
      ...(invocation.flag('insecure') ? { insecure: true } : {}),
    },
  }
}

async function recordedAnswers(
  invocation: Invocation,
  terminal: Terminal,
): Promise<{ readonly captured: readonly Captured[]; readonly source: 'har' | 'captured' } | undefined> {
  const option = (['har', 'captured'] as const).find((name) => invocation.text(name) !== undefined)
  if (option === undefined) return undefined
  const text = await read(terminal, invocation, option)
  try {
    return { captured: option === 'har' ? readHar(text) : readCapture(text), source: option }
  } catch (error) {
    throw new Failure(`${invocation.nameOf(option)} ${invocation.text(option)}: ${(error as Error).message}`)
  }
}

async function writeReports(
  invocation: Invocation,
  terminal: Terminal,
  result: Verification,
  policyFile: string,
): Promise<void> {
  const uri = isAbsolute(policyFile) ? policyFile : policyFile.replaceAll('\\', '/')
  const formats = {
    sarif: () => JSON.stringify(verificationSarif(result, version(), uri), null, 2),
    junit: () => verificationJunit(result),
    record: () => JSON.stringify(result, null, 2),
  }
  let toTerminal = false
  for (const [name, make] of Object.entries(formats)) {
    const file = invocation.text(name)
    if (file === undefined) continue
    if (file === '-') {
      terminal.out(make().trimEnd())
      toTerminal = true
    } else await save(terminal, invocation, name, make())
  }
  if (invocation.flag('json')) terminal.out(JSON.stringify(result, null, 2))
  else if (!toTerminal) terminal.out(verificationText(result))
}

async function read(terminal: Terminal, invocation: Invocation, option: string): Promise<string> {
  const name = invocation.text(option)!
  try {
    return await readFile(resolve(terminal.directory, name), 'utf8')
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf(option)} ${name}: can't be read (${(error as NodeJS.ErrnoException).code}); name a file that is there`,
    )
  }
}

// Whoever reads the file meets the old content or the new, never a half.
async function save(terminal: Terminal, invocation: Invocation, option: string, text: string): Promise<void> {
  const name = invocation.text(option)!
  const file = resolve(terminal.directory, name)
  try {
    await writeFile(`${file}.new`, text.endsWith('\n') ? text : `${text}\n`)
    await rename(`${file}.new`, file)
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf(option)} ${name}: can't be written (${(error as NodeJS.ErrnoException).code}); name a file in a folder that is there`,
    )
  }
}

function oneOf<T extends string>(invocation: Invocation, option: string, allowed: readonly T[]): T {
  const given = invocation.text(option)!
  const found = allowed.find((each) => each === given)
  if (found === undefined)
    throw new Failure(
      `${invocation.nameOf(option)}: expected ${allowed.join(' or ')}, received ${show(given)}`,
    )
  return found
}

function numberOption<K extends string>(
  invocation: Invocation,
  option: string,
  key: K,
  max: number,
): { readonly [key in K]?: number } {
  const text = invocation.text(option)
  if (text === undefined) return {}
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max)
    throw new Failure(
      `${invocation.nameOf(option)}: expected a number from 1 to ${max}, received ${show(text)}`,
    )
  return { [key]: value } as { readonly [key in K]?: number }
}
