// A statement is data: its name, its SQL, and the types of what goes in and comes out. A test prepares every one on both
// engines and compares what the database says of it with what is declared here.

/** The types in use, by their PostgreSQL names; `?` where null may come. */
interface Values {
  readonly text: string
  readonly int4: number
  /** Read as a number: sequences and counts stay below 2^53. */
  readonly int8: number
  readonly bool: boolean
  readonly bytea: Uint8Array
  readonly timestamptz: Date
  readonly jsonb: unknown
  readonly _text: readonly string[]
  readonly _timestamptz: readonly Date[]
  readonly _int4: readonly number[]
  readonly _int8: readonly number[]
  readonly _bytea: readonly Uint8Array[]
}
type TypeName = keyof Values

/** A type, or `type?` where null may come. */
export type ColumnType = TypeName | `${TypeName}?`
type ValueOf<Type extends ColumnType> = Type extends `${infer Name extends TypeName}?`
  ? Values[Name] | null
  : Type extends TypeName
    ? Values[Type]
    : never
type Columns = Readonly<Record<string, ColumnType>>

/** One SQL statement. */
export interface Statement<
  Parameters extends readonly ColumnType[] = readonly ColumnType[],
  Row extends Columns = Columns,
> {
  readonly name: string
  readonly text: string
  readonly parameters: Parameters
  readonly columns: Row
}

/** The values that a statement takes. */
export type ParametersOf<S> =
  S extends Statement<infer Parameters, Columns>
    ? { readonly [Index in keyof Parameters]: ValueOf<Parameters[Index]> }
    : never

/** The rows that a statement answers with. */
export type RowOf<S> =
  S extends Statement<readonly ColumnType[], infer Row>
    ? { readonly [Name in keyof Row]: ValueOf<Row[Name]> }
    : never

/** Declares a statement; the name must be unique, since it is also the prepared statement's. */
export function statement<const Parameters extends readonly ColumnType[], const Row extends Columns>(
  name: string,
  parameters: Parameters,
  columns: Row,
  text: string,
): Statement<Parameters, Row> {
  return { name, parameters, columns, text: text.trim() }
}
