// Keeps the account of a run: every answer is held against what enforcement would have sent, every probe against its
// own claim; what was seen of each class; what was not put to the test.

import type { Finding, Observation } from '../../guard/control.ts'
import { findingKind } from '../findings.ts'
import type { Weighed } from '../grade/context.ts'
import { controls } from '../register.ts'
import { curlLine } from '../wire/request.ts'
import type { WireResult } from '../wire/send.ts'
import type { WireTarget } from '../wire/target.ts'
import { blockedBy } from './block-page.ts'
import { CLASSES, type ClassId, classOf } from './classes.ts'
import { GENERAL, judgeGeneral } from './judge-general.ts'
import { LIMITS, type Oracle, SUSPECTS } from './oracle.ts'
import type { Claim, Planned } from './plan.ts'
import { bestReading } from './reading.ts'
import { distinct, reasonOf, shorten, whyNotSeen } from './reasons.ts'
import { repeatedIdentities } from './repeated-identity.ts'
import type { ClassReport, ControlReport, NotRun, VerifyFinding } from './result.ts'

/** One request with what came of it. */
export interface Exchanged {
  readonly planned: Planned
  readonly target: WireTarget
  /** Named where there are several. */
  readonly replica?: string
  readonly result: WireResult
}

/** The account of a run. */
export interface Account {
  take(exchanged: Exchanged): void
  /** Takes what was found without a request of the plan: TLS, plain HTTP. */
  note(check: string, control: string, about: About, findings: readonly Finding[]): void
  /** Takes what several answers together came to; they were taken one by one before. */
  conclude(check: string, control: string, about: About, findings: readonly Weighed[], role?: string): void
  skip(notRun: NotRun): void
  /** The classes seen in a cell. */
  sawIn(cell: string): ReadonlySet<ClassId>
  /** The cells that let the credential of a role in. */
  readonly opened: ReadonlySet<string>
  /** The same by role. */
  readonly openedBy: ReadonlyMap<string, ReadonlySet<string>>
  readonly answers: number
  /** Answers that were refusals for what only the server knows, by the register id of the control. */
  readonly refused: ReadonlyMap<string, number>
  readonly blocked: ReadonlyMap<string, number>
  report(): AccountReport
}

/** What a finding is about. */
export interface About {
  readonly class: ClassId
  readonly cell: string
  readonly curl: string
  readonly replica?: string
}

interface AccountReport {
  readonly passed: number
  readonly of: number
  readonly findings: readonly VerifyFinding[]
  readonly controls: readonly ControlReport[]
  readonly classes: readonly ClassReport[]
  readonly notRun: readonly NotRun[]
}

interface Check {
  readonly control: string
  held: boolean
}

/**
 * Opens an account.
 *
 * @param redact takes secrets out of every text
 * @param standIns what stands for a role's credential in a curl line, by header name
 */
export function openAccount(
  oracle: Oracle,
  redact: (text: string) => string,
  standIns: (role: string | undefined) => Readonly<Record<string, string>>,
): Account {
  const checks = new Map<string, Check>()
  const findings = new Map<string, VerifyFinding>()
  const seen = new Map<ClassId, number>()
  const seenIn = new Map<string, Set<ClassId>>()
  const opened = new Set<string>()
  const openedBy = new Map<string, Set<string>>()
  const notRun: NotRun[] = []
  const nonces = new Map<string, Observation>()
  const identities = repeatedIdentities()
  const blocked = new Map<string, number>()
  let answers = 0
  const refused = new Map<string, number>()

  function check(key: string, control: string, found: readonly Weighed[], about: About, role?: string): void {
    const known = checks.get(key)
    if (known) known.held &&= found.length === 0
    else checks.set(key, { control, held: found.length === 0 })
    for (const each of found) keep(each, control, about, role)
  }

  function keep(found: Weighed, control: string, about: About, role: string | undefined): void {
    const key = JSON.stringify([found.id, control, about.class, about.cell, found.mend.toLowerCase(), role])
    const known = findings.get(key)
    if (known !== undefined) {
      if (about.replica !== undefined && !known.replicas?.includes(about.replica))
        findings.set(key, { ...known, replicas: [...(known.replicas ?? []), about.replica] })
      return
    }
    const kind = findingKind(found.id)
    findings.set(key, {
      id: found.id,
      severity: found.severity ?? kind.severity,
      control: idOf(control),
      class: about.class,
      cell: about.cell,
      detail: shorten(redact(found.detail)),
      mend: shorten(redact(found.mend)),
      standards: kind.standards,
      curl: redact(about.curl),
      ...(role === undefined ? {} : { role }),
      ...(about.replica === undefined ? {} : { replicas: [about.replica] }),
    })
  }

  function see(cell: string, id: ClassId): void {
    seen.set(id, (seen.get(id) ?? 0) + 1)
    const known = seenIn.get(cell)
    if (known) known.add(id)
    else seenIn.set(cell, new Set([id]))
  }

  function open(role: string, cell: string, status: number): void {
    opened.add(cell)
    // A limit of addresses refuses before anybody looks who calls.
    if (status === 429) return
    const known = openedBy.get(role)
    if (known) known.add(cell)
    else openedBy.set(role, new Set([cell]))
  }

  function takeFailure({ planned, target, result, replica }: Exchanged): void {
    if (result.kind !== 'failure') return
    const sent = curlLine(target, planned.request, standIns(planned.role))
    for (const claim of planned.claims) {
      // To ask for more, or to wait for it, is to let in what must be refused.
      if (result.code === 'timeout' && 'raw' in planned.request) {
        const found = claim.probe.expect({
          status: 0,
          headers: [],
          body: '',
          encrypted: target.scheme === 'https',
        })
        const about = {
          class: planned.meant ?? 'bad-request',
          cell: claim.probe.cell,
          curl: sent,
          ...named(replica),
        } as const
        check(probeKey(claim, replica), claim.control, found.map(inTime), about)
      } else notRun.push({ probe: claim.probe.id, because: reasonOf(result) })
    }
    if (planned.claims.length === 0 && planned.meant !== undefined)
      notRun.push({ probe: `class ${planned.meant}`, because: reasonOf(result) })
  }

  function take(exchanged: Exchanged): void {
    const { planned, target, replica, result } = exchanged
    if (result.kind === 'failure') {
      takeFailure(exchanged)
      return
    }
    answers++
    const vendor = blockedBy(result)
    if (vendor !== undefined) {
      blocked.set(vendor, (blocked.get(vendor) ?? 0) + 1)
      for (const { probe } of planned.claims)
        notRun.push({ probe: probe.id, because: `a block page of ${vendor} came instead of the answer` })
      return
    }
    const id = classOf(planned.request, result, planned.meant)
    const best = bestReading(oracle, planned.request, result, nonces, planned.role !== undefined)
    see(best.expected.cell, id)
    const by = best.expected.verdict?.control
    if (by === LIMITS || by === SUSPECTS) refused.set(by, (refused.get(by) ?? 0) + 1)
    if (planned.role !== undefined && result.status !== 401 && result.status !== 403)
      open(planned.role, best.expected.cell, result.status)
    const about: About = {
      class: id,
      cell: best.expected.cell,
      curl: curlLine(target, planned.request, standIns(planned.role)),
      ...named(replica),
    }
    const role = planned.role
    const repeated = identities(planned.request, best.expected.owners, result)
    if (repeated) check(JSON.stringify(['identity', replica]), 'client', repeated, about)
    for (const { control, findings: found } of best.judged)
      check(JSON.stringify(['class', id, about.cell, control, role, replica]), control, found, about, role)
    const general = judgeGeneral(result, best.expected)
    if (general)
      check(JSON.stringify([GENERAL.name, id, about.cell, role, replica]), GENERAL.name, general, about, role)
    for (const claim of planned.claims)
      check(probeKey(claim, replica), claim.control, claim.probe.expect(result), {
        ...about,
        cell: claim.probe.cell,
      })
  }

  return {
    take,
    note: (key, control, about, found) => {
      seen.set(about.class, (seen.get(about.class) ?? 0) + 1)
      check(JSON.stringify(['note', key, about.replica]), control, found, about)
    },
    conclude: (key, control, about, found, role) =>
      check(JSON.stringify(['concluded', key, role, about.replica]), control, found, about, role),
    skip: (each) => notRun.push(each),
    opened,
    openedBy,
    sawIn: (cell) => seenIn.get(cell) ?? new Set(),
    get answers() {
      return answers
    },
    refused,
    blocked,
    report() {
      const all = [...checks.values()]
      const isChecked = (name: string) => all.some(({ control }) => control === name)
      const countOf = (of: Pick<ControlReport, 'id' | 'name' | 'title'>): ControlReport => {
        const own = all.filter(({ control }) => control === of.name)
        return { ...of, passed: own.filter(({ held }) => held).length, of: own.length }
      }
      return {
        passed: all.filter(({ held }) => held).length,
        of: all.length,
        findings: [...findings.values()],
        controls: [
          ...controls.map(({ id, name, title, probe }) => ({
            ...countOf({ id, name, title }),
            ...(typeof probe === 'function' || isChecked(name) ? {} : { notObservable: probe.because }),
          })),
          ...(isChecked(GENERAL.name) ? [countOf({ id: GENERAL.name, ...GENERAL })] : []),
        ],
        classes: (Object.keys(CLASSES) as ClassId[]).map((id) => ({
          id,
          title: CLASSES[id],
          answers: seen.get(id) ?? 0,
          ...(seen.has(id) ? {} : { notSeen: whyNotSeen(id, notRun) }),
        })),
        notRun: distinct(notRun),
      }
    },
  }
}

function named(replica: string | undefined): { replica?: string } {
  return replica === undefined ? {} : { replica }
}

function probeKey({ control, probe }: Claim, replica: string | undefined): string {
  return JSON.stringify(['probe', control, probe.id, replica])
}

function inTime(found: Finding): Finding {
  return { ...found, detail: `${found.detail.replace(/ answered 0 /, ' not answered ')} (no answer in time)` }
}

function idOf(control: string): string {
  return controls.find(({ name }) => name === control)?.id ?? control
}
