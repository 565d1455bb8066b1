// `sallyport keys prove URL`: makes a key, has it taken, revokes it, and measures for how long it is still taken: the claim
// "refused on every node within two seconds", on the deployment itself.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { KeyFormat } from '../../keys/format.ts'
import { show } from '../../policy/problem.ts'
import { send } from '../../posture/wire/send.ts'
import { parseTarget, type WireTarget } from '../../posture/wire/target.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { operator } from '../operator.ts'
import { type Administration, withKeys } from './package.ts'
import { listOf } from './words.ts'

/** What every node keeps to; milliseconds. */
const BOUND_MS = 2_000
const EVERY_MS = 25
const GIVE_UP_MS = 10_000
const ORGANISATION = 'sallyport-proof'

/** What was measured at one address. */
interface Proof {
  readonly address: string
  /** The status with the key, and the first one after it was revoked that refused it. */
  readonly before: number
  readonly after: number | undefined
  /** From the moment the revocation was written to the last answer that still took the key; 0 where none did. */
  readonly takenForMs: number
}

/** Ends with 0 where the bound holds at every address, with 1 where it does not. */
export async function prove(
  invocation: Invocation,
  terminal: Terminal,
  format: KeyFormat,
  url: string,
): Promise<number> {
  const targets = await targetsOf(invocation, terminal, url)
  const scopes = listOf(invocation, 'scopes')
  const proofs = await withKeys(invocation, terminal, format, async (administration) => {
    const organisation =
      (await administration.organisation(ORGANISATION))?.id ??
      (await administration.createOrganisation(ORGANISATION, 'free', operator()))
    const { key, id } = await administration.create({
      organisation,
      name: 'proves that revocation is quick',
      kind: 'secret',
      environment: 'live',
      scopes,
      origins: [],
      cidrs: [],
      createdBy: operator(),
      expiresAt: Date.now() + 600_000,
    })
    try {
      return await measure(targets, key, () => administration.revoke(organisation, id, operator(), 'proof'))
    } finally {
      await endKey(administration, organisation, id)
    }
  })
  tell(proofs, invocation, terminal)
  return proofs.every(({ after, takenForMs }) => after !== undefined && takenForMs <= BOUND_MS) ? 0 : 1
}

async function endKey(administration: Administration, organisation: string, id: string): Promise<void> {
  await administration.revoke(organisation, id, operator(), 'proof').catch(() => {})
}

interface Target {
  readonly wire: WireTarget
  readonly path: string
  readonly address: string
}

async function targetsOf(
  invocation: Invocation,
  terminal: Terminal,
  url: string,
): Promise<readonly Target[]> {
  let parsed: ReturnType<typeof parseTarget>
  try {
    parsed = parseTarget(url)
  } catch (error) {
    throw new Failure(`keys prove: ${(error as Error).message}`, { cause: error })
  }
  const authority = invocation.text('ca')
  const ca =
    authority === undefined
      ? undefined
      : await readFile(resolve(terminal.directory, authority), 'utf8').catch(
          (error: NodeJS.ErrnoException) => {
            throw new Failure(`${invocation.nameOf('ca')}: can't be read (${error.code})`, { cause: error })
          },
        )
  const wire: WireTarget = { ...parsed.target, ...(ca === undefined ? {} : { ca }) }
  const replicas = invocation.list('replica')
  if (replicas.length === 0) return [{ wire, path: parsed.path, address: wire.host }]
  return replicas.map((text) => {
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text)
    if (!match)
      throw new Failure(`${invocation.nameOf('replica')}: expected HOST:PORT, received ${show(text)}`)
    const address = match[1] ?? match[2]!
    return { wire: { ...wire, address, addressPort: Number(match[3]) }, path: parsed.path, address: text }
  })
}

async function ask({ wire, path }: Target, key: string): Promise<number> {
  const headers = [['Authorization', `Bearer ${key}`]] as const
  const result = await send(wire, { method: 'GET', path, headers })
  if (result.kind === 'failure')
    throw new Failure(
      `keys prove: ${wire.address ?? wire.host} gave no answer (${result.phase}: ${result.code})`,
    )
  return result.status
}

const refuses = (status: number) => status === 401

async function measure(
  targets: readonly Target[],
  key: string,
  revoke: () => Promise<boolean>,
): Promise<readonly Proof[]> {
  const before: number[] = []
  for (const target of targets) {
    let status = await ask(target, key)
    // A cold node may say once that it can't know yet.
    for (let tries = 0; status === 503 && tries < 20; tries++) {
      await wait(100)
      status = await ask(target, key)
    }
    if (refuses(status) || status === 403 || status === 503)
      throw new Failure(
        `keys prove: ${target.address} answers ${status} with a new key, so nothing can be proved; name a path that a key opens, and its scopes with --scopes`,
      )
    before.push(status)
  }
  await revoke()
  const at = performance.now()
  return Promise.all(
    targets.map(async (target, index): Promise<Proof> => {
      let takenForMs = 0
      for (;;) {
        const status = await ask(target, key)
        const now = performance.now() - at
        if (refuses(status))
          return {
            address: target.address,
            before: before[index]!,
            after: status,
            takenForMs: Math.round(takenForMs),
          }
        // 503 takes nobody in either.
        if (status !== 503) takenForMs = now
        if (now > GIVE_UP_MS)
          return {
            address: target.address,
            before: before[index]!,
            after: undefined,
            takenForMs: Math.round(now),
          }
        await wait(EVERY_MS)
      }
    }),
  )
}

function tell(proofs: readonly Proof[], invocation: Invocation, terminal: Terminal): void {
  if (invocation.flag('json')) {
    terminal.out(JSON.stringify({ boundMs: BOUND_MS, proofs }))
    return
  }
  for (const { address, before, after, takenForMs } of proofs) {
    const holds = after !== undefined && takenForMs <= BOUND_MS
    const words =
      after === undefined
        ? `still taken ${takenForMs} ms after it was revoked`
        : `refused; it was last taken ${takenForMs} ms after it was revoked`
    terminal.out(`${holds ? '✓' : '✗'} ${address}: taken (${before}), then ${words} (bound ${BOUND_MS} ms)`)
  }
}
