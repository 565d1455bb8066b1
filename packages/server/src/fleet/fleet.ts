// Several processes as one gateway: the parent holds the sockets and reads the files, starts what crashes anew, replaces
// the processes one by one, and answers the operator for all of them. It touches no request.

import { randomBytes } from 'node:crypto'
import { createGuard, digest, type PolicyDocument, type ResolvedPolicy, resolvePolicy } from 'sallyport'
import { type AdminListener, startAdmin } from '../admin/listener.ts'
import { checkOwnPlaces } from '../config/places.ts'
import type { Behind, CloseOptions, Gateway, GatewayEvent, GatewayOptions } from '../contract.ts'
import type { Documents } from '../operation.ts'
import { fixedFaults, transportOf } from '../reload/fixed.ts'
import { createReloader, type ReloadOutcome, ReloadRefused } from '../reload/reloader.ts'
import { selfCheck } from '../reload/self-check.ts'
import { watchFiles } from '../reload/watch.ts'
import { tlsFilesOf } from '../tls/setting.ts'
import { upstreamOptions } from '../upstream/defaults.ts'
import { type Member, startMember } from './member.ts'
import type { SentOptions } from './messages.ts'
import { fleetPlane } from './plane.ts'
import { openPlaces } from './sockets.ts'
import { shareTls } from './tls.ts'

/** What a fleet is started with. */
export interface FleetOptions
  extends Omit<GatewayOptions, 'clock' | 'timers' | 'credentialKey' | 'upstream'> {
  readonly upstream?: string
  /** How many processes. */
  readonly workers: number
}

/** A running fleet. */
export interface Fleet extends Omit<Gateway, 'address' | 'wouldDo' | 'upstreams'> {
  /** Replaces every process by a new one, one after the other; no request is lost by it. */
  restart(): Promise<void>
  readonly processes: number
  /** False where connections that wait to be accepted are lost when a process goes. */
  readonly socketsAreHeld: boolean
}

// A local certificate has a month left when it is renewed.
const TEND_MS = 3_600_000
const RESTART_LINGER_MS = 1_000
const BACKOFF_MS = 200
const MAX_BACKOFF_MS = 10_000
/** A process that lived so long did not fail by its start. */
const SETTLED_MS = 30_000

interface Slot {
  member: Member | undefined
  failures: number
}

/**
 * Starts a fleet.
 *
 * @throws what `startGateway` throws; PortNotShared
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  checkOwnPlaces(options)
  const {
    workers,
    admin: adminSetting,
    log,
    onDrain,
    source: given,
    watch,
    upstreams,
    routes,
    ...rest
  } = options
  // Certificates can change where the policy can't.
  const source =
    given ??
    (tlsFilesOf(options.tls).length > 0
      ? { name: 'the policy', files: [], load: async () => ({ policy: options.policy }) }
      : undefined)
  const clock = Date.now
  let policy: PolicyDocument = options.policy
  let behind: Behind = { ...(upstreams ? { upstreams } : {}), ...(routes ? { routes } : {}) }
  let takesRestart: readonly string[] = []
  let resolved: ResolvedPolicy = resolvePolicy(policy)
  let policyDigest = await digest(resolved.document)
  const tls = await shareTls(transportOf(resolved).tls === 'here', options, clock)
  const opened = await openPlaces(options.listen.host, options.listen.port, workers)
  const key = randomBytes(32).toString('hex')
  const tell = (event: GatewayEvent): void => {
    try {
      log?.(event)
    } catch {
      // A log that can't be written must not cost a process.
    }
  }
  // A change of policy is the parent's to tell, once.
  const onEvent = (event: GatewayEvent): void => {
    if (event.event !== 'reloaded' && event.event !== 'reload-refused') tell(event)
  }

  let port = opened.port
  const sent = (): SentOptions => ({
    ...rest,
    ...behind,
    processes: workers,
    policy,
    listen: { ...options.listen, host: opened.host, port },
    ...(tls.given === undefined ? {} : { tls: tls.given }),
    ticketSecret: tls.ticketSecret(),
    watch: false,
    credentialKey: key,
    sourceName: source?.name ?? 'a program',
  })
  const documents = (): Documents<Behind> => ({
    policy,
    configuration: { ...behind, takesRestart },
  })
  const slots: Slot[] = opened.places.map(() => ({ member: undefined, failures: 0 }))
  const plane = fleetPlane({
    members: () => slots.flatMap(({ member }) => (member ? [member] : [])),
    workers,
    isDraining: () => draining,
    policyDigest: () => policyDigest,
    reloadState: () => reloader?.state,
    reload,
    drain: () => (onDrain ?? (() => void fleet.close()))(),
    clock,
  })
  let draining = false

  async function start(index: number): Promise<void> {
    const startedWith = [policy, behind]
    const member = await startMember(sent(), opened.places[index]!.fd, onEvent)
    // The policy may have changed while it started.
    if (startedWith[0] !== policy || startedWith[1] !== behind) await member.ask('reload', documents())
    const slot = slots[index]!
    slot.member = member
    const since = clock()
    void member.gone.then(() => {
      plane.retire(member.lastFamilies())
      if (slot.member !== member) return
      slot.member = undefined
      if (draining) return
      slot.failures = clock() - since > SETTLED_MS ? 0 : slot.failures + 1
      tell({ event: 'process-ended', requestId: '', route: '', reason: `process ${index + 1}` })
      revive(index)
    })
  }

  // Whatever ends a process may end the next one too, so each try waits longer than the one before.
  function revive(index: number): void {
    const { failures } = slots[index]!
    const delay = failures <= 1 ? 0 : Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (failures - 2))
    setTimeout(() => {
      if (draining) return
      plane.restarted()
      start(index).catch((error: Error) => {
        slots[index]!.failures++
        tell({ event: 'process-ended', requestId: '', route: '', reason: error.message })
        revive(index)
      })
    }, delay).unref()
  }

  try {
    // The first finds out what is wrong with all; and where nobody holds a socket, which port it is.
    await start(0)
    port = slots[0]!.member!.port
    await Promise.all(slots.slice(1).map((_slot, index) => start(index + 1)))
  } catch (error) {
    draining = true
    for (const { member } of slots) member?.kill()
    for (const place of opened.places) place.close()
    throw error
  }

  async function apply(read: Documents<Behind>) {
    const next = resolvePolicy(read.policy)
    const name = source!.name
    const faults = fixedFaults(resolved, next).map((fault) => `${name}: ${fault}`)
    if (faults.length > 0) throw new ReloadRefused(faults)
    const fault = selfCheck(createGuard(next, 'gateway', { clock, trial: {} }))
    if (fault !== undefined) throw new ReloadRefused([`${name}: ${fault}`])
    await tls.check()
    const nextBehind = behindOf(read.configuration) ?? behind
    // Tried here, so that all processes take it or none.
    if (nextBehind !== behind) await upstreamOptions(nextBehind)
    const nextDigest = await digest(next.document)
    const changed = nextDigest !== policyDigest
    policy = read.policy
    behind = nextBehind
    takesRestart = read.configuration?.takesRestart ?? []
    resolved = next
    policyDigest = nextDigest
    const outcomes = await Promise.all(slots.map(({ member }) => member?.ask('reload', documents())))
    const told = outcomes.find((outcome) => outcome?.ok === true)
    return { policyDigest, changed, notes: told?.ok === true ? told.notes : [] }
  }

  const reloader = source && createReloader(source, apply, clock)

  async function reload(): Promise<ReloadOutcome | undefined> {
    const outcome = await reloader?.reload()
    if (outcome)
      tell({
        event: outcome.ok ? 'reloaded' : 'reload-refused',
        requestId: '',
        route: '',
        reason: outcome.ok
          ? [outcome.policyDigest, ...outcome.notes].join('; ')
          : outcome.problems.join('\n'),
      })
    return outcome
  }

  async function tend(): Promise<void> {
    try {
      if (await tls.tend()) await Promise.all(slots.map(({ member }) => member?.ask('reload', documents())))
    } catch (error) {
      const { message } = error as Error
      tell({
        event: 'tls-fault',
        requestId: '',
        route: '',
        reason: `the local certificate can’t be renewed: ${message}`,
      })
    }
  }

  let restarting: Promise<void> | undefined
  async function restartAll(): Promise<void> {
    for (const [index, slot] of slots.entries()) {
      if (draining) return
      const old = slot.member
      // One that is down comes back by itself.
      if (old === undefined) continue
      // Both listen for a moment; the old one goes when the new one is there.
      await start(index)
      await old.drain({ lingerMs: RESTART_LINGER_MS })
    }
  }

  let closing: Promise<{ brokenOff: number }> | undefined
  let admin: AdminListener | undefined
  async function close(how: CloseOptions): Promise<{ brokenOff: number }> {
    draining = true
    watching?.close()
    clearInterval(tending)
    const ends = await Promise.all(slots.map(({ member }) => member?.drain(how)))
    for (const place of opened.places) place.close()
    await admin?.close()
    return { brokenOff: ends.reduce((sum, end) => sum + (end?.brokenOff ?? 0), 0) }
  }

  const fleet: Fleet = {
    url: slots[0]!.member!.url,
    plane,
    reload,
    restart: () =>
      (restarting ??= restartAll().finally(() => {
        restarting = undefined
      })),
    async reopenLog() {
      await Promise.all(slots.map(({ member }) => member?.ask('reopenLog')))
    },
    close: (how = {}) => (closing ??= close(how)),
    socketsAreHeld: opened.areHeld,
    get adminUrl() {
      return admin?.url
    },
    get processes() {
      return slots.filter(({ member }) => member !== undefined).length
    },
  }
  const files = [...(source?.files ?? []), ...tlsFilesOf(options.tls)]
  const watching =
    watch === false || files.length === 0 ? undefined : await watchFiles(files, () => void reload())
  const tending = setInterval(() => void tend(), TEND_MS).unref()
  if (adminSetting !== undefined && adminSetting !== false)
    admin = await startAdmin(adminSetting, plane).catch(async (error: unknown) => {
      await fleet.close({ graceMs: 0 })
      throw error
    })
  return fleet
}

function behindOf({ upstreams, routes }: Behind = {}): Behind | undefined {
  return upstreams && { upstreams, ...(routes ? { routes } : {}) }
}
