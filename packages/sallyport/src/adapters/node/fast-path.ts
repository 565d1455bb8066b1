// Whether this Node writes a response's head the way the fast path relies on. Two things of Node's inside are used: the
// underscore method `_storeHeader`, and the table of headers set so far; both are proved here before anyone trusts them.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { http } from './http.ts'

/** The forms in which Node hands over headers: its own table, a flat or nested list, a caller's object. */
export type NodeHeaders = Record<string, unknown> | readonly unknown[] | undefined

// Underscore methods that have kept name and signature since Node 0.x.
interface Internals {
  _storeHeader(firstLine: string, headers: NodeHeaders): void
  readonly _header: string | null
}

let inherited: Internals | undefined

/** Node's own writing of a head: status line, headers, then Date, Connection and framing. */
export function storeHead(response: ServerResponse, firstLine: string, headers: NodeHeaders): void {
  inherited ??= http().ServerResponse.prototype as unknown as Internals
  inherited._storeHeader.call(response, firstLine, headers)
}

const EMPTY_REQUEST = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as IncomingMessage

let table: symbol | undefined

function tableOf(response: object): unknown {
  return table && (response as Record<symbol, unknown>)[table]
}

/** True where the headers are Node's own table of what was set: lower-case name → [name, value]. */
export function isHeaderTable(response: ServerResponse, headers: NodeHeaders): boolean {
  return headers !== undefined && headers !== null && headers === tableOf(response)
}

/**
 * Proves on a response without a socket that what stands after the status line stands in the head once, that the table
 * of set headers is the one we read, and that what is deleted from it is not sent.
 */
function proveFastPath(): boolean {
  const { ServerResponse: Plain } = http()
  try {
    table = Object.getOwnPropertySymbols(new Plain(EMPTY_REQUEST)).find(
      (symbol) => symbol.description === 'kOutHeaders',
    )
    let sawTable = false
    class Probe extends Plain {
      _storeHeader(firstLine: string, headers: NodeHeaders): void {
        sawTable = isHeaderTable(this, headers)
        delete (headers as Record<string, unknown>)['x-removed']
        storeHead(this, `${firstLine}X-Probe: 1\r\n`, headers)
      }
    }
    const probe = new Probe(EMPTY_REQUEST)
    probe.setHeader('X-Kept', 'yes')
    probe.setHeader('X-Removed', 'no')
    probe.writeHead(200)
    const head = (probe as unknown as Internals)._header ?? ''
    return (
      sawTable &&
      head.startsWith('HTTP/1.1 200 OK\r\nX-Probe: 1\r\n') &&
      head.includes('X-Kept: yes\r\n') &&
      !head.includes('X-Removed')
    )
  } catch {
    return false
  }
}

let proved: boolean | undefined

/**
 * True where heads are written by the fast path. Proved when the first server gets its guard. The environment variable
 * lets the tests run the public way on a Node that has the fast one.
 */
export function usesFastPath(): boolean {
  proved ??= process.env.SALLYPORT_PUBLIC_API_ONLY !== '1' && proveFastPath()
  return proved
}
