// A record of a key in few bytes: a text of one byte a character. What many keys have alike (plan, scopes, networks) is
// kept once and named by a number; UUIDs are 16 bytes. A million keys have to fit in a gateway.

import type { KeyRecord } from '../ports/keys.ts'

/** What many records have alike, kept once. */
export interface Shapes {
  /** The number of a shape; it is added where it is new. */
  numberOf(shape: Shape): number
  at(number: number): Shape
  readonly size: number
}

type Shape = Pick<
  KeyRecord,
  'plan' | 'planOverrides' | 'scopes' | 'ownerScopes' | 'ownerRole' | 'origins' | 'cidrs'
> & { readonly displayHead: string }

/** An empty list of shapes. */
export function emptyShapes(): Shapes {
  const list: Shape[] = []
  const numbers = new Map<string, number>()
  return {
    numberOf(shape) {
      const text = JSON.stringify(shape)
      let number = numbers.get(text)
      if (number === undefined) {
        number = list.length
        numbers.set(text, number)
        list.push(shape)
      }
      return number
    },
    at: (number) => list[number]!,
    get size() {
      return list.length
    },
  }
}

const TIMES = [
  'expiresAt',
  'generationEndsAt',
  'generationReplacedAt',
  'revokedAt',
  'organisationDisabledAt',
] as const
// Bits of the first two bytes; the times take the five after these.
const [PUBLISHABLE, TEST, OWN, STORE] = [1, 2, 4, 8]
const FIRST_TIME = 16
const DISPLAY_TAIL = 4
// How a text is kept: up to 250 characters of one byte each after their number, else by one of these.
const [UUID, LONG, WIDE] = [251, 252, 253]
const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Packs a record behind a text of one byte a character; times are whole milliseconds since the epoch. */
export function packRecord(before: string, record: KeyRecord, shapes: Shapes): string {
  const bytes = Array.from(before, (character) => character.charCodeAt(0))
  let flags =
    (record.kind === 'publishable' ? PUBLISHABLE : 0) |
    (record.environment === 'test' ? TEST : 0) |
    (record.owner === record.organisation ? OWN : 0) |
    (record.store === undefined ? 0 : STORE)
  TIMES.forEach((name, at) => {
    if (record[name] !== undefined) flags |= FIRST_TIME << at
  })
  pushNumber(bytes, flags, 2)
  pushNumber(bytes, shapes.numberOf(shapeOf(record)), 3)
  pushNumber(bytes, record.generation, 4)
  pushNumber(bytes, record.createdAt, 6)
  for (const name of TIMES) if (record[name] !== undefined) pushNumber(bytes, record[name], 6)
  pushText(bytes, record.id)
  pushText(bytes, record.organisation)
  if (record.owner !== record.organisation) pushText(bytes, record.owner)
  if (record.store !== undefined) pushText(bytes, record.store)
  pushText(bytes, record.name)
  pushText(bytes, record.display.slice(-DISPLAY_TAIL))
  // Made of numbers it is one piece of memory; a text that is put together keeps its parts.
  return String.fromCharCode(...bytes)
}

/** The record that was packed, from a place of a text on. */
export function unpackRecord(packed: string, from: number, shapes: Shapes): KeyRecord {
  const reader = new Reader(packed, from)
  const flags = reader.number(2)
  const { displayHead, ...shape } = shapes.at(reader.number(3))
  const generation = reader.number(4)
  const createdAt = reader.number(6)
  const times: { -readonly [Name in (typeof TIMES)[number]]?: number } = {}
  for (let at = 0; at < TIMES.length; at++)
    if ((flags & (FIRST_TIME << at)) !== 0) times[TIMES[at]!] = reader.number(6)
  const id = reader.text()
  const organisation = reader.text()
  const owner = (flags & OWN) !== 0 ? organisation : reader.text()
  const store = (flags & STORE) !== 0 ? reader.text() : undefined
  return {
    id,
    kind: (flags & PUBLISHABLE) !== 0 ? 'publishable' : 'secret',
    environment: (flags & TEST) !== 0 ? 'test' : 'live',
    organisation,
    ...(store === undefined ? {} : { store }),
    owner,
    name: reader.text(),
    display: displayHead + reader.text(),
    ...shape,
    createdAt,
    generation,
    ...times,
  }
}

function shapeOf(record: KeyRecord): Shape {
  const { plan, planOverrides, scopes, ownerScopes, ownerRole, origins, cidrs, display } = record
  return {
    plan,
    ...(planOverrides && { planOverrides }),
    scopes,
    ...(ownerScopes && { ownerScopes }),
    ...(ownerRole !== undefined && { ownerRole }),
    origins,
    cidrs,
    displayHead: display.slice(0, -DISPLAY_TAIL),
  }
}

function pushNumber(bytes: number[], value: number, count: number): void {
  for (let at = count - 1; at >= 0; at--) bytes.push(Math.floor(value / 256 ** at) % 256)
}

function pushText(bytes: number[], text: string): void {
  if (UUID_TEXT.test(text)) {
    bytes.push(UUID)
    const digits = text.replaceAll('-', '')
    for (let at = 0; at < 32; at += 2) bytes.push(Number.parseInt(digits.slice(at, at + 2), 16))
    return
  }
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
  const isWide = units.some((unit) => unit > 255)
  if (isWide || units.length > 250) {
    bytes.push(isWide ? WIDE : LONG)
    pushNumber(bytes, units.length, 3)
  } else bytes.push(units.length)
  for (const unit of units)
    if (isWide) bytes.push(unit >>> 8, unit & 255)
    else bytes.push(unit)
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const DASHES = 0b0000_0101_0101_0000

class Reader {
  private readonly packed: string
  private at: number

  constructor(packed: string, from: number) {
    this.packed = packed
    this.at = from
  }

  number(count: number): number {
    let value = 0
    for (const end = this.at + count; this.at < end; this.at++)
      value = value * 256 + this.packed.charCodeAt(this.at)
    return value
  }

  text(): string {
    const kind = this.number(1)
    if (kind === UUID) return this.uuid()
    const length = kind === LONG || kind === WIDE ? this.number(3) : kind
    if (kind === WIDE) {
      let text = ''
      for (let unit = 0; unit < length; unit++) text += String.fromCharCode(this.number(2))
      return text
    }
    this.at += length
    return this.packed.slice(this.at - length, this.at)
  }

  private uuid(): string {
    let text = ''
    for (let byte = 0; byte < 16; byte++) {
      if ((DASHES >>> byte) & 1) text += '-'
      text += HEX[this.packed.charCodeAt(this.at++)]
    }
    return text
  }
}
