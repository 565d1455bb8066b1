// Reading forwarding headers from the right, which is the only end that a caller can't write: every proxy appends.
// What stands further left than the bounds is never looked at.

import type { Incoming } from '../../guard/exchange.ts'
import { type Address, parseAddress } from '../../policy/address.ts'

/** How many entries, and how many characters of them, are looked at. */
export const MAX_ENTRIES = 64
export const MAX_CHARACTERS = 8192

/**
 * All values of a header, line by line, in order. Only this spelling counts: `X_Forwarded_For` is another header,
 * though some programs read it as this one (CVE-2025-64484).
 */
export function headerLines(incoming: Incoming, name: string): readonly string[] {
  const { rawHeaders } = incoming
  // A Fetch host joins the lines itself.
  if (rawHeaders.length === 0) {
    const joined = incoming.header(name)
    return joined === undefined ? [] : [joined]
  }
  const found: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i]!
    if (candidate.length === name.length && candidate.toLowerCase() === name) found.push(rawHeaders[i + 1]!)
  }
  return found
}

/**
 * The entries of a comma-separated list, the last first, without empty ones (RFC 9110, section 5.6.1.2). It ends
 * early at the bounds, and at a quotation mark without an opening one.
 *
 * With `quoted`, commas inside quoted strings do not separate. Quotes are matched from the right as well: an opening
 * quote that a caller sends can't swallow what the proxies append after it.
 */
export function entriesFromRight(lines: readonly string[], quoted: boolean): readonly string[] {
  const entries: string[] = []
  let budget = MAX_CHARACTERS
  for (let n = lines.length - 1; n >= 0; n--) {
    const line = lines[n]!
    for (let end = line.length; end >= 0; ) {
      const start = startOfEntry(line, end, quoted, budget)
      if (start < 0) return entries
      budget -= end - start + 1
      const entry = trimmed(line, start, end)
      if (entry !== '') entries.push(entry)
      if (entries.length === MAX_ENTRIES || budget <= 0) return entries
      end = start - 1
    }
  }
  return entries
}

const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92

// Where the entry begins that ends before `end`; negative where it is longer than the budget or can't be read.
function startOfEntry(line: string, end: number, quoted: boolean, budget: number): number {
  for (let i = end - 1; i >= 0; i--) {
    if (end - i > budget) return -1
    const code = line.charCodeAt(i)
    if (code === COMMA) return i + 1
    if (quoted && code === QUOTE) {
      i = openingQuote(line, i, end - budget)
      if (i < 0) return -1
    }
  }
  return 0
}

// The nearest quotation mark to the left that no backslash escapes (RFC 9110, section 5.6.4).
function openingQuote(line: string, closing: number, from: number): number {
  for (let i = closing - 1; i >= Math.max(0, from); i--) {
    if (line.charCodeAt(i) !== QUOTE) continue
    let first = i
    while (first > 0 && line.charCodeAt(first - 1) === BACKSLASH) first--
    if ((i - first) % 2 === 0) return i
    i = first
  }
  return -1
}

function trimmed(line: string, start: number, end: number): string {
  const isSpace = (at: number) => line.charCodeAt(at) === 32 || line.charCodeAt(at) === 9
  while (start < end && isSpace(start)) start++
  while (end > start && isSpace(end - 1)) end--
  return line.slice(start, end)
}

/** The text without spaces and tabs around it. */
export function withoutSpaces(text: string): string {
  return trimmed(text, 0, text.length)
}

const PORT = /^:\d{1,5}$/

/** Reads `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:4711`. */
export function parseHop(text: string): Address | undefined {
  if (text.charCodeAt(0) === 91) {
    const close = text.indexOf(']')
    const rest = text.slice(close + 1)
    const inside = text.slice(1, close)
    return close > 0 && inside.includes(':') && (rest === '' || PORT.test(rest))
      ? parseAddress(inside)
      : undefined
  }
  const colon = text.indexOf(':')
  if (colon < 0 || colon !== text.lastIndexOf(':')) return parseAddress(text)
  return PORT.test(text.slice(colon)) ? parseAddress(text.slice(0, colon)) : undefined
}
