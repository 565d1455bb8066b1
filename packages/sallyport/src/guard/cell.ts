// A cell is one place of the policy: a path pattern, the methods, the class of its data. A control sees one cell
// at a time, and a request is judged by exactly one.

import type { CompiledCell } from './compile.ts'

/** The classes of data that a route may answer with. */
export const DATA_CLASSES = ['private', 'public', 'stream', 'asset'] as const
export type DataClass = (typeof DATA_CLASSES)[number]

/** The credentials that a route takes. */
export const CREDENTIALS = ['bearer', 'cookie', 'mixed', 'none'] as const
export type Credentials = (typeof CREDENTIALS)[number]

/** Where a cell comes from. */
type CellOrigin = 'route' | 'default' | 'strict'

/** The description of a cell: what a control knows of the place where it works. */
export interface CellInfo {
  /** `/v1/account/*`, `GET /v1/status`, `*` for what no route covers, `!` for paths that are not canonical. */
  readonly id: string
  readonly origin: CellOrigin
  readonly method: string | undefined
  readonly path: string
  readonly data: DataClass
  /** True where the route itself says its class of data; `private` is also what is taken where nobody says. */
  readonly namesData?: boolean
  readonly credentials: Credentials
  /** Each control's setting, by its name: for a rule that hangs on whether another control is set. */
  readonly settings?: { readonly [control: string]: unknown }
  /** What the route itself says, apart from what the top level says for all. */
  readonly own?: { readonly [field: string]: unknown }
}

/**
 * True where a path of the cell can be one under /.well-known/ (RFC 8615), where controls serve pages of their own. What is
 * compiled may hang on this, and on nothing else of a path: cells of equal settings share it.
 */
export function mayBeWellKnown({ path }: Pick<CellInfo, 'path'>): boolean {
  return /^\/?(?:\*|:|\.well-known(?:\/|$))/.test(path)
}

/** A control's setting in one cell. */
export interface Resolved<Setting> {
  readonly cell: CellInfo
  readonly setting: Setting
}

/** A cell of a running guard. */
export interface Cell extends CellInfo {
  /** Each control's setting, by the control's name. */
  readonly settings: { readonly [control: string]: unknown }
  readonly compiled: CompiledCell
}
