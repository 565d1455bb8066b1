// Turns the stages of a cell into what a request pays for: two short lists of functions, one table of owned names,
// one string of header lines.

import type { ErrorCode } from '../errors/catalogue.ts'
import type { EmitStage, Identify, Judgement, Seen, Stage } from './control.ts'
import type { Exchange } from './exchange.ts'
import { JoinedLines } from './joined.ts'
import { joinLines, type Lines, lines, NO_LINES } from './lines.ts'

/** What is done with an application's header line. */
export const PASS = 0
/** Removed: the policy alone sets it. */
export const OWNED = 1
/** Kept, and shown to the stages. */
export const WATCHED = 2
/** Kept apart and merged with the policy's own field names. */
export const VARY = 4

/** Looks up what is done with a header name, in whatever case the application writes it. */
type NameTable = (name: string) => number

/** The chances of a control on the way in. */
export type AdmitFace = 'early' | 'admit' | 'answer'

/** A control that hears of refusals. */
export interface Denied {
  readonly control: string
  readonly hear: NonNullable<Stage['denied']>
}

/** A cell's stages, ready to run. */
export interface CompiledCell {
  readonly identify: Identify
  readonly admit: readonly ((exchange: Exchange) => Judgement)[]
  /** The register ids of the controls in `admit`, one for each. */
  readonly admitIds: readonly string[]
  /** Which of the control's chances to judge each of `admit` is. */
  readonly admitFaces: readonly AdmitFace[]
  /** Who hears of refusals, with its register id. */
  readonly denied: Denied | undefined
  readonly names: NameTable
  readonly fixed: Lines
  readonly perAnswer: readonly NonNullable<EmitStage['perAnswer']>[]
  /** Field names to stand in `Vary`; empty where the policy adds none. */
  readonly vary: readonly string[]
  readonly varyLines: Lines
  /** The wire form of `fixed`, `perAnswer` and `varyLines`. */
  readonly joined: JoinedLines
  readonly replaceBody: ((status: number, seen: Seen) => ErrorCode | undefined) | undefined
}

/** Compiles the stages of one cell; `admit` and `emit` come in the order of the pipeline. */
export function compileCell(
  admit: readonly NonNullable<Stage['admit']>[],
  emit: readonly EmitStage[],
  identify: Identify = {},
  admitIds: readonly string[] = [],
  admitFaces: CompiledCell['admitFaces'] = [],
  denied?: Denied,
): CompiledCell {
  const table = new Map<string, number>()
  const mark = (name: string, bits: number) => table.set(name, (table.get(name) ?? PASS) | bits)
  for (const stage of emit) {
    for (const name of stage.owns ?? []) mark(name, OWNED)
    for (const name of stage.watches ?? []) mark(name, WATCHED)
  }
  const vary = [...new Set(emit.flatMap((stage) => stage.vary ?? []))]
  if (vary.length > 0) mark('vary', VARY)
  const replacers = emit.flatMap((stage) => (stage.replaceBody ? [stage.replaceBody] : []))
  return {
    identify,
    admit,
    admitIds,
    admitFaces,
    denied,
    names: nameTable(table),
    fixed: joinLines(...emit.map((stage) => stage.fixed ?? NO_LINES)),
    perAnswer: emit.flatMap((stage) => (stage.perAnswer ? [stage.perAnswer] : [])),
    vary,
    varyLines: vary.length > 0 ? lines([['Vary', vary.join(', ')]]) : NO_LINES,
    joined: new JoinedLines(),
    replaceBody: replacers.length > 1 ? (status, seen) => firstCode(replacers, status, seen) : replacers[0],
  }
}

function firstCode(
  replacers: readonly NonNullable<EmitStage['replaceBody']>[],
  status: number,
  seen: Seen,
): ErrorCode | undefined {
  for (const replaceBody of replacers) {
    const code = replaceBody(status, seen)
    if (code !== undefined) return code
  }
  return undefined
}

// Applications write few different names, but the memory of spellings is bounded all the same: names can come from
// an upstream.
const SPELLINGS = 1024
const SPELLING = 64

function nameTable(table: ReadonlyMap<string, number>): NameTable {
  const shapes = new Uint8Array(SHAPES)
  for (const name of table.keys()) shapes[shapeOf(name)] = 1
  const spellings = new Map<string, number>()
  return (name) => {
    if (shapes[shapeOf(name)] === 0) return PASS
    const known = spellings.get(name)
    if (known !== undefined) return known
    const bits = table.get(name.toLowerCase()) ?? PASS
    if (spellings.size < SPELLINGS && name.length <= SPELLING) spellings.set(name, bits)
    return bits
  }
}

// Length and first letter, whatever its case: they tell most of an application's names from the policy's.
const LENGTHS = 64
const SHAPES = LENGTHS * 32

function shapeOf(name: string): number {
  return Math.min(name.length, LENGTHS - 1) * 32 + (name.charCodeAt(0) & 31)
}

/** The application's `Vary` with the policy's field names added; `*` stays alone (RFC 9110, section 12.5.5). */
export function mergeVary(application: string, added: readonly string[]): string {
  const present = application
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (present.includes('*')) return '*'
  const lower = new Set(present.map((name) => name.toLowerCase()))
  return [...present, ...added.filter((name) => !lower.has(name.toLowerCase()))].join(', ')
}
