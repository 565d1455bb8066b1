// Requests that only an answer makes possible: the same again with its validators, and the same over HTTP/2.

import { headerValues } from '../../controls/faces.ts'
import type { WireResult } from '../wire/send.ts'
import type { Planned } from './plan.ts'

/** Asks whether the answer is still the same (RFC 9110, section 13.1). */
export function conditionalRequests({ request, role }: Planned, result: WireResult): readonly Planned[] {
  if ('raw' in request || request.method !== 'GET' || role !== undefined) return []
  if (result.kind !== 'answer' || result.status !== 200) return []
  const etag = headerValues(result, 'etag')[0]
  const modified = headerValues(result, 'last-modified')[0]
  const condition = etag
    ? (['If-None-Match', etag] as const)
    : modified
      ? (['If-Modified-Since', modified] as const)
      : undefined
  if (condition === undefined) return []
  const headers = [...request.headers, condition]
  return [{ request: { ...request, headers }, meant: '304', claims: [], role }]
}

const MOST = 12

/** A few of the plan's requests, for HTTP/2: one of each method and path first. */
export function http2Requests(planned: readonly Planned[]): readonly Planned[] {
  const byKind = new Map<string, Planned>()
  for (const each of planned) {
    const { request } = each
    if ('raw' in request || each.role !== undefined || !/^(?:GET|HEAD|OPTIONS)$/.test(request.method))
      continue
    const kind = `${request.method} ${request.path}`
    if (!byKind.has(kind)) byKind.set(kind, { ...each, meant: 'http2', claims: [] })
  }
  return [...byKind.values()].slice(0, MOST)
}
