// The posture as plain data: what the page, its Markdown and its JSON all show. Every value comes from the resolved
// policy and the faces of the controls; nothing here is a fact of its own.

import { SCHEDULE } from '../../controls/backup/faces.ts'
import { type CacheSetting, cacheWords } from '../../controls/cache/setting.ts'
import type { DisclosureSetting } from '../../controls/disclosure/setting.ts'
import type { Entry, Mode, Place } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { type ResolvedPolicy, resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { digest } from '../../policy/digest.ts'
import { controls } from '../register.ts'
import { type ProofCommand, proofCommands } from './commands.ts'
import { isOnlyDeclared, type LastBackup, withLastBackup } from './last-backup.ts'
import { type StandardsRow, standardsRows } from './standards.ts'
import { type TenancyCheck, withTenancyCheck } from './tenancy-check.ts'

/** For whom a part is written: a reviewer sees all, the public what helps nobody to attack. */
export type Audience = 'public' | 'reviewer'

/** One control as the page shows it. */
export interface PostureSection {
  readonly control: string
  /** The register id: `SP-CORS-01`. */
  readonly id: string
  readonly title: string
  readonly since: string
  readonly modes: readonly ModeInCells[]
  readonly audience: Audience
  readonly entries: readonly Entry[]
  /** What it does not do, or can't here. */
  readonly limits: readonly string[]
  /** Why nobody outside can see it at work; absent where `verify` proves it. */
  readonly notObservable?: string
}

/** A control's mode, and the cells where it has it; no cells where it is the same in all. */
export interface ModeInCells {
  /** `unset`: the policy says nothing that it could do. */
  readonly mode: Mode | 'unset'
  readonly cells: readonly string[]
}

/** One route, or what holds where no route is declared. */
export interface PostureCell {
  readonly id: string
  readonly meaning: string
  readonly data: string
  readonly credentials: string
  readonly cacheControl: string
}

/** A weakness that somebody has accepted for a while. */
export interface AcceptedWeakness {
  readonly fingerprint: string
  readonly what: string
  readonly reason: string
  readonly owner: string
  /** A date, `2027-01-31`. */
  readonly expires: string
}

/** The last verification of a live deployment. */
export interface LastVerification {
  /** RFC 3339. */
  readonly at: string
  readonly target: string
  readonly passed: number
  readonly of: number
  readonly findings: number
  readonly policyDigest: string
  /** `live`, or recorded answers, of which nobody can tell when and by whom they were given; absent is `live`. */
  readonly source?: 'live' | 'har' | 'captured'
}

/** One change of the policy, as `diff` saw it. */
export interface PolicyChange {
  /** RFC 3339. */
  readonly at: string
  readonly from: string
  readonly to: string
  readonly verdict: string
  readonly changes: readonly string[]
}

/** The whole posture. */
export interface Posture {
  readonly format: 'sallyport-posture/1'
  readonly name: string
  readonly version?: string
  /** `sha-256:` and hexadecimal digits. */
  readonly policyDigest: string
  /** RFC 3339. */
  readonly generatedAt: string
  readonly audience: Audience
  readonly place: Place
  /** The origin that the commands are written for. */
  readonly origin: string
  readonly cells: readonly PostureCell[]
  readonly sections: readonly PostureSection[]
  readonly standards: readonly StandardsRow[]
  readonly commands: readonly ProofCommand[]
  readonly lastVerification?: LastVerification
  /** For reviewers only. */
  readonly acceptedWeaknesses?: readonly AcceptedWeakness[]
  readonly changes?: readonly PolicyChange[]
  /** The policy with all that it extends; absent in public where a part of it is for reviewers. */
  readonly document?: PolicyDocument
}

/** What a posture is made of beside the policy. */
export interface PostureOptions {
  readonly place: Place
  /** `public` where nothing is said. */
  readonly audience?: Audience
  /** Milliseconds since the epoch. */
  readonly now: number
  /** `https://api.example.com`; that of security.txt where nothing is said. */
  readonly origin?: string
  readonly lastVerification?: LastVerification
  readonly acceptedWeaknesses?: readonly AcceptedWeakness[]
  readonly changes?: readonly PolicyChange[]
  readonly tenancyCheck?: TenancyCheck
  readonly lastBackup?: LastBackup
  /** Whether the gateway that shows the page has where to put backups. */
  readonly backups?: 'made' | 'no folder'
}

const MEANING: Readonly<Record<string, string>> = {
  '*': 'every other path',
  '!': 'paths that two programs may read differently, and requests that could not be read',
}

/** Makes the posture of a policy. @throws PolicyError where the policy is wrong */
export async function createPosture(
  policy: PolicyDocument | ResolvedPolicy,
  options: PostureOptions,
): Promise<Posture> {
  const resolved = 'cells' in policy ? policy : resolvePolicy(policy)
  const audience = options.audience ?? 'public'
  const origin = options.origin ?? ownOrigin(resolved)
  const all = sections(resolved, options)
  const isFor = (of: Audience = 'public') => audience === 'reviewer' || of === 'public'
  const shown = all.filter((section) => isFor(section.audience))
  const isWhole =
    shown.length === all.length && all.every((each) => each.entries.every((entry) => isFor(entry.audience)))
  const { name = 'This API', version } = resolved.document
  return {
    format: 'sallyport-posture/1',
    name,
    ...(version === undefined ? {} : { version }),
    policyDigest: await digest(resolved.document),
    generatedAt: new Date(options.now).toISOString(),
    audience,
    place: options.place,
    origin,
    cells: resolved.cells.map((cell) => ({
      id: cell.id,
      meaning: MEANING[cell.id] ?? '',
      data: cell.data,
      credentials: cell.credentials,
      cacheControl: cacheWords(cell, cell.settings['cache'] as CacheSetting),
    })),
    sections: shown.map((section) => ({
      ...section,
      entries: section.entries.filter((entry) => isFor(entry.audience)),
    })),
    // What is not kept supports nothing.
    standards: standardsRows(new Set(all.filter(isKept).map(({ control }) => control))),
    commands: proofCommands(resolved, origin),
    ...(options.lastVerification ? { lastVerification: options.lastVerification } : {}),
    ...(options.changes ? { changes: options.changes } : {}),
    ...(audience === 'reviewer' ? { acceptedWeaknesses: options.acceptedWeaknesses ?? [] } : {}),
    ...(isWhole ? { document: resolved.document } : {}),
  }
}

/** True where a control does something somewhere. */
function isKept({ modes }: PostureSection): boolean {
  return modes.some(({ mode }) => mode === 'enforce')
}

// How a control says in its only entry that nothing is set.
const SAYS_NOTHING = new Set(['none', 'not set', 'left to the application'])

function sections(policy: ResolvedPolicy, options: PostureOptions): readonly PostureSection[] {
  const { place, tenancyCheck, now } = options
  return controls.map((control) => {
    const cells = resolvedFor<{ mode?: Mode }>(policy, control)
    const described = control.describe(cells, place)
    const byMode = Map.groupBy(cells, ({ setting }) => setting.mode ?? 'enforce')
    return {
      control: control.name,
      id: control.id,
      title: control.title,
      since: control.since,
      // What is not set is not kept, whatever its mode.
      modes:
        (described.entries.every(({ value }) => SAYS_NOTHING.has(value)) ||
          (described.entries.every(({ name }) => name === SCHEDULE) && isOnlyDeclared(options))) &&
        [...byMode.keys()].every((mode) => mode === 'enforce')
          ? [{ mode: 'unset', cells: [] }]
          : Array.from(byMode, ([mode, found]) => ({
              mode,
              cells: byMode.size === 1 ? [] : found.map(({ cell }) => cell.id),
            })),
      audience: described.audience ?? 'public',
      entries:
        control.name === 'tenancy'
          ? withTenancyCheck(described.entries, tenancyCheck)
          : control.name === 'backup'
            ? withLastBackup(described.entries, options, now)
            : described.entries,
      limits: described.limits,
      ...(typeof control.probe === 'function' ? {} : { notObservable: control.probe.because }),
    }
  })
}

// Where the policy says at which URL its security.txt stands, it has said its origin.
function ownOrigin({ cells }: ResolvedPolicy): string {
  const { securityTxt } = cells.at(-2)!.settings['disclosure'] as DisclosureSetting
  const canonical = securityTxt ? securityTxt.canonical?.[0] : undefined
  return canonical === undefined ? 'https://api.example.com' : new URL(canonical).origin
}
